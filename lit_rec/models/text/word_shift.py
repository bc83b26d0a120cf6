"""WordShift: what is added to the word vectors of a step's texts, so that training can look at them nearby."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import torch
from torch import Tensor

from lit_rec.data.batches.batch import TextChunk, Texts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.text.backbone import Backbone

_SHIFT: ContextVar[WordShift | None] = ContextVar("shift", default=None)


class WordShift:
    """A vector for each token of the texts that a network encodes; special tokens around a text have none.

    The first pass of a network makes them, all 0 and with gradients. Later passes get those of the same place: a
    network encodes its texts in the same order each time.

    Attributes:
        vectors: ``[S, width]`` each, one for each set of texts that was encoded.
        texts: The texts of each.

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> from lit_rec.models.text.tuning import FullTuning
        >>> tiny = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> tiny["intermediate_size"] = 4
        >>> backbone = Backbone(model_of_config({"model_type": "bert", **tiny}), FullTuning())
        >>> texts, special = Texts(torch.tensor([5, 6, 7]), torch.tensor([0, 1, 3])), SpecialTokens((1,), (2,), 0)
        >>> shift = WordShift()
        >>> with shift.added():
        ...     beside = shift_of(texts, backbone, special)
        >>> beside(next(texts.chunks(100, special))).shape, shift.vectors[0].shape
        (torch.Size([2, 4, 4]), torch.Size([3, 4]))
    """

    def __init__(self) -> None:
        self.vectors: list[Tensor] = []
        self.texts: list[Texts] = []
        self._next = 0

    @contextmanager
    def added(self) -> Iterator[None]:
        """Let networks add the vectors within a ``with`` block, which is one pass."""
        self._next = 0
        before = _SHIFT.get()
        _SHIFT.set(self)
        try:
            yield
        finally:
            _SHIFT.set(before)

    def take(self, texts: Texts, width: int) -> Tensor:
        """Return the vectors ``[S, width]`` of the texts that are encoded next."""
        if self._next == len(self.vectors):
            zeros = torch.zeros(len(texts.tokens), width, device=texts.tokens.device)
            self.vectors.append(zeros.requires_grad_())
            self.texts.append(texts)
        self._next += 1
        return self.vectors[self._next - 1]


def shift_of(
    texts: Texts, backbone: Backbone, special: SpecialTokens
) -> Callable[[TextChunk], Tensor] | None:
    """Return what is added to the word vectors of a chunk of these texts ``[P', T, width]``; None: nothing.

    Args:
        texts: The texts that are encoded next.
        backbone: The encoder.
        special: Tokens around a text.
    """
    shift = _SHIFT.get()
    if shift is None or not torch.is_grad_enabled():
        return None
    return partial(_placed, shift.take(texts, backbone.word_width), texts, len(special.prefix))


def _placed(vectors: Tensor, texts: Texts, before: int, chunk: TextChunk) -> Tensor:
    start = texts.offsets[chunk.text_index].unsqueeze(1)  # [P', 1]
    length = texts.offsets[chunk.text_index + 1].unsqueeze(1) - start
    place = torch.arange(chunk.mask.shape[1], device=start.device) - before  # [T]
    inside = (place >= 0) & (place < length)  # [P', T]
    if not len(vectors):
        return vectors.new_zeros(*inside.shape, vectors.shape[1])
    return vectors[(start + place).clamp(0, len(vectors) - 1)] * inside.unsqueeze(-1)
