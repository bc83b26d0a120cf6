"""FGM and PGD: train on word vectors that are moved to where the loss is higher."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import lightning
import torch
from torch import Tensor

from lit_rec.data.batches.batch import Texts
from lit_rec.models.networks.network import Network
from lit_rec.models.text.word_shift import WordShift
from lit_rec.ranges import count, positive
from lit_rec.training.guards.adversary import Adversary
from lit_rec.training.guards.guard import refuse_cached_texts, trained_encoder


class PGD(Adversary):
    """Projected gradient descent: move the word vectors of each text in several steps to where the loss is higher.

    Each text is moved by itself: all vectors of its words together by at most ``radius`` of their own length, so that
    the result depends neither on how many texts a batch has, nor on the scale of the encoder's word vectors. Tokens
    around a text stay. A step of training takes ``steps + 1`` forward and backward passes.

    Args:
        radius: How far, as a part of the length of a text's word vectors.
        steps: Steps to the moved place.
        step: Length of a step, as a part of ``radius``; by default steps reach 1.5 times as far as the radius.
        share: Share of the loss at the moved place; the plain loss has the rest.
        start_epoch: The first epoch, from 0, in which something is moved.

    Raises:
        ConfigError: If an option is out of range. By ``on_fit_start``, if nothing of the encoder is trained, its
            lower layers are cached, or it is divided among processes.

    Reference:
        Madry et al. 2018, Towards deep learning models resistant to adversarial attacks,
        https://arxiv.org/abs/1706.06083.

    Example:
        >>> PGD(steps=3).step
        0.5
    """

    def __init__(
        self,
        radius: float = 0.02,
        steps: int = 3,
        step: float | None = None,
        share: float = 0.5,
        start_epoch: int = 0,
    ) -> None:
        super().__init__(radius, share, start_epoch)
        self.steps = count(self, "steps", steps)
        self.step = 1.5 / steps if step is None else positive(self, "step", step)
        self._shift: WordShift | None = None
        self._added: AbstractContextManager[None] | None = None

    def check(self, trainer: lightning.Trainer, network: Network) -> None:
        """Check that gradients reach word vectors.

        Raises:
            ConfigError: As the class says.
        """
        super().check(trainer, network)
        backbone = trained_encoder(self, network)
        refuse_cached_texts(self, trainer, network)
        self._lookup = backbone.model.get_input_embeddings()  # type: ignore[operator]

    def watch(self) -> None:
        """Add nothing to word vectors, and ask for its gradient."""
        self._shift = WordShift()
        self._enter()

    def leaves(self) -> Sequence[Tensor]:
        """Return what was added to word vectors."""
        return [] if self._shift is None else self._shift.vectors

    @torch.no_grad()
    def aim(self, gradients: Sequence[Tensor | None]) -> None:
        """Take a step along the gradient, and come back to the radius."""
        moved = []
        for place, texts, gradient in self._parts(gradients):
            lengths = self._lengths(texts)  # [P]
            here = place.detach()
            if gradient is not None:
                along = gradient.float().nan_to_num(0.0, 0.0, 0.0)
                most = self.radius * lengths
                here = here + _to_length(along, texts, self.step * most)
                here = _within(here, texts, most)
            moved.append(here)
        if self._shift is not None:
            self._shift.vectors = moved

    def perturb(self, *, final: bool) -> None:
        """Add what was chosen to word vectors."""
        if self._shift is not None:
            for vectors in self._shift.vectors:
                vectors.requires_grad_(not final)
        self._enter()

    def after_backward(self) -> None:
        """Add nothing any more."""
        if self._added is not None:
            self._added.__exit__(None, None, None)
            self._added = None

    def _enter(self) -> None:
        if self._shift is not None:
            self._added = self._shift.added()
            self._added.__enter__()

    def _parts(
        self, gradients: Sequence[Tensor | None]
    ) -> Iterator[tuple[Tensor, Texts, Tensor | None]]:
        if self._shift is not None:
            yield from zip(self._shift.vectors, self._shift.texts, gradients, strict=True)

    def _lengths(self, texts: Texts) -> Tensor:
        vectors = self._lookup(texts.tokens.long())
        return _norms(vectors.float(), texts)


class FGM(PGD):
    """Fast gradient method: move the word vectors of each text in one step to where the loss is higher.

    All vectors of a text's words together move by ``radius`` of their own length, along the gradient. Tokens around a
    text stay. A step of training takes two forward and backward passes.

    Args:
        radius: How far, as a part of the length of a text's word vectors.
        share: Share of the loss at the moved place; the plain loss has the rest.
        start_epoch: The first epoch, from 0, in which something is moved.

    Raises:
        ConfigError: As ``PGD``.

    Reference:
        Miyato et al. 2017, Adversarial training methods for semi-supervised text classification,
        https://arxiv.org/abs/1605.07725.

    Example:
        >>> FGM(radius=0.2).radius
        0.2
    """

    def __init__(self, radius: float = 0.02, share: float = 0.5, start_epoch: int = 0) -> None:
        super().__init__(radius, 1, 1.0, share, start_epoch)


def _text_of_token(texts: Texts) -> Tensor:
    """Return the text of each token ``[S]``."""
    number = torch.arange(len(texts), device=texts.offsets.device)
    return torch.repeat_interleave(number, texts.offsets.diff(), output_size=len(texts.tokens))


def _norms(vectors: Tensor, texts: Texts) -> Tensor:
    """Return the length of all of a text's vectors together ``[P]``."""
    of_token = _text_of_token(texts)
    squares = vectors.new_zeros(len(texts)).index_add_(0, of_token, vectors.square().sum(1))
    return squares.sqrt()


def _to_length(vectors: Tensor, texts: Texts, lengths: Tensor) -> Tensor:
    """Return vectors of the same directions, whose lengths by text are ``[P]``; those of length 0 stay 0."""
    factor = lengths / _norms(vectors, texts).clamp(min=1e-30)
    return vectors * factor[_text_of_token(texts)].unsqueeze(1)


def _within(vectors: Tensor, texts: Texts, most: Tensor) -> Tensor:
    """Return vectors whose lengths by text are at most ``most`` ``[P]``."""
    factor = (most / _norms(vectors, texts).clamp(min=1e-30)).clamp(max=1.0)
    return vectors * factor[_text_of_token(texts)].unsqueeze(1)
