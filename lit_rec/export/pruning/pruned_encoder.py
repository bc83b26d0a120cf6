"""prune_encoder: a folder with an encoder that has only the word vectors that texts of a data set need."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.errors import ConfigError, option_of
from lit_rec.export.encoder import check_replaced
from lit_rec.export.pruning.tokenizer_cut import Vocabulary, cut_config, parsed
from lit_rec.export.transformers_files import without_bars
from lit_rec.files.new_folder import write_folder
from lit_rec.models.text.backbone import pretrained_model

STAMP = "pruned_vocabulary.json"
_TOKENIZER, _CONFIG = "tokenizer.json", "tokenizer_config.json"
# what sentence-transformers reads, where the encoder comes with it
_BESIDE = (
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling",
)
_BLOCK = 20_000  # texts
_SAMPLE = 16  # texts that both encoders read
_TOLERANCE = 1e-5  # relative to the largest number
_LONGEST = 512  # tokens of these
_FIRST_IDS = 1000  # a padding token below: positions of some encoders are counted from its id
_OPTION = option_of("BehaviorDataModule", "encoder")


@dataclass(frozen=True)
class Pruned:
    """The result.

    Args:
        folder: The written folder.
        texts: How many distinct texts are divided as before.
        pieces: Pieces of the tokenizer, before and after.
        parameters: Parameters of the encoder, before and after.
        difference: Largest difference between numbers of token vectors, over sample texts.
    """

    folder: Path
    texts: int
    pieces: tuple[int, int]
    parameters: tuple[int, int]
    difference: float


def prune_encoder(
    encoder: str,
    texts: Sequence[str],
    output: str | Path,
    *,
    common: int = 0,
    overwrite: bool = False,
) -> Pruned:
    """Write an encoder whose tokenizer has only the pieces that ``texts`` need, and its word vectors.

    The texts get the same tokens in the same places, and so the same vectors; both are checked before the folder is put
    in place. Added tokens, single letters and bytes stay, so that every other text is still divided, into smaller
    pieces than before where it has words that ``texts`` do not have.

    Args:
        encoder: A folder, or a name of the hub.
        texts: Texts of the data.
        output: The folder; absent or empty.
        common: So many of the vocabulary's first pieces stay as well. Most vocabularies are in the order of frequency.
        overwrite: Whether the folder of an earlier pruning is replaced.

    Raises:
        ConfigError: If the encoder cannot be read, has no ``tokenizer.json`` of a known kind, ``common`` is negative,
            ``output`` is not empty or cannot be written, or texts would be divided in another way.

    Example:
        >>> prune_encoder("checkpoints/assets/multilingual-e5-small", texts, "e5-of-my-data")  # doctest: +SKIP
    """
    if common < 0:
        raise ConfigError(
            f"{common} is negative",
            where="--common",
            rule="a number of pieces, 0 or more",
            remedy="--common 20000, or leave it out",
        )
    texts = sorted({*texts})
    files = TokenizerFiles.load(encoder, option=_OPTION).files
    if _TOKENIZER not in files:
        raise ConfigError(
            f"the tokenizer of '{encoder}' has no {_TOKENIZER}",
            where=_OPTION,
            rule=f"a tokenizer of the library tokenizers, whose save_pretrained writes {_TOKENIZER}",
            remedy="use this encoder as it is, or one with such a tokenizer",
        )
    tokens, model = _Tokens(TokenizerFiles(files), texts), _model(encoder)
    kept = tokens.kept(_ids_of(model), common)
    sample = _sample(tokens.ids, model)
    expected, parameters = _token_vectors(model, sample), [model.num_parameters()]
    pieces, differences = (len(tokens.vocabulary.id_of), len(kept)), []

    def write(folder: Path) -> None:
        _cut(model, kept)
        with without_bars():
            model.save_pretrained(folder)
        for name, content in tokens.cut(kept).files.items():
            (folder / name).write_bytes(content)
        for name in _BESIDE:
            _copied(Path(encoder) / name, folder / name)
        stamp = json.dumps({"texts": len(texts), "pieces": pieces})
        (folder / STAMP).write_text(stamp + "\n", encoding="utf-8")
        (folder / "README.md").write_text(_page(len(texts), pieces), encoding="utf-8")
        new = {old: place for place, old in enumerate(kept)}
        found = _token_vectors(_model(str(folder)), [[new[at] for at in ids] for ids in sample])
        differences.append(_difference(found, expected))

    check = partial(check_replaced, overwrite=overwrite, stamp=STAMP)
    made = write_folder(Path(output), write, option="--output", may_replace=check)
    parameters.append(model.num_parameters())
    return Pruned(made, len(texts), pieces, (parameters[0], parameters[1]), differences[0])


class _Tokens:
    """Texts by the whole tokenizer, and by the cut one.

    Args:
        files: The whole tokenizer.
        texts: Distinct texts.
    """

    def __init__(self, files: TokenizerFiles, texts: Sequence[str]) -> None:
        self.files, self.texts = files, texts
        self.tokenizer = files.open()
        self.vocabulary = Vocabulary(parsed(files.files[_TOKENIZER]))
        self.ids = _tokenised(self.tokenizer, texts)

    def kept(self, needed: Collection[int], common: int) -> list[int]:
        """Return the ids that stay, in their order.

        Args:
            needed: Ids that the encoder's configuration names.
            common: As in ``prune_encoder``.

        Raises:
            ConfigError: If texts would be divided in another way.
        """
        known = sorted(self.vocabulary.id_of.values())
        kept = {*self.vocabulary.always(), *needed, *known[:common], *chain(*self.ids)}
        for _ in range(2):
            kept = self.vocabulary.with_parts(kept) & {*known}
            other = self._other(sorted(kept))
            if not other:
                return sorted(kept)
            # a word that was unknown as a whole may be divided now that its first part is not found (WordPiece)
            kept |= self.vocabulary.inside(chain(*map(self._words, other)))
        raise ConfigError(
            f"a text would be divided in another way: '{other[0][:60]}'",
            where=_OPTION,
            rule="a tokenizer that divides a text by its pieces alone",
            remedy="use this encoder as it is, or one with another tokenizer",
        )

    def cut(self, kept: Sequence[int]) -> TokenizerFiles:
        """Return the files of the cut tokenizer."""
        content = self.vocabulary.cut(kept)
        config = cut_config(parsed(self.files.files[_CONFIG]), kept)
        # local paths and options of the last call
        config = {k: v for k, v in config.items() if k not in ("is_local", "local_files_only")}
        plain = ((_TOKENIZER, content), (_CONFIG, config))
        return TokenizerFiles({n: json.dumps(c, ensure_ascii=False).encode() for n, c in plain})

    def _other(self, kept: Sequence[int]) -> list[str]:
        """Return the texts that are divided in another way."""
        found = _tokenised(self.cut(kept).open(), self.texts)
        return [
            text
            for text, old, new in zip(self.texts, self.ids, found, strict=True)
            if [kept[at] if at < len(kept) else -1 for at in new] != old
        ]

    def _words(self, text: str) -> list[str]:
        backend: Any = self.tokenizer.backend_tokenizer
        text = backend.normalizer.normalize_str(text) if backend.normalizer else text
        if backend.pre_tokenizer is None:
            return [text]
        return [word for word, _ in backend.pre_tokenizer.pre_tokenize_str(text)]


def _model(encoder: str) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # of a pooler without weights
        model = pretrained_model(encoder)
    if not isinstance(model, PreTrainedModel):
        raise TypeError(f"{type(model).__name__} is no model of transformers")
    model.eval()  # type: ignore[no-untyped-call]
    return model


def _ids_of(model: PreTrainedModel) -> set[int]:
    """Return the ids that an encoder's configuration names, and those before its padding token."""
    found: set[int] = set()
    for name, value in model.config.to_dict().items():
        if name.endswith("_token_id") and value is not None:
            found |= {*value} if isinstance(value, list) else {value}
    pad = model.config.pad_token_id
    return found | set(range(pad if pad is not None and pad < _FIRST_IDS else 0))


