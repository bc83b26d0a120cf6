"""How much a model's vectors count beside its neighbors, chosen on validation rows before each validation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import lightning
import numpy as np
import torch

from lit_rec.data.batches.collator import BatchRows
from lit_rec.evaluation.metrics.ranks import ndcg
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.training.steps import ranks_by_share
from lit_rec.vectors.evaluation_tables import VectorTables
from lit_rec.vectors.fingerprint import weights_key

WITHOUT_ROWS = 0.1  # the share where there are no validation rows
SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_ROWS = 2000
_CUT = 10


@torch.no_grad()
def choose_vector_share(
    module: Any, trainer: lightning.Trainer, tables: VectorTables | None
) -> VectorTables | None:
    """Set the share that has the best nDCG@10 among unseen items, the smallest of equals.

    Every process looks at the same rows, and so chooses the same. Networks without neighbors, or with a given share,
    stay as they are.

    Args:
        module: A LightningModule with a ``network``.
        trainer: Has the data.
        tables: Vectors of the catalogue.

    Returns:
        The tables, known as those of the weights with this share.
    """
    network = module.network
    part = network.neighbors if isinstance(network, TwoTower) else None
    if part is None or not part.chooses_share:
        return tables
    data = trainer.datamodule  # type: ignore[attr-defined]
    rows = np.random.default_rng(0).permutation(data.prepared.rows_of("val"))[:_ROWS]
    batch = data.collator(with_texts=False)(BatchRows(np.sort(rows))).to(part.vector_share.device)
    asked = batch.target.mask[:, 0]
    if tables is None or not asked.any():
        return tables
    ranks = ranks_by_share(network, batch, tables, SHARES)[:, asked, 1].double().cpu().numpy()
    gains = [float(ndcg(of_share, _CUT).mean()) for of_share in ranks]
    part.vector_share.fill_(SHARES[int(np.argmax(gains))])
    return replace(tables, key=weights_key(module.state_dict()))
