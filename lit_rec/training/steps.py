"""What a step computes of a batch: the losses, and beside training what is told of it."""

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
from lit_rec.training.tasks.tasks import predictions
from lit_rec.training.vectors.evaluation_tables import VectorTables


@dataclass(frozen=True)
class StepOutcome:
    """What came of a batch.

    Shape:
        total: ``[]``, sum of the losses. count: ``[]``, their number. predicted: what a metric looks at, ``[B, C]``
            ratings, ``[B, C, K]``
        probabilities, or ``[B, 1, 2]`` ranks; of a training batch None.
    """

    total: Tensor
    count: Tensor
    predicted: Tensor | None


def score_step(
    objective: Objective | None,
    scores: Tensor,
    batch: RecBatch,
    facts: Facts,
    gives: str,
    *,
    training: bool,
) -> StepOutcome:
    """Judge the scores of a batch's candidates; ratings are judged as they are told.

    Args:
        objective: What is minimised.
        scores: ``[B, C]``, or ``[B, C, K]`` for class scores.
        batch: The rows.
        facts: Facts of the data.
        gives: What the network gives.
        training: Whether the losses go backward.
    """
    if not isinstance(objective, ScoreObjective):
        raise ValueError("there is no objective of scores before configure_model")
    predicted = None if training else predictions(scores, facts, gives)
    judged = predicted if predicted is not None and facts.task == "rating" else scores
    total, count = objective(judged, batch.target)
    return StepOutcome(total, count, predicted)


def ranking_step(
    objective: RankingObjective, network: Network, batch: RecBatch, tables: VectorTables | None
) -> StepOutcome:
    """Compare what came next with other items.

    While training these are what the objective chooses, else the whole catalogue.

    Args:
        objective: What is minimised.
        network: Gives vectors.
        batch: Sequences or rows.
        tables: Vectors of the catalogue; None: a training batch, which is encoded.

    Raises:
        ValueError: If the network does not give vectors.
    """
    if not isinstance(network, TwoTower) or not isinstance(network.head, VectorHead):
        raise ValueError(f"{type(network).__name__} gives no vectors")
    head = network.head
    if tables is None:
        item_vectors, profiles = network.encode_batch(batch)
        encode = network.encode_positions if network.gives_positions else network.encode_users
        users = encode(item_vectors, batch, profiles)
        with torch.autocast(users.device.type, enabled=False):
            of_users, of_items = head.of_users(users), head.of_items(item_vectors)
            code = batch.items.vocab_row
            repeats = network.repeats_of(batch, code.masked_fill(code == 0, -1))
            total, count = objective(of_users, of_items, batch, repeats)
        return StepOutcome(total, count, None)
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
) -> StepOutcome:
    """Rank each row's own item in the catalogue ``[I, D]``."""
    code = batch.items.catalogue_row
    target = code[batch.candidates.item_index[:, 0]]  # [B]
    if batch.seen is None:
        raise ValueError("the batch does not tell what its users had seen")
    ranks, losses = [users.new_zeros(0, 2)], [users.new_zeros(0)]
    for block in scored_blocks(users, items, target, repeats):
        rows = block.rows
        ranks.append(target_ranks(block, target[rows], batch.seen.within(rows)))
        losses.append(objective.whole(block.own, block.scores, target[rows]))
    asked = batch.target.mask[:, 0]
    total = torch.cat(losses)[asked].sum()
    return StepOutcome(total, asked.sum(), torch.cat(ranks).unsqueeze(1))
