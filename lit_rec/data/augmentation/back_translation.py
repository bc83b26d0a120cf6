"""BackTranslation: a text translated into another language and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lit_rec.data.augmentation.text_augmentation import Making, TextAugmentation
from lit_rec.data.augmentation.translation.cache import TranslationCache
from lit_rec.data.augmentation.translation.translator import Translator
from lit_rec.data.augmentation.translation_model import TranslationModel
from lit_rec.files.cache import hash_of
from lit_rec.progress import slow_bar
from lit_rec.ranges import count


class BackTranslation(TextAugmentation):
    """Say a text in other words: a model translates it into another language, and a second model back.

    Both models are in local folders. They run once, when training data is prepared, with beam search: the best
    ``copies`` translations, each translated back. Every text is cached on disk as soon as it is done, under
    ``cache_folder`` in ``translations/``: an interrupted run goes on, and other data with the same texts finds them.

    Args:
        there: The model that translates the texts into another language.
        back: The model that translates these back.
        rate: Share of a training step's texts in whose place a variant is read.
        copies: How many variants of each text are made, at most.
        batch_size: Texts that are translated at once; the way back has ``copies`` times as many.
        device: Where the models run, such as ``cpu`` or ``cuda``.

    Raises:
        ConfigError: If ``rate`` is not above 0 and up to 1, ``copies`` or ``batch_size`` is below 1; before training,
            if a folder holds no model as safetensors, or a model cannot be used.

    Reference:
        Sennrich et al. 2016, https://arxiv.org/abs/1511.06709. Xie et al. 2020, Unsupervised data augmentation,
        https://arxiv.org/abs/1904.12848.

    Example:
        In the YAML, in the list ``data.augmentation``: ``{class_path: BackTranslation, init_args: {there: {folder:
        models/opus-mt-en-de}, back: {folder: models/opus-mt-de-en}}}``
    """

    def __init__(
        self,
        there: TranslationModel,
        back: TranslationModel,
        rate: float = 0.2,
        copies: int = 2,
        batch_size: int = 32,
        device: str = "cpu",
    ) -> None:
        super().__init__(rate, copies)
        self.there, self.back = there, back
        self.batch_size = count(self, "batch_size", batch_size)
        self.device = device

    def fingerprint(self, making: Making) -> Any:
        """Return a hash of both models, and the number of copies."""
        return ["BackTranslation", self.there.fingerprint(), self.back.fingerprint(), self.copies]

    def variants(self, texts: Sequence[str], making: Making) -> list[list[str]]:
        """Return the variants of each text, from the cache or newly made.

        Raises:
            ConfigError: If a model cannot be used.
        """
        name = f"{hash_of(self.fingerprint(making))[:16]}.jsonl"
        cache = TranslationCache(making.cache / "translations" / name)
        with cache.alone():
            known = cache.read()
            # similar lengths together; the same order whatever is known already
            new = sorted((text for text in texts if text not in known), key=lambda t: (len(t), t))
            known |= self._made(new, cache, bar=making.bar) if new else {}
        return [list(dict.fromkeys(known[text])) for text in texts]

    def _made(
        self, texts: Sequence[str], cache: TranslationCache, *, bar: bool
    ) -> dict[str, list[str]]:
        there, back = (Translator(model, self.device) for model in (self.there, self.back))
        found: dict[str, list[str]] = {}
        with slow_bar("translating there and back", len(texts), shown=bar) as progress:
            for start in range(0, len(texts), self.batch_size):
                batch = texts[start : start + self.batch_size]
                said = [one for many in there.translate(batch, self.copies) for one in many]
                again = [one for (one,) in back.translate(said)]
                made = {
                    text: again[place * self.copies : (place + 1) * self.copies]
                    for place, text in enumerate(batch)
                }
                cache.add(made)
                found |= made
                progress(start + len(batch))
        return found
