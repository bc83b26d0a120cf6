"""`Recommender.recommend` for one user at a time among 100,000 items: tools/benchmark speed serve.

The index is the exact one. The network, its options and the users' texts are those of configs/scientific.yaml (a
causal Transformer over the history, cosines of 128 coordinates, 100 neighbors of each item) before training: the values
of weights and vectors do not change the time. Items, their vectors and neighbors are made up, so none is encoded. A
history has 1 to 50 items; their number
and the items are drawn at random. The seconds are those of whole calls, from ids to `Recommendation`s; `product` is
only the plain product of one user with all vectors, timed in turns with them.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lit_rec.inference.recommender import Recommender
from lit_rec.training.checkpoint.content import checkpoint_content
from tools.benchmarks.speed.configured import configured

_CONFIG = Path("configs/scientific.yaml")
_FULL, _QUICK = (100_000, 1_000), (20_000, 300)  # items and calls
_WARM = 20  # calls that are not counted
_K = 10


def measure(data: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    The values are percentiles, with the extremes of ten tenths of the calls.

    Args:
        data: Folder that holds amazon-scientific.
        quick: 20,000 items and 300 calls instead of 100,000 and 1,000.
    """
    started = time.perf_counter()
    items, calls = _QUICK if quick else _FULL
    recommender, vectors = _recommender(data / "amazon-scientific", items)
    length = int(recommender._content["history_length"])
    chance = np.random.default_rng(0)
    whole, product = [], []
    for call in range(_WARM + calls):
        history = [str(i) for i in chance.integers(0, items, chance.integers(1, length + 1))]
        begin = time.perf_counter()
        found = recommender.recommend(history, _K)
        end = time.perf_counter()
        vectors[call : call + 1] @ vectors.T
        if len(found) != _K:
            raise ValueError(f"{len(found)} items were recommended instead of {_K}")
        if call >= _WARM:
            whole.append(1e3 * (end - begin))
            product.append(1e3 * (time.perf_counter() - end))
    seconds = time.perf_counter() - started
    name = f"recommend, {items:,} items"
    return [
        _percentile(name, 50, whole, seconds),
        _percentile(name, 99, whole, seconds),
        _percentile(f"product, {items:,} items", 50, product, seconds),
    ]


def _percentile(name: str, percent: int, values: list[float], seconds: float) -> dict[str, Any]:
    parts = [float(np.percentile(part, percent)) for part in np.array_split(values, 10)]
    return {
        "name": name,
        "metric": f"p{percent}, ms",
        "value": float(np.percentile(values, percent)),
        "low": min(parts),
        "high": max(parts),
        "seeds": 1,
        "seconds": seconds,
    }


def _recommender(folder: Path, items: int) -> tuple[Recommender, torch.Tensor]:
    """Return a Recommender of a checkpoint's content with made-up items, and the items' vectors."""
    data, module = configured(_CONFIG, folder)
    backbone = module.built().backbone.config_plain()
    content = checkpoint_content(data, replace(data.facts, backbone=backbone), {}, None)
    network, chance = module.built(), torch.Generator().manual_seed(0)
    width = network.item_encoder.width + 1  # with the bias
    vectors = torch.randn(items, width, generator=chance)
    part, row = network.neighbors, torch.arange(1, items + 1)
    part.value = torch.rand(items + 1, part.value.shape[1], generator=chance)
    part.index = torch.randint(1, items + 1, part.value.shape, generator=chance)
    part.vector_share.fill_(0.1)
    made_up = {
        "item_id": [str(item) for item in range(items)],
        "columns": {
            name: [f"{name} of item {item}" for item in range(items)]
            for name in content["catalogue"]["columns"]
        },
        "vectors": torch.cat([vectors, part.described(row, None)], 1),
    }
    content["catalogue"] = content["catalogue"] | made_up
    return Recommender(module, content), vectors
