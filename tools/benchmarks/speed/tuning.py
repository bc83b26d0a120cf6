"""Seconds of a training step by ways of tuning, beside full tuning: tools/benchmark speed tuning.

Steps of configs/movielens_u1.yaml with its encoder tuned, in float32, 1,520 rows each, the same batches for all. Ways
are timed in turns, and a ratio is computed within one turn; its low and high are the extremes over the turns. Where
lower layers are frozen, their output is cached, as in a run.
"""

from __future__ import annotations

import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.training.lit_rec import LitRec
from lit_rec.vectors.frozen_texts import encode_frozen_texts
from tools.benchmarks.own_process import row
from tools.benchmarks.speed.configured import configured, item_encoder, tune_whole_encoder
from tools.benchmarks.speed.training_steps import network_steps

_CONFIG = Path("configs/movielens_u1.yaml")
_FULL = "full"
WAYS: dict[str, dict[str, Any]] = {
    _FULL: {"class_path": "FullTuning"},
    "top 2 layers": {"class_path": "TopLayersTuning", "init_args": {"layers": 2}},
    "LoRA": {"class_path": "LoraTuning"},
    "LoRA in the top 2 layers": {"class_path": "LoraTuning", "init_args": {"layers": 2}},
    "bottlenecks": {"class_path": "BottleneckTuning"},
}


def measure(data: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        data: Folder that holds ml-100k.
        quick: Two turns instead of seven.
    """
    started, turns = time.perf_counter(), 2 if quick else 7
    made = {way: _configured(data / "ml-100k", tuning) for way, tuning in WAYS.items()}
    batches = list(islice(made[_FULL][0].train_dataloader(), turns + 1))
    steps = {way: network_steps(module, cycle(batches)) for way, (_, module) in made.items()}
    seconds: dict[str, list[float]] = {way: [] for way in steps}
    for step in steps.values():
        step()  # the first pays for allocations
    for _ in range(turns):
        for way, step in steps.items():
            before = time.perf_counter()
            step()
            seconds[way].append(time.perf_counter() - before)
    spent = time.perf_counter() - started
    ratios = {
        way: [a / b for a, b in zip(seconds[way], seconds[_FULL], strict=True)] for way in seconds
    }
    return [
        *(row(way, "seconds a step", values, spent) for way, values in seconds.items()),
        *(row(f"{way} / {_FULL}", "ratio", ratios[way], spent) for way in ratios if way != _FULL),
    ]


def _configured(folder: Path, tuning: dict[str, Any]) -> tuple[BehaviorDataModule, LitRec]:
    def change(content: dict[str, Any]) -> None:
        tune_whole_encoder(content)
        item_encoder(content)["backbone"]["init_args"]["tuning"] = tuning

    data, module = configured(_CONFIG, folder, change)
    encode_frozen_texts(module.built(), data, module.device, None)
    return data, module
