"""TextPasses: texts through an encoder, some at a time, and gradients back through all or some of them."""

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
from lit_rec.models.text.text_cache import KeptTexts

# from the vectors of P' texts and whether they have a token to what is kept of them
Finish = Callable[[Tensor, Tensor], Tensor]
# called with the number of texts after each pass of this thread, and of no other
_PASSED: ContextVar[Callable[[int], None] | None] = ContextVar("passed", default=None)


@contextmanager
def passes_counted(count: Callable[[int], None]) -> Iterator[None]:
    """Have ``count`` called with the number of texts after each pass that this thread makes for a while.

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
    """Say that a number of texts have passed the encoder in this thread: a bar may show it.

    Networks with passes of their own call it.
    """
    if count := _PASSED.get():
        count(number)


@dataclass(frozen=True)
class TextPasses:
    """How texts pass an encoder: each of them once, similar lengths together.

    Args:
        backbone: The encoder.
        pooling: From token vectors to a text vector.
        special: What stands around a text.
        max_tokens: Most tokens of a pass, padding included.
        recompute: Compute each pass again in the backward pass instead of keeping its activations.
        gradient_share: Share of the texts, drawn at random, through which gradients go back; they count ``1 / share``,
            so that their mean over draws is the gradient of all. The others pass without one, by the same weights, in a
            third of the time.
        calls_of_all_ranks: Where processes share the encoder: from this one's number of chunks to that with which all
            call it equally often.

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
        >>> passes.finished(texts, lambda vectors, told: vectors, (4,)).shape
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
        self, texts: Texts, finish: Finish, shape: tuple[int, ...], kept: KeptTexts | None = None
    ) -> Tensor:
        """Return what ``finish`` makes of the texts' vectors ``[P, *shape]`` float32, in their order.

        Args:
            texts: The texts.
            finish: Gets the vectors of some texts, and learns from all of them.
            shape: Of what it makes of one.
            kept: What leaves the encoder's lower layers of these texts, where they are not passed.
        """
        parts, order = [], []
        begun = None if kept is None else (kept, texts)
        words = self._words(texts)
        for group, counts in self._groups(texts):
            for chunk in self._chunks(texts, group):
                given = (chunk, finish, begun, words, counts)
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
        """Return masks ``[P]`` of texts, and how much the gradients of each count: 0 where none go back."""
        every = torch.ones(len(texts), dtype=torch.bool, device=texts.offsets.device)
        if self.gradient_share == 1 or not torch.is_grad_enabled():
            return [(every, 1.0)]
        number = max(1, round(self.gradient_share * len(texts)))
        still = every.clone()
        still[torch.randperm(len(texts), device=every.device)[:number]] = False
        return [(still, 0.0), (~still, max(1.0, len(texts) / number))]

    def _words(self, texts: Texts) -> DistinctWords | None:
        if self.calls_of_all_ranks is not None:
            return None  # the encoder's parts are together within its own passes alone
        special = (*self.special.prefix, *self.special.suffix, self.special.pad, 0)
        around = torch.tensor(special, device=texts.tokens.device)
        return self.backbone.words(torch.cat([texts.tokens.long(), around]))

    def _chunks(self, texts: Texts, group: Tensor) -> Iterable[TextChunk]:
        """Return the chunks of some of the texts, as numbered among all."""
        some = texts if group.all() else texts.where(group)
        number = group.nonzero().squeeze(1)
        chunks = some.chunks(self.max_tokens, self.special)
        own = (replace(chunk, text_index=number[chunk.text_index]) for chunk in chunks)
        if self.calls_of_all_ranks is None:
            return own
        all_own = list(own)
        # one text without a word, whose vector is no text's
        blank = Texts(texts.tokens[:0], texts.offsets.new_zeros(2))
        chunk = next(blank.chunks(self.max_tokens, self.special))
        nothing = replace(chunk, text_index=chunk.text_index[:0])
        # asked before the first pass, in which processes wait for each other too
        return all_own + [nothing] * (self.calls_of_all_ranks(len(all_own)) - len(all_own))

    def _pass(
        self,
        chunk: TextChunk,
        finish: Finish,
        begun: tuple[KeptTexts, Texts] | None,
        words: DistinctWords | None,
        counts: float,
    ) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and counts > 0):
            # here, so that what is recomputed does not hold the states
            states = None if begun is None else begun[0].states(begun[1], chunk)
            tokens = self.backbone(chunk, states=states, words=words)  # [P', T, width]
            with torch.autocast(tokens.device.type, enabled=False):
                vectors = self.pooling(tokens, chunk.mask)
        if counts > 1 and vectors.requires_grad:
            vectors.register_hook(lambda gradient: counts * gradient)
        with torch.autocast(tokens.device.type, enabled=False):
            return finish(vectors, chunk.mask.any(1))