def _cut(model: PreTrainedModel, kept: Sequence[int]) -> None:
    """Leave an encoder the word vectors of these ids, and give it the precision of its files."""
    config, new = model.config, {old: place for place, old in enumerate(kept)}
    before: nn.Embedding = model.get_input_embeddings()  # type: ignore[assignment]
    cut = nn.Embedding(len(kept), before.embedding_dim)
    cut.weight = nn.Parameter(before.weight.detach()[torch.tensor(kept)])
    model.set_input_embeddings(cut)
    config.vocab_size = len(kept)
    for name, value in config.to_dict().items():
        if name.endswith("_token_id") and value is not None:
            many = isinstance(value, list)
            setattr(config, name, [new[one] for one in value] if many else new[value])
    if isinstance(config.dtype, torch.dtype):
        model.to(config.dtype)  # type: ignore[arg-type]


def _sample(texts: Sequence[list[int]], model: PreTrainedModel) -> list[list[int]]:
    """Return the ids of some texts, the longest first, none longer than the encoder reads."""
    longest = getattr(model.config, "max_position_embeddings", None) or _LONGEST
    order = sorted(filter(None, texts), key=len, reverse=True)
    some = order[:: max(1, -(-len(order) // _SAMPLE))]
    # positions of some encoders are counted from after the padding token's id
    return [ids[: max(1, min(longest, _LONGEST) - 4)] for ids in some]


@torch.no_grad()
def _token_vectors(model: PreTrainedModel, texts: Sequence[list[int]]) -> list[Tensor]:
    return [model(input_ids=torch.tensor([ids])).last_hidden_state[0] for ids in texts]


def _difference(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Return the largest difference between token vectors.

    Raises:
        ConfigError: If they differ by more than rounding.
    """
    pairs = zip(found, expected, strict=True)
    largest = max((float((one - other).abs().max()) for one, other in pairs), default=0.0)
    if largest > _TOLERANCE * max(1.0, *(float(one.abs().max()) for one in expected)):
        raise ConfigError(
            f"the cut encoder gives other vectors (the largest difference is {largest:.2g})",
            where=_OPTION,
            rule="an encoder that reads ids only to look up word vectors",
            remedy="use this encoder as it is, or another one",
        )
    return largest


def _tokenised(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    found: list[list[int]] = []
    for start in range(0, len(texts), _BLOCK):
        block = list(texts[start : start + _BLOCK])
        found += tokenizer(block, truncation=False, verbose=False)["input_ids"]
    return found


def _copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.is_file():
        shutil.copyfile(source, target)


def _page(texts: int, pieces: Sequence[int]) -> str:
    return f"""\
An encoder with {pieces[1]:,} of its {pieces[0]:,} word pieces: those of {texts:,} texts, special tokens, and all single
letters. Vectors of these texts are those of the whole encoder. Other texts are read too, in smaller pieces where they
have other words. Written by `lit-rec prune-encoder`.
"""
