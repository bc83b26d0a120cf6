"""The evaluation of one batch: its losses, and the input of the metrics."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.evaluation.metrics.catalogue_ranks import scored_blocks, target_ranks
from lit_rec.models.heads.repeat_bias import Repeats
from lit_rec.models.heads.vector_heads import VectorHead
from lit_rec.models.networks.two_tower import Network, TwoTower
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

    Args:
        objective: The objective, which computes the loss.
        network: A network of vectors.
        batch: The rows.
        tables: Vectors of the catalogue.

    Raises:
        ValueError: If the network does not give vectors.
    """
    head = network.head if isinstance(network, TwoTower) else None
    if tables is None or not isinstance(network, TwoTower) or not isinstance(head, VectorHead):
        raise ValueError(f"{type(network).__name__} gives no vectors")
    item_vectors, profiles = tables.look_up(batch)
    with torch.autocast(item_vectors.device.type, enabled=False):
        users = head.of_users(network.encode_users(item_vectors, batch, profiles))
        repeats = network.repeats_of(batch, batch.items.catalogue_row)
        return _among_all(objective, users, head.of_items(tables.items), batch, repeats)


def _among_all(
    objective: RankingObjective,
    users: Tensor,
    items: Tensor,
    batch: RecBatch,
    repeats: Repeats | None,
) -> Evaluated:
    """Rank each row's own item in the catalogue ``[I, D]``."""
    code = batch.items.catalogue_row
    target = code[batch.candidates.item_index[:, 0]]  # [B]
    if batch.seen is None:
        raise ValueError("the batch does not hold what its users had seen")
    ranks, losses = [users.new_zeros(0, 2)], [users.new_zeros(0)]
    for block in scored_blocks(users, items, target, repeats):
        rows = block.rows
        ranks.append(target_ranks(block, target[rows], batch.seen.within(rows)))
        losses.append(objective.whole(block.own, block.scores, target[rows]))
    asked = batch.target.mask[:, 0]
    total = torch.cat(losses)[asked].sum()
    return Evaluated(total, asked.sum(), torch.cat(ranks).unsqueeze(1))
