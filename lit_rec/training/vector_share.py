"""How much a model's vectors count beside its neighbors, and how much these raise rare, new and repeated items.

All are chosen on validation rows before each validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from lit_rec.data.batches.collator import BatchRows
from lit_rec.evaluation.metrics.ranks import ndcg
from lit_rec.models.heads.item_neighbors import ItemNeighbors
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.training.steps import Ranked
from lit_rec.vectors.evaluation_tables import VectorTables
from lit_rec.vectors.fingerprint import weights_key

WITHOUT_ROWS = 0.1  # the share where there are no validation rows
SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
RARITIES = (0.0, 0.1, 0.2, 0.3, 0.4)
NEW_WEIGHTS = (1.0, 0.25, 0.5, 0.75, 1.25)  # never 0: items that are added later have to be found
REPEAT_WEIGHTS = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
REPEAT_RECENCIES = (0.8, 0.5, 0.65, 0.9, 0.95)
_ROWS = 5000
_SCORES = 10**9  # rows times items: bounds the time
_CUT = 10


@torch.no_grad()
def choose_vector_share(
    module: Any, trainer: lightning.Trainer, tables: VectorTables | None
) -> VectorTables | None:
    """Set share, rarity and the weights of new and of repeated items to what has the best nDCG@10, the first of equals.

    The share is chosen with the others of the validation before, then each other by itself. Every process looks
    at the same rows, and so chooses the same. Networks without neighbors, and what was given, stay as they are.

    Args:
        module: A LightningModule with a ``network``.
        trainer: Has the data.
        tables: Vectors of the catalogue.

    Returns:
        The tables, known as those of the weights with this share.
    """
    network = module.network
    part = network.neighbors if isinstance(network, TwoTower) else None
    chosen = [] if part is None else _chosen(part)
    if not chosen:
        return tables
    data = trainer.datamodule  # type: ignore[attr-defined]
    most = min(_ROWS, _SCORES // max(len(data.prepared.items), 1))
    rows = np.random.default_rng(0).permutation(data.predicted_rows("val"))[:most]
    batch = data.collator(with_texts=False)(BatchRows(np.sort(rows))).to(chosen[0][0].device)
    asked = batch.target.mask[:, 0]
    if tables is None or not asked.any():
        return tables
    ranked = Ranked.of(network, batch, tables)
    for value, choices in chosen:
        _set_best(value, choices, ranked, asked)
    return replace(tables, key=weights_key(module.state_dict()))


def _chosen(part: ItemNeighbors) -> list[tuple[Tensor, Sequence[float]]]:
    """Return the numbers that are chosen, in this order, and the choices of each."""
    numbers = [
        (part.chooses_share, part.vector_share, SHARES),
        (part.chooses_rarity, part.rarity, RARITIES),
        (part.chooses_new_weight, part.new_weight, NEW_WEIGHTS),
        (part.chooses_repeat_weight, part.repeat_weight, REPEAT_WEIGHTS),
        (part.chooses_repeat_weight, part.repeat_recency, REPEAT_RECENCIES),
    ]
    return [(value, choices) for chooses, value, choices in numbers if chooses]


def _set_best(value: Tensor, choices: Sequence[float], ranked: Ranked, asked: Tensor) -> None:
    """Set a number that ranks depend on to the choice with the best nDCG@10."""
    gains = []
    for choice in choices:
        value.fill_(choice)
        ranks = torch.cat([ranked.ranks(block)[:, 1] for block in ranked.blocks()])[asked]
        gains.append(float(ndcg(ranks.double().cpu().numpy(), _CUT).mean()))
    value.fill_(choices[int(np.argmax(gains))])
