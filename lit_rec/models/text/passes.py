"""TextPasses: encodes texts some at a time, with gradients through all or some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from lit_rec.data.batches.batch import TextChunk, Texts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.distinct_words import DistinctWords
from lit_rec.models.text.pooling import Pooling
from lit_rec.models.text.text_cache import CachedTexts
from lit_rec.models.text.word_shift import shift_of

# from the vectors of P' texts, and whether each has a token, to what the caller needs of them
Finish = Callable[[Tensor, Tensor], Tensor]
# called with the number of texts after each pass of this thread, and of no other
_PASSED: ContextVar[Callable[[int], None] | None] = ContextVar("passed", default=None)


@contextmanager
def passes_counted(count: Callable[[int], None]) -> Iterator[None]:
    """Call ``count`` with the number of texts after each pass of this thread within a ``with`` block.

    Example:
        >>> with passes_counted(print):
        ...     texts_passed(3)
        3
    """
    before = _PASSED.set(count)
    try:
        yield
    finally:
        _PASSED.reset(before)


def texts_passed(number: int) -> None:
    """Report that a number of texts have passed the encoder in this thread: a bar may show it.

    Networks with passes of their own call it.
    """
    if count := _PASSED.get():
        count(number)


@dataclass(frozen=True)
class TextPasses:
    """How texts pass an encoder: each text once, similar lengths together.

    Args:
        backbone: The encoder.
        pooling: From token vectors to a text vector.
        special: Tokens around a text.
        max_tokens: Most tokens of a pass, padding included.
        recompute: Compute each pass again in the backward pass instead of keeping its activations.
        gradient_share: Share of the texts, drawn at random, that get gradients; these are multiplied by ``1 / share``,
            so that their mean over draws is the gradient of all. The others pass without gradients, by the same
            weights, in a third of the time.
        calls_of_all_ranks: Where processes share the encoder: from this process's number of chunks to the number of
            calls that every process makes.

    Reference:
        Cheng et al. 2022, Stochastic backpropagation, https://arxiv.org/abs/2203.16755 (there of a video's frames).

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> from lit_rec.models.text.pooling import MeanPooling
        >>> from lit_rec.models.text.tuning import FullTuning
        >>> tiny = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> tiny["intermediate_size"] = 4
        >>> backbone = Backbone(model_of_config({"model_type": "bert", **tiny}), FullTuning())
        >>> passes = TextPasses(backbone, MeanPooling(4), SpecialTokens((1,), (2,), 0), max_tokens=8)
        >>> texts = Texts(torch.tensor([5, 6, 7]), torch.tensor([0, 1, 3]))  # "5" and "6 7"
        >>> passes.finished(texts, lambda vectors, has_token: vectors, (4,)).shape
        torch.Size([2, 4])
    """

    backbone: Backbone
    pooling: Pooling
    special: SpecialTokens
    max_tokens: int
    recompute: bool = False
    gradient_share: float = 1.0
    calls_of_all_ranks: Callable[[int], int] | None = None

    def finished(
        self,
        texts: Texts,
        finish: Finish,
        shape: tuple[int, ...],
        cached: CachedTexts | None = None,
    ) -> Tensor:
        """Return ``finish`` of the texts' vectors ``[P, *shape]`` float32, in their order.

        Args:
            texts: The texts.
            finish: Called with the vectors of some texts; its parameters get gradients from all of them.
            shape: Of its output for one text.
            cached: Output of the encoder's frozen layers for these texts, which then pass the other layers alone.
        """
        parts, order = [], []
        begin = None if cached is None else (cached, texts)
        words = self._words(texts)
        beside = shift_of(texts, self.backbone, self.special)
        for group, counts in self._groups(texts):
            for chunk in self._chunks(texts, group):
                shift = None if beside is None else beside(chunk)
                given = (chunk, finish, begin, words, counts, shift)
                if counts and self.recompute and torch.is_grad_enabled():
                    found = checkpoint(self._pass, *given, use_reentrant=False)
                else:
                    found = self._pass(*given)
                parts.append(found[: len(chunk.text_index)])
                order.append(chunk.text_index)
                texts_passed(len(chunk.text_index))
        if not parts:
            return torch.zeros(0, *shape, device=texts.offsets.device)
        place = torch.argsort(torch.cat(order))
        return torch.cat(parts)[place]

    def _groups(self, texts: Texts) -> list[tuple[Tensor, float]]:
        """Return masks ``[P]`` of texts, and the factor of the gradients of each; 0: no gradients."""
        every = torch.ones(len(texts), dtype=torch.bool, device=texts.offsets.device)
        if self.gradient_share == 1 or not torch.is_grad_enabled():
            return [(every, 1.0)]
        number = max(1, round(self.gradient_share * len(texts)))
        without = every.clone()
        without[torch.randperm(len(texts), device=every.device)[:number]] = False
        return [(without, 0.0), (~without, max(1.0, len(texts) / number))]

    def _words(self, texts: Texts) -> DistinctWords | None:
        if self.calls_of_all_ranks is not None:
            return None  # the encoder's weights are gathered only within its own passes
        special = (*self.special.prefix, *self.special.suffix, self.special.pad, 0)
        around = torch.tensor(special, device=texts.tokens.device)
        return self.backbone.words(torch.cat([texts.tokens.long(), around]))

    def _chunks(self, texts: Texts, group: Tensor) -> Iterable[TextChunk]:
        """Return the chunks of some of the texts, with their numbers among all."""
        some = texts if group.all() else texts.where(group)
        number = group.nonzero().squeeze(1)
        chunks = some.chunks(self.max_tokens, self.special)
        own = (replace(chunk, text_index=number[chunk.text_index]) for chunk in chunks)
        if self.calls_of_all_ranks is None:
            return own
        all_own = list(own)
        # one text without a word, whose vector belongs to no text
        blank = Texts(texts.tokens[:0], texts.offsets.new_zeros(2))
        chunk = next(blank.chunks(self.max_tokens, self.special))
        nothing = replace(chunk, text_index=chunk.text_index[:0])
        # called before the first pass: processes wait for each other here, too
        return all_own + [nothing] * (self.calls_of_all_ranks(len(all_own)) - len(all_own))

    def _pass(
        self,
        chunk: TextChunk,
        finish: Finish,
        begin: tuple[CachedTexts, Texts] | None,
        words: DistinctWords | None,
        counts: float,
        shift: Tensor | None,
    ) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and counts > 0):
            # read here, so that a recomputed pass does not hold the states
            states = None if begin is None else begin[0].states(begin[1], chunk)
            # [P', T, width]
            tokens = self.backbone(chunk, beside=shift, states=states, words=words)
            with torch.autocast(tokens.device.type, enabled=False):
                vectors = self.pooling(tokens, chunk.mask)
        if counts > 1 and vectors.requires_grad:
            vectors.register_hook(lambda gradient: counts * gradient)
        with torch.autocast(tokens.device.type, enabled=False):
            return finish(vectors, chunk.mask.any(1))
