"""Training steps of configs/movielens_u1.yaml against steps that repeat some work: tools/benchmark speed train.

The encoder is tuned, a step has 1,520 rows, and items are drawn together. Every side takes whole optimizer steps
(batch, forward, backward, clipping, update). They are timed in turns, so that noise of the machine affects all.
A ratio is computed within one turn; its low and high are the extremes over the turns. Interactions per second are the
rows of a step divided by the median of its seconds.

- `plain loop`: see plain_loop.py, in float32; lit_rec is in float32 too, and in the precision that the YAML's probe
  would choose.
- `a quarter of the texts`: the same, with gradients through a quarter of a step's texts (`gradient_share`), in that
  precision.
- `every occurrence`: the same network and options, but each slot of a history and each candidate has its texts encoded
  separately, as in NewsRecLib and Legommenders: 64 rows a step, eight at a time, because the activations of all would
  not fit. Texts of similar length are still encoded together, which such recommenders do not do. Both sides are in
  bfloat16 autocast if this machine's products are faster in it; the metric's name then says so.
- `matmul`: the machine's rate on the encoder's shapes, with as many rows as a chunk has tokens; `step / matmul` is the
  share of this rate that a whole step reaches with its useful work (machine_rate.py), without and with `recompute`.
- `top 2 layers`: the same batches with TopLayersTuning(2) and the output of the lower layers cached, against full
  tuning.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.training.lit_rec import LitRec
from lit_rec.vectors.frozen_texts import encode_frozen_texts
from tools.benchmarks.own_process import row
from tools.benchmarks.speed.configured import (
    configured,
    item_encoder,
    learn_from_a_quarter,
    tune_whole_encoder,
)
from tools.benchmarks.speed.every_occurrence import unshared
from tools.benchmarks.speed.machine_rate import fast_dtype, matmul_rate, useful_flops
from tools.benchmarks.speed.plain_loop import PlainLoop
from tools.benchmarks.speed.training_steps import Step, network_steps, rate

_CONFIG = Path("configs/movielens_u1.yaml")
_TOP = 2
_SOME = "a quarter of the texts"
_ROWS, _AT_ONCE = 64, 8  # rows of a step that encodes every occurrence, and of one pass
_EVERY = 3  # turns between two of its steps, which take long

Options = dict[str, Any]
Change = Callable[[Options], None]


@dataclass
class Sides:
    """The timed steps of each side, by name, in the order of a turn.

    Args:
        steps: The step of each side.
        dtype: The fast type, of the sides whose name says so.
        work: Useful floating-point operations of a turn's step, by the turn's number.
        machine: Measures the rate of matrix products now, in the fast type and the shapes of ``shapes``.
        shapes: The name of that row.
    """

    steps: dict[str, Step]
    dtype: torch.dtype
    work: Callable[[int], float]
    machine: Callable[[], float]
    shapes: str = "matmul"
    rates: dict[str, list[float]] = field(default_factory=dict)

    def take_turns(self, turns: int) -> None:
        """Time every side once a turn; the first step of each pays for allocations and is not counted."""
        for name, step in self.steps.items():
            if name != "every occurrence":
                step()
        self.rates = {name: [] for name in (*self.steps, "matmul")}
        for turn in range(turns):
            for name, step in self.steps.items():
                if name != "every occurrence" or turn % _EVERY == 0:
                    self.rates[name].append(rate(step, 4 if name == "plain loop" else 1))
            self.rates["matmul"].append(self.machine())


def measure(data: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        data: Folder that holds ml-100k.
        quick: Three turns instead of ten.
    """
    started = time.perf_counter()
    turns = 3 if quick else 10
    sides = _sides(data / "ml-100k", turns)
    sides.take_turns(turns)
    return _rows(sides, time.perf_counter() - started)


