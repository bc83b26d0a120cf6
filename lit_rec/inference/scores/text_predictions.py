"""What a classifier of texts says of each text of a catalogue."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lit_rec.data.arrays import Float32s
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.request import request_batch
from lit_rec.data.facts import Facts
from lit_rec.inference.stored.model import BuiltModule
from lit_rec.tasks.registry import task_of


@torch.no_grad()
def predicted_texts(
    module: BuiltModule, facts: Facts, catalogue: Catalogue
) -> tuple[Float32s, Float32s]:
    """Return the vectors of N texts, and what is predicted of each.

    Args:
        module: A ``TextClassifier`` with its weights.
        facts: Its Facts.
        catalogue: The texts.

    Returns:
        Vectors ``[N, D]``, the bias coordinate left out; and probabilities ``[N, K]``, or ratings ``[N]``.
    """
    vectors = module.item_table(catalogue)
    batch = request_batch([], np.arange(len(catalogue)), 0, None).to(module.device)
    network = module.built()
    users = network.encode_users(vectors, batch)
    scores: Tensor = network.score(users, vectors, batch)
    predicted: Float32s = task_of(facts).predictions(scores[0], facts, network.gives).cpu().numpy()
    return vectors[:, :-1].float().cpu().numpy(), predicted
