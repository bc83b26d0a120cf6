"""TokenStore: every distinct text tokenised once, without padding and memory-mapped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_rec.data.arrays import Int64s
from lit_rec.errors import ConfigError, option_of

# PreTrainedTokenizerBase of transformers; jsonargparse would import it, which takes long, from a TYPE_CHECKING block
Tokenizer = Any

_BLOCK = (
    20_000  # texts tokenised at once: enough to keep the tokenizer's threads busy, little memory
)


@dataclass(frozen=True)
class SpecialTokens:
    """Tokens that an encoder expects around a text.

    Args:
        prefix: Tokens before each text (BERT: ``[CLS]``).
        suffix: Tokens after each text (BERT: ``[SEP]``).
        pad: Token of padding.
        mask: Token that stands for a hidden word; None: the tokenizer has none, or a checkpoint does not say it.

    Example:
        >>> around = SpecialTokens(prefix=(101,), suffix=(102,), pad=0)  # BERT's
        >>> [*around.prefix, 7592, *around.suffix]
        [101, 7592, 102]
    """

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    pad: int
    mask: int | None = field(
        default=None, compare=False
    )  # checkpoints of version 0.1.0 do not say it


def special_tokens(tokenizer: Tokenizer) -> SpecialTokens:
    """Return what the tokenizer puts around a text, and its padding token (0 where it has none).

    Raises:
        ConfigError: If a text with special tokens does not hold its tokens without them.
    """
    bare: list[int] = tokenizer("a", add_special_tokens=False)["input_ids"]
    full: list[int] = tokenizer("a", add_special_tokens=True)["input_ids"]
    start = next((i for i in range(len(full)) if full[i : i + len(bare)] == bare), None)
    if start is None:
        raise ConfigError(
            f"its tokenizer makes {full[:8]} of a text with the tokens {bare[:8]}",
            where=option_of("BehaviorDataModule", "encoder"),
            rule="special tokens stand before and after the tokens of a text",
            remedy="use an encoder with another tokenizer",
        )
    pad: Any = tokenizer.pad_token_id
    mask: Any = tokenizer.mask_token_id
    return SpecialTokens(tuple(full[:start]), tuple(full[start + len(bare) :]), pad or 0, mask)


@dataclass(frozen=True)
class TokenStore:
    """Token ids of distinct texts, end to end.

    Shape:
        tokens: ``[S]`` int32. offsets: ``[P + 1]`` int64; text p is ``tokens[offsets[p]:offsets[p + 1]]``, without
            special tokens.
    """

    tokens: npt.NDArray[np.int32]
    offsets: Int64s

    @classmethod
    def build(
        cls,
        texts: Sequence[str],
        tokenizer: Tokenizer,
        max_tokens: int,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> TokenStore:
        """Tokenise ``texts``.

        Args:
            texts: Distinct texts.
            tokenizer: A loaded tokenizer.
            max_tokens: Longest text with its special tokens; the end of a longer one is cut.
            progress: Called with the number of texts done.

        Raises:
            ConfigError: If ``max_tokens`` leaves no room besides the special tokens.
        """
        special = special_tokens(tokenizer)
        room = max_tokens - len(special.prefix) - len(special.suffix)
        if room < 1:
            raise ConfigError(
                f"{max_tokens} leaves no room for text",
                where=option_of("BehaviorDataModule", "max_tokens"),
                rule=f"more than the {max_tokens - room} special tokens of this tokenizer",
                remedy=f"set BehaviorDataModule.max_tokens to {max(16, 2 * (max_tokens - room))} or more",
            )
        pieces: list[npt.NDArray[np.int32]] = []
        lengths: list[int] = []
        for start in range(0, len(texts), _BLOCK):
            block = list(texts[start : start + _BLOCK])
            encoded: list[list[int]] = tokenizer(
                block,
                add_special_tokens=False,
                truncation=True,
                max_length=room,
                return_attention_mask=False,
                return_token_type_ids=False,
            )["input_ids"]
            lengths += [len(ids) for ids in encoded]
            pieces.append(np.fromiter((t for ids in encoded for t in ids), np.int32))
            if progress is not None:
                progress(start + len(block))
        tokens = np.concatenate(pieces) if pieces else np.empty(0, np.int32)
        return cls(
            tokens, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
        )

    def save(self, folder: Path) -> None:
        """Write the arrays into an existing folder."""
        np.save(folder / "tokens.npy", self.tokens)
        np.save(folder / "offsets.npy", self.offsets)

    @classmethod
    def open(cls, folder: Path) -> TokenStore:
        """Memory-map the arrays of a folder."""
        mapped = [np.load(folder / name, mmap_mode="r") for name in ("tokens.npy", "offsets.npy")]
        return cls(*mapped)

    def take(self, text: Int64s) -> TokenStore:
        """Return the store of some texts, in the given order, without a loop over them."""
        start = self.offsets[text]
        length = self.offsets[text + 1] - start
        offsets = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
        source = np.arange(offsets[-1]) + np.repeat(start - offsets[:-1], length)
        return TokenStore(np.asarray(self.tokens[source]), offsets)
