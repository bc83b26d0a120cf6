"""The evaluation of one batch: its losses, and the input of the metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from lit_rec.data.batches.batch import RecBatch, SeenItems
from lit_rec.data.facts import Facts
from lit_rec.evaluation.metrics.catalogue_ranks import (
    ScoredRows,
    of_target,
    scored_blocks,
    target_ranks,
)
from lit_rec.models.heads.item_neighbors import NeighborScores
from lit_rec.models.heads.repeat_bias import Repeats
from lit_rec.models.heads.vector_heads import VectorHead
from lit_rec.models.networks.network import Network
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.objectives.ranking import RankingObjective
from lit_rec.models.objectives.score import Objective, ScoreObjective
from lit_rec.tasks.task import Task
from lit_rec.vectors.evaluation_tables import VectorTables


@dataclass(frozen=True)
class Evaluated:
    """The result of a batch.

    Shape:
        total: ``[]``, sum of the losses. count: ``[]``, their number. predicted: input of the metrics: ``[B, C]``
            ratings, ``[B, C, K]`` probabilities, or ``[B, 1, 2]`` ranks.
    """

    total: Tensor
    count: Tensor
    predicted: Tensor


def evaluated_scores(
    objective: Objective | None,
    scores: Tensor,
    batch: RecBatch,
    task: Task,
    facts: Facts,
    gives: str,
) -> Evaluated:
    """Compute losses and predictions from the scores of a batch's candidates.

    Args:
        objective: The objective, which computes the loss.
        scores: ``[B, C]``, or ``[B, C, K]`` for class scores.
        batch: The rows.
        task: What is predicted.
        facts: Facts of the data.
        gives: The network's kind of output.
    """
    if not isinstance(objective, ScoreObjective):
        raise ValueError("there is no objective of scores before configure_model")
    predicted = task.predictions(scores, facts, gives)
    total, count = objective(task.judged(scores, predicted), batch.target)
    return Evaluated(total, count, predicted)


def evaluated_ranks(
    objective: RankingObjective, network: Network, batch: RecBatch, tables: VectorTables | None
) -> Evaluated:
    """Rank each row's next item in the whole catalogue.

    The loss is of what is trained, so without what neighbors add.

    Args:
        objective: The objective, which computes the loss.
        network: A network of vectors.
        batch: The rows.
        tables: Vectors of the catalogue.

    Raises:
        ValueError: If the network does not give vectors.
    """
    found = Ranked.of(network, batch, tables)
    ranks, losses = [found.users.new_zeros(0, 2)], [found.users.new_zeros(0)]
    for block in found.blocks():
        losses.append(objective.whole(block.own, block.scores, found.target[block.rows]))
        ranks.append(found.ranks(block))
    asked = batch.target.mask[:, 0]
    total = torch.cat(losses)[asked].sum()
    return Evaluated(total, asked.sum(), torch.cat(ranks).unsqueeze(1))


@dataclass(frozen=True)
class Ranked:
    """The users of a batch, and the catalogue in which their next items are ranked.

    Shape:
        users: ``[B, D]``. items: ``[I, D]``. target: ``[B]`` int64 rows of the catalogue.
    """

    users: Tensor
    items: Tensor
    target: Tensor
    seen: SeenItems
    repeats: Repeats | None
    neighbors: NeighborScores | None

    @classmethod
    def of(cls, network: Network, batch: RecBatch, tables: VectorTables | None) -> Ranked:
        """Encode the users.

        Args:
            network: A network of vectors.
            batch: The rows.
            tables: Vectors of the catalogue.

        Raises:
            ValueError: If the network does not give vectors.
        """
        head = network.head if isinstance(network, TwoTower) else None
        if tables is None or not isinstance(network, TwoTower) or not isinstance(head, VectorHead):
            raise ValueError(f"{type(network).__name__} gives no vectors")
        if batch.seen is None:
            raise ValueError("the batch does not hold what its users had seen")
        item_vectors, profiles = tables.look_up(batch)
        row = batch.items.catalogue_row
        with torch.autocast(item_vectors.device.type, enabled=False):
            return cls(
                head.of_users(network.encode_users(item_vectors, batch, profiles)),
                head.of_items(network.vectors_of(tables.items)),
                row[batch.candidates.item_index[:, 0]],
                batch.seen,
                network.repeats_of(batch, row),
                network.neighbors_of(batch, tables.items, row),
            )

    def blocks(self) -> Iterator[ScoredRows]:
        """Yield the scores by vectors and repeats, some rows at a time."""
        with torch.autocast(self.users.device.type, enabled=False):
            yield from scored_blocks(self.users, self.items, self.target, self.repeats)

    def ranks(self, block: ScoredRows) -> Tensor:
        """Return the ranks ``[b, 2]`` of some rows' targets, by what neighbors say too.

        Args:
            block: Scores by vectors and repeats.
        """
        rows, target = block.rows, self.target[block.rows]
        if self.neighbors is not None:
            said, beside = self.neighbors.of_all(rows), self.neighbors.beside
            alone = self.neighbors.of_targets_alone(rows, target)
            unseen = beside(block.own_unseen) + of_target(said, target) - alone
            scores = beside(block.scores).add_(said)
            block = ScoredRows(rows, scores, of_target(scores, target), unseen)
        return target_ranks(block, target, self.seen.within(rows))
