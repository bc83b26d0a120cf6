"""Objectives that rank the next item above others."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.batches.negatives import BatchNegatives, CatalogueNegatives, Negatives
from lit_rec.data.facts import Facts
from lit_rec.data.targets.next_item import NextItemTarget
from lit_rec.models.heads.repeat_bias import Repeats
from lit_rec.models.heads.vector_heads import Vectors
from lit_rec.models.objectives.disagreement import divergence
from lit_rec.models.objectives.score import Objective
from lit_rec.models.row_blocks import in_row_blocks
from lit_rec.processes import Gather, distinct_items, gather_from_all
from lit_rec.ranges import count, positive, share


@dataclass(frozen=True)
class Asked:
    """The M positions of a batch whose next item is predicted.

    Shape:
        users: ``[M, D]``. row: ``[M]`` int64, the row of each. behaviors: ``[M]`` int64, how many behaviors of its
            history came before. item: ``[M]`` int64 into the batch's items, the next one.
    """

    users: Tensor
    row: Tensor
    behaviors: Tensor
    item: Tensor

    @classmethod
    def of(cls, users: Tensor, mask: Tensor, batch: RecBatch) -> Asked:
        """Choose the positions where ``mask`` is True; ``users`` has the shape of ``mask`` and a width."""
        row, slot = mask.nonzero().unbind(1)
        # a position of a sequence has seen the slots before it, a row all of them
        seen = slot if users.shape[1] > 1 else batch.history.mask.sum(1)[row]
        return cls(users[mask], row, seen, batch.target.value[mask])


@dataclass(frozen=True)
class Compared:
    """The items that the positions' next items are compared with.

    Shape:
        vectors: ``[N', D]``. code: ``[N']`` int64, their rows of the vocabulary, which increase. log_prob: ``[V]``, for
            each row of the vocabulary but the first, the log probability that it is among the compared items. own:
            ``[B, N']`` bool, the items of each row's sequence, which are left out; None: none is.
    """

    vectors: Tensor
    code: Tensor
    log_prob: Tensor
    own: Tensor | None = None


class RankingObjective(Objective):
    """The next item against others, from vectors whose inner products are scores.

    Args:
        negatives: Items that the next one is compared with while training.
        temperature: What scores are divided by.
        spare_own: Whether the items of a position's own sequence are left out: an item that the user had, earlier or
            later, is then no negative.
        scores_per_block: Most scores that are held at once: sets the memory of a step. More of them are computed in
            blocks of positions, and each block again in the backward pass.

    Shape:
        users ``[B, D]`` with target ``[B, 1]`` or ``[B, H + 1, D]`` with target ``[B, H + 1]``; item_vectors ``[N, D]``
        -> sum ``[]``, count ``[]``.

    Raises:
        ConfigError: If ``temperature`` is not above 0, or ``scores_per_block`` is below 1.
    """

    predicts = NextItemTarget
    consumes = "vectors"

    def __init__(
        self,
        negatives: Negatives,
        temperature: float,
        spare_own: bool = False,
        scores_per_block: int = 2**25,
    ) -> None:
        super().__init__()
        self.negatives = negatives
        self.temperature = positive(self, "temperature", temperature)
        self.spare_own = spare_own
        self.scores_per_block = count(self, "scores_per_block", scores_per_block)
        self.gather: Gather = gather_from_all

    def bind(self, facts: Facts, gives: str) -> None:
        """Take the frequencies of items from Facts.

        Raises:
            ConfigError: If data or network are of another kind.
        """
        super().bind(facts, gives)
        self._log_frequency = np.array(facts.item_log_frequency)

    @abstractmethod
    def losses(self, own: Tensor, others: Tensor, log_prob: Tensor | None) -> Tensor:
        """Return the loss of each position ``[m]``.

        Args:
            own: ``[m, 1]``, scores of the next items.
            others: ``[m, N']``, scores of the items it is compared with; -inf for those that are no negatives.
            log_prob: ``[m, 1 + N']``, log probabilities that the next item and the others are among the compared ones;
                None: all items are compared.
        """

    def losses_of(self, outputs: Vectors, batch: RecBatch) -> tuple[Tensor, Tensor]:
        """Return the sum of the losses and their number; in float32, whatever the Trainer's precision."""
        with torch.autocast(outputs.users.device.type, enabled=False):
            found: tuple[Tensor, Tensor] = self(
                outputs.users, outputs.items, batch, outputs.repeats
            )
        return found

    def forward(
        self,
        users: Tensor,
        item_vectors: Tensor,
        batch: RecBatch,
        repeats: Repeats | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return the sum of the losses and their number, while training.

        Args:
            users: Vectors of the users.
            item_vectors: Vectors of the batch's items.
            batch: The rows.
            repeats: What histories add to scores, with items numbered by rows of the vocabulary.
        """
        code = batch.items.vocab_row  # the same numbers on every process
        drawn = batch.drawn
        if drawn is not None:
            other, order = torch.sort(code[drawn])
            others = item_vectors[drawn[order]]
        else:
            # an item unseen in training, which a given history may hold, is no negative
            known = code > 0
            others, other = distinct_items(item_vectors[known], code[known], self.gather)
        own = self._own(batch, code, other) if self.spare_own else None
        compared, mask = Compared(others, other, self._log_prob(batch), own), batch.target.mask
        if users.dim() == 2:
            total = self._sum(users.unsqueeze(1), mask, item_vectors, compared, batch, repeats)
            return total, mask.sum()
        after, at_first = mask.clone(), mask.clone()
        after[:, 0], at_first[:, 1:] = False, False
        total = self._sum(users, after, item_vectors, compared, batch, repeats)
        # the first item of a sequence trains the vector of the empty history, but moves no item's vector
        detached = replace(compared, vectors=others.detach())
        total = total + self._sum(users, at_first, item_vectors.detach(), detached, batch)
        return total, mask.sum()

    def _sum(
        self,
        users: Tensor,
        mask: Tensor,
        item_vectors: Tensor,
        compared: Compared,
        batch: RecBatch,
        repeats: Repeats | None = None,
    ) -> Tensor:
        """Return the sum of the losses of users ``[B, ., D]`` where ``mask`` ``[B, .]`` is True."""
        asked, code, other = Asked.of(users, mask, batch), batch.items.vocab_row, compared.code
        own_vectors = item_vectors[asked.item]
        of_others = compared.log_prob[other - 1]
        of_own = compared.log_prob[code[asked.item] - 1]

        def of_positions(part: slice) -> Tensor:
            u, row = asked.users[part], asked.row[part]
            target = code[asked.item[part]]
            scores = u @ compared.vectors.T  # [m, N']
            first = (u * own_vectors[part]).sum(1)
            if repeats is not None:
                repeated = repeats.at(row, asked.behaviors[part])
                scores, first = repeated.to_columns(scores, other), repeated.to_one(first, target)
            left_out = other == target.unsqueeze(1)
            if compared.own is not None:
                left_out = left_out | compared.own[row]
            scores = scores.masked_fill(left_out, -torch.inf) / self.temperature
            prob = torch.cat([of_own[part].unsqueeze(1), of_others.expand_as(scores)], 1)
            return self.losses(first.unsqueeze(1) / self.temperature, scores, prob)

        size = max(self.scores_per_block // max(len(other), 1), 1)
        return in_row_blocks(of_positions, len(asked.row), size).sum()

    def disagreement(self, one: Vectors, two: Vectors, batch: RecBatch) -> Tensor:
        """Return the mean divergence of the positions' softmax over the items that they are compared with."""
        mask, columns = batch.target.mask, slice(None) if batch.drawn is None else batch.drawn
        with torch.autocast(one.users.device.type, enabled=False):
            pairs = [
                (of.users.reshape(*mask.shape, -1)[mask], of.items[columns]) for of in (one, two)
            ]

            def of_positions(part: slice) -> Tensor:
                return divergence(*(u[part] @ items.T / self.temperature for u, items in pairs))

            size = max(self.scores_per_block // max(len(pairs[0][1]), 1), 1)
            differs = in_row_blocks(of_positions, len(pairs[0][0]), size)
        return differs.sum() / mask.sum().clamp(min=1)

    def whole(self, own: Tensor, scores: Tensor, item: Tensor) -> Tensor:
        """Return the loss of each position against a whole catalogue ``[m]``, which evaluation logs.

        Args:
            own: ``[m]``, scores of what came next.
            scores: ``[m, I]``, scores of all items.
            item: ``[m]``, what came next.
        """
        others = scores.scatter(1, item.unsqueeze(1), -torch.inf) / self.temperature
        return self.losses(own.unsqueeze(1) / self.temperature, others, None)

    def _log_prob(self, batch: RecBatch) -> Tensor:
        """Return the log probabilities ``[V]`` that an item is among the compared ones."""
        behaviors = batch.history.mask.sum() + len(batch)
        everywhere = int(self.gather(behaviors.reshape(1)).sum())
        of_item = torch.from_numpy(self.negatives.log_prob(self._log_frequency, everywhere))
        return of_item.float().to(batch.row.device)

    def _own(self, batch: RecBatch, code: Tensor, other: Tensor) -> Tensor:
        """Return which of ``other`` ``[N']``, which increases, stand in each row's sequence ``[B, N']``."""
        found = torch.zeros(len(batch), len(other), dtype=torch.bool, device=other.device)
        for index, mask in (
            (batch.history.item_index, batch.history.mask),
            (batch.target.value, batch.target.mask),
        ):
            wanted = code[index]
            column = torch.searchsorted(other, wanted).clamp(max=max(len(other) - 1, 0))
            there = mask & (other[column] == wanted) if len(other) else mask & False
            found[there.nonzero()[:, 0], column[there]] = True
        return found


class ItemSoftmax(RankingObjective):
    """Cross-entropy of the next item among the items it is compared with.

    Where compared items are there by chance (drawn, or of the batch), the log probability of being there is subtracted
    from the score: otherwise frequent items would be pushed away too often. It is 0 for a whole catalogue.

    Args:
        negatives: Items that it is compared with while training; the whole trained catalogue by default.
        temperature: What scores are divided by: 0.07 suits cosines, 1 inner products.
        spare_own: Whether items of the position's own sequence are left out.
        scores_per_block: Most scores that are held at once: sets the memory of a step.
        label_smoothing: Share of the target that is spread evenly over all compared items, the next one included.

    Raises:
        ConfigError: If ``temperature`` is not above 0, ``scores_per_block`` is below 1, or ``label_smoothing`` is not
            from 0 to 1.

    Reference:
        Szegedy et al. 2016, https://arxiv.org/abs/1512.00567 (label smoothing). Bengio & Senécal 2008, Adaptive
        importance sampling, https://doi.org/10.1109/TNN.2007.912312. Yi et al. 2019, Sampling-bias-corrected neural
        modeling, https://doi.org/10.1145/3298689.3346996.

    Example:
        >>> own, scores, item = torch.tensor([0.5]), torch.tensor([[0.5, 0.5, 0.5]]), torch.tensor([2])
        >>> ItemSoftmax().whole(own, scores, item)  # log 3, all alike
        tensor([1.0986])
    """

    def __init__(
        self,
        negatives: Negatives | None = None,
        temperature: float = 0.07,
        spare_own: bool = False,
        scores_per_block: int = 2**25,
        label_smoothing: float = 0.0,
    ) -> None:
        chosen = negatives or CatalogueNegatives()
        super().__init__(chosen, temperature, spare_own, scores_per_block)
        self.label_smoothing = share(self, "label_smoothing", label_smoothing)

    def losses(self, own: Tensor, others: Tensor, log_prob: Tensor | None) -> Tensor:
        """Return cross-entropies."""
        logits = torch.cat([own, others], 1)
        if log_prob is not None:
            logits = logits - log_prob
        whole, own_logits = torch.logsumexp(logits, 1), logits[:, 0]
        if not self.label_smoothing:
            return whole - own_logits
        compared = ~torch.isinf(logits)
        even = torch.where(compared, logits, 0.0).sum(1) / compared.sum(1)
        return whole - torch.lerp(own_logits, even, self.label_smoothing)


class BPR(RankingObjective):
    """Bayesian personalised ranking: the mean of ``-log sigmoid(s - s')``, the next item against each other one.

    Args:
        negatives: Items that it is compared with while training; the batch's items by default.
        temperature: What scores are divided by: 0.07 suits cosines, 1 inner products.
        spare_own: Whether items of the position's own sequence are left out, as in the paper.
        scores_per_block: Most scores that are held at once: sets the memory of a step.

    Raises:
        ConfigError: If ``temperature`` is not above 0, or ``scores_per_block`` is below 1.

    Reference:
        Rendle et al. 2009, BPR, https://arxiv.org/abs/1205.2618.

    Example:
        >>> own, scores, item = torch.tensor([0.5]), torch.tensor([[0.5, 0.5, 0.5]]), torch.tensor([2])
        >>> BPR().whole(own, scores, item)  # log 2 against each other one
        tensor([0.6931])
    """

    def __init__(
        self,
        negatives: Negatives | None = None,
        temperature: float = 1.0,
        spare_own: bool = True,
        scores_per_block: int = 2**25,
    ) -> None:
        super().__init__(negatives or BatchNegatives(), temperature, spare_own, scores_per_block)

    def losses(self, own: Tensor, others: Tensor, log_prob: Tensor | None) -> Tensor:
        """Return the mean over the others; 0 where there are none."""
        there = ~torch.isinf(others)
        against = functional.softplus(torch.where(there, others - own, 0.0)) * there
        return against.sum(1) / there.sum(1).clamp(min=1)
