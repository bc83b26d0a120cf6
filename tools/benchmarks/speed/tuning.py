"""Seconds of a training step by ways of tuning, beside full tuning: tools/benchmark speed tuning.

Steps of configs/movielens_u1.yaml with its encoder tuned, in float32: whole steps of 1,520 rows, the same batches for
all; and steps of the item encoder alone on 16 films, where what the optimizer does with each weight counts: there also
full tuning by AdamW as torch makes it, which passes over all weights several times, not fused as in lit_rec. Ways are
timed in turns, and a ratio is computed within one turn; its low and high are the extremes over the turns. Seconds are
of the processor, so that other work beside it adds little. Where lower layers are frozen, their output is cached, as in
a run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.training.lit_rec import LitRec
from lit_rec.vectors.frozen_texts import encode_frozen_texts
from tools.benchmarks.own_process import row
from tools.benchmarks.speed.configured import configured, item_encoder, tune_whole_encoder
from tools.benchmarks.speed.training_steps import network_steps, update

_CONFIG = Path("configs/movielens_u1.yaml")
_FULL = "full"
_FEW = 16
_NOT_FUSED = "full, AdamW not fused"
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
    whole = _seconds(steps, turns)
    few_steps = {way: _few_texts(*parts) for way, parts in made.items()}
    few_steps[_NOT_FUSED] = _few_texts(*made[_FULL], fused=False)
    few = _seconds(few_steps, 5 * turns)
    spent = time.perf_counter() - started
    return [*_rows("", whole, spent), *_rows(f", {_FEW} films", few, spent)]


def _seconds(steps: dict[str, Callable[[], object]], turns: int) -> dict[str, list[float]]:
    """Return the processor's seconds of each way's steps, timed in turns."""
    seconds: dict[str, list[float]] = {way: [] for way in steps}
    for step in steps.values():
        step()  # the first pays for allocations
    for _ in range(turns):
        for way, step in steps.items():
            before = time.process_time()
            step()
            seconds[way].append(time.process_time() - before)
    return seconds


def _rows(what: str, seconds: dict[str, list[float]], spent: float) -> list[dict[str, Any]]:
    ratios = {
        way: [a / b for a, b in zip(seconds[way], seconds[_FULL], strict=True)] for way in seconds
    }
    shares = {f"{way} / {_FULL}{what}": ratios[way] for way in ratios if way != _FULL}
    return [
        *(row(f"{way}{what}", "seconds a step", of, spent) for way, of in seconds.items()),
        *(row(name, "ratio", of, spent) for name, of in shares.items()),
    ]


def _few_texts(
    data: BehaviorDataModule, module: LitRec, *, fused: bool = True
) -> Callable[[], object]:
    """Return a function that takes a step of the item encoder on some films."""
    encoder, optimizer = module.built().item_encoder.train(), module.new_optimizer()  # type: ignore[union-attr, operator]
    if not fused:
        groups = [
            {n: group[n] for n in ("params", "lr", "weight_decay")}
            for group in optimizer.param_groups
        ]
        optimizer = torch.optim.AdamW(groups)
    chance, every = np.random.default_rng(0), len(data.catalogue.vocab_row)

    def step() -> None:
        films = np.sort(chance.choice(every, min(_FEW, every), replace=False))
        encoder(*data.catalogue.take(films)).square().mean().backward()  # type: ignore[operator]
        update(module.built(), optimizer)

    return step


def _configured(folder: Path, tuning: dict[str, Any]) -> tuple[BehaviorDataModule, LitRec]:
    def change(content: dict[str, Any]) -> None:
        tune_whole_encoder(content)
        item_encoder(content)["backbone"]["init_args"]["tuning"] = tuning

    data, module = configured(_CONFIG, folder, change)
    encode_frozen_texts(module.built(), data, module.device, None)
    return data, module
