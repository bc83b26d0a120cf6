"""Evaluation of the test rows against one that encodes every item occurrence: tools/benchmark speed evaluate.

Both are in one run. lit_rec's side is a whole `test` by the Trainer without cached vectors: it encodes the catalogue
once, computes users from its vectors, and computes metrics. The other side encodes the texts of each row's history and
of its own item again for each row, 64 rows at a time, with texts of similar length together, as in lit_rec. Its
batches, users, scores and metrics are not timed, and its seconds are scaled from some random batches to all test rows.
Both encode in float32 with the pretrained encoder. Both are timed in turns, so that noise of the machine affects both;
the ratio's low and high are the extremes over the turns.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning import Trainer

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.training.lit_rec import LitRec
from lit_rec.vectors.evaluation_tables import FOLDER
from tools.benchmarks.own_process import row
from tools.benchmarks.speed.configured import configured, without_closed_forms
from tools.benchmarks.speed.every_occurrence import texts_of

_ROWS = 64
# configuration, folder of the data, batches of a turn
_DATA = {
    "scientific": ("configs/scientific.yaml", "amazon-scientific", 12),
    "movielens u1": ("configs/movielens_u1.yaml", "ml-100k", 4),
}


def measure(data: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        data: Folder that holds ml-100k and amazon-scientific.
        quick: One turn instead of three.
    """
    return [
        figure
        for name, (config, folder, batches) in _DATA.items()
        for figure in _measured(name, Path(config), data / folder, batches, 1 if quick else 3)
    ]


def _measured(
    name: str, config: Path, folder: Path, batches: int, turns: int
) -> list[dict[str, Any]]:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as cache:
        datamodule, module = configured(config, folder, partial(_change, cache=cache))
        ours, theirs, occurrences = [], [], 0
        for turn in range(turns):
            shutil.rmtree(Path(cache, FOLDER), ignore_errors=True)
            ours.append(_whole_test(datamodule, module))
            seconds, occurrences = _every_occurrence(datamodule, module, batches, turn)
            theirs.append(seconds)
    spent = time.perf_counter() - started
    ratios = [other / own for own, other in zip(ours, theirs, strict=True)]
    rows, items = len(datamodule.prepared.rows_of("test")), len(datamodule.catalogue)
    return [
        row(name, f"lit_rec, seconds for {rows:,} rows and {items:,} items", ours, spent),
        row(name, f"every occurrence, seconds for {occurrences:,}", theirs, spent),
        row(name, "every occurrence / lit_rec, ratio", ratios, spent),
    ]


def _change(content: dict[str, Any], cache: str) -> None:
    content["data"]["init_args"]["cache_folder"] = cache
    without_closed_forms(content)
    # vectors of a frozen encoder would be cached from turn to turn
    encoder = content["model"]["network"]["init_args"]["item_encoder"]["init_args"]
    encoder["backbone"]["init_args"].pop("tuning", None)


def _whole_test(data: BehaviorDataModule, module: LitRec) -> float:
    trainer = Trainer(
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
    )
    started = time.perf_counter()
    trainer.test(module, data, verbose=False)
    return time.perf_counter() - started


@torch.no_grad()
def _every_occurrence(
    data: BehaviorDataModule, module: LitRec, batches: int, turn: int
) -> tuple[float, int]:
    """Return the seconds that all test rows would take, and the occurrences in them."""
    encoder = module.built().item_encoder
    if not isinstance(encoder, ItemEncoder):
        raise ValueError(f"{type(encoder).__name__} encodes no texts")
    encoder.eval()
    rows, catalogue = data.prepared.rows_of("test"), data.catalogue
    history = data.history.bind(data.prepared)

    def items_of(some: Any) -> Any:
        found = history.of(some)
        return np.concatenate([found.item[found.mask], np.asarray(data.prepared.item[some])])

    occurrences = sum(
        len(items_of(rows[start : start + 4096])) for start in range(0, len(rows), 4096)
    )
    drawn = np.random.default_rng(turn).permutation(rows)[: batches * _ROWS]
    seconds, met = 0.0, 0
    for start in range(0, len(drawn), _ROWS):
        items = items_of(drawn[start : start + _ROWS])
        texts = texts_of(catalogue, items)
        started = time.perf_counter()
        encoder.encode_texts(texts)
        seconds += time.perf_counter() - started
        met += len(items)
    return seconds * occurrences / met, occurrences