def _rows(sides: Sides, seconds: float) -> list[dict[str, Any]]:
    rates, fast = sides.rates, _fast(sides.dtype)
    mixed = "interactions/s" if sides.dtype == torch.float32 else "interactions/s, bf16"

    def ratios(one: str, other: str, every: int = 1) -> list[float]:
        return [a / b for a, b in zip(rates[one][::every], rates[other], strict=True)]

    def shares(name: str) -> list[float]:
        # operations a second follow from rows a second, the batch's rows and its useful work
        done = [each * sides.work(turn) for turn, each in enumerate(rates[name])]
        return [a / b for a, b in zip(done, rates["matmul"], strict=True)]

    shown = [
        ("lit_rec", "interactions/s", rates["lit_rec"]),
        ("plain loop", "interactions/s", rates["plain loop"]),
        ("lit_rec / plain loop", "ratio", ratios("lit_rec", "plain loop")),
    ]
    if fast != "lit_rec":
        shown += [
            ("lit_rec", mixed, rates[fast]),
            (f"{fast} / plain loop", "ratio", ratios(fast, "plain loop")),
        ]
    return [
        row(name, metric, values, seconds)
        for name, metric, values in (
            *shown,
            (_SOME, mixed, rates[_SOME]),
            (f"{_SOME} / plain loop", "ratio", ratios(_SOME, "plain loop")),
            ("every occurrence", mixed, rates["every occurrence"]),
            ("lit_rec / every occurrence", "ratio", ratios(fast, "every occurrence", _EVERY)),
            (sides.shapes, "GFLOP/s", [each / 1e9 for each in rates["matmul"]]),
            ("step / matmul", "share", shares(fast)),
            ("step with recompute / matmul", "share", shares("recompute")),
            (f"top {_TOP} layers", "interactions/s", rates["top layers"]),
            (f"top {_TOP} layers / full tuning", "ratio", ratios("top layers", "lit_rec")),
        )
    ]


def _sides(folder: Path, turns: int) -> Sides:
    data, module = _configured(folder)
    batches = list(islice(data.train_dataloader(), turns + 1))
    config, encoder = module.built().backbone.config, module.built().item_encoder
    tokens = encoder.max_tokens_per_chunk
    dtype = fast_dtype(config, tokens)
    steps = {
        "lit_rec": network_steps(module, cycle(batches)),
        "plain loop": PlainLoop(data).step,
        "recompute": network_steps(_configured(folder, _recompute)[1], cycle(batches), dtype),
        _SOME: network_steps(_configured(folder, learn_from_a_quarter)[1], cycle(batches), dtype),
        "top layers": network_steps(_top_layers(folder), cycle(batches)),
        "every occurrence": _every_occurrence(folder, dtype),
    }
    if dtype != torch.float32:
        steps[_fast(dtype)] = network_steps(module, cycle(batches), dtype)
    added = len(encoder.special.prefix) + len(encoder.special.suffix)

    def work(turn: int) -> float:
        batch = batches[(turn + 1) % len(batches)]  # the first batch was not counted
        return useful_flops(batch.texts.offsets.diff() + added, config) / len(batch)

    name = str(dtype).removeprefix("torch.")
    shapes = (
        f"matmul, {name}, {tokens:,} tokens of {config.hidden_size} and {config.intermediate_size}"
    )
    return Sides(steps, dtype, work, lambda: matmul_rate(config, tokens, dtype), shapes)


def _fast(dtype: torch.dtype) -> str:
    """Return the name of lit_rec's side in the fast type."""
    return "lit_rec" if dtype == torch.float32 else "lit_rec, bf16"


def _configured(folder: Path, change: Change | None = None) -> tuple[BehaviorDataModule, LitRec]:
    def tuned(content: Options) -> None:
        tune_whole_encoder(content)
        if change is not None:
            change(content)

    return configured(_CONFIG, folder, tuned)


def _recompute(content: Options) -> None:
    item_encoder(content)["recompute"] = True


def _top_layers(folder: Path) -> LitRec:
    """Return a module with the output of its lower layers cached."""

    def change(content: Options) -> None:
        tuning = {"class_path": "TopLayersTuning", "init_args": {"layers": _TOP}}
        item_encoder(content)["backbone"]["init_args"]["tuning"] = tuning

    data, module = _configured(folder, change)
    encode_frozen_texts(module.built(), data, module.device, None)
    return module


def _every_occurrence(folder: Path, dtype: torch.dtype) -> Step:
    def change(content: Options) -> None:
        content["data"]["init_args"]["batch_size"] = _AT_ONCE

    data, module = _configured(folder, change)

    def batches() -> Iterator[RecBatch]:
        while True:
            yield from (unshared(batch, data.catalogue) for batch in data.train_dataloader())

    return network_steps(module, batches(), dtype, parts=_ROWS // _AT_ONCE)
