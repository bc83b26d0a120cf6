"""How long configs/movielens_u1.yaml takes to reach two validation RMSEs: tools/benchmark speed reach.

It is compared with an epoch of a plain loop. The whole encoder is tuned, through a quarter of a step's texts; 1,520
rows a step, items drawn together.

`lit-rec`'s side is `Trainer.fit` with the YAML's options, including its probe of the precision, validated every few
steps and stopped when `val/rmse` is low enough. Its minutes count from the call until then, validations included. The
plain loop (plain_loop.py) is timed step by step in this run, which gives the minutes of its epoch, without validation
and loading.

The first error to reach is that of `user_item_bias` on the same validation rows, fitted on the same training rows; it
knows how each user rates and how each item is rated. The second is that of the plain loop after its epoch, if
`speed plain` has recorded it. The plain loop reads only titles and genres, no rating except its target and no id.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from lightning import Trainer, seed_everything
from lightning.pytorch.callbacks import Callback

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.prepared import Prepared
from lit_rec.evaluation.arrays import RaggedHistory, RatingRows
from lit_rec.evaluation.baselines.ratings import UserItemBiasBaseline
from lit_rec.training.precision import PrecisionProbe
from tools.benchmarks.own_process import row
from tools.benchmarks.speed.configured import configured, learn_from_a_quarter, tune_whole_encoder
from tools.benchmarks.speed.plain import RECORD
from tools.benchmarks.speed.plain_loop import PlainLoop
from tools.benchmarks.speed.training_steps import rate

_CONFIG = Path("configs/movielens_u1.yaml")
_STEPS = 8  # between two validations
_PLAIN = (5, 40)  # steps of the plain loop that are timed, quick and not


class Reached(Callback):
    """Record the time of the first validation whose RMSE is low enough, and stop at the lowest target.

    Args:
        targets: RMSEs to reach, by name.

    Attributes:
        minutes: Minutes until each target that was reached, by name.
    """

    def __init__(self, targets: dict[str, float]) -> None:
        self.targets = targets
        self.minutes: dict[str, float] = {}
        self.lowest = float("inf")
        self._started = 0.0

    def setup(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Look at the clock."""
        self.lowest = min(self.lowest, float(trainer.callback_metrics["val/rmse"]))
        for name, rmse in self.targets.items():
            if self.lowest <= rmse and name not in self.minutes:
                self.minutes[name] = (time.perf_counter() - self._started) / 60
        trainer.should_stop = len(self.minutes) == len(self.targets)


def measure(data: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        data: Folder that holds ml-100k.
        quick: Five steps of the plain loop instead of forty; the fit is the same.

    Raises:
        ValueError: If the fit ends before it reaches them.
    """
    started = time.perf_counter()
    options = yaml.safe_load(_CONFIG.read_text())
    seed_everything(options["seed_everything"], verbose=False)
    datamodule, module = configured(_CONFIG, data / "ml-100k", _fast)
    reached = Reached(_targets(datamodule))
    trainer = Trainer(
        max_epochs=options["trainer"]["max_epochs"],
        gradient_clip_val=options["trainer"]["gradient_clip_val"],
        num_sanity_val_steps=0,
        val_check_interval=_STEPS,
        check_val_every_n_epoch=None,
        callbacks=[PrecisionProbe(), reached],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        use_distributed_sampler=False,
    )
    trainer.fit(module, datamodule)
    if len(reached.minutes) < len(reached.targets):
        lowest = min(reached.targets.values())
        raise ValueError(f"val/rmse came to {reached.lowest:.4f}, not to {lowest:.4f}")
    plain = PlainLoop(datamodule).step
    plain()  # the first step pays for allocations
    rates = [rate(plain, 1) for _ in range(_PLAIN[not quick])]
    rows = len(datamodule.prepared.rows_of("train"))
    minutes = [rows / each / 60 for each in rates]
    seconds = time.perf_counter() - started
    found = [
        row("plain loop", "minutes of an epoch", minutes, seconds),
        row("lit_rec", "steps", [float(trainer.global_step)], seconds),
    ]
    for name, rmse in reached.targets.items():
        ours = reached.minutes[name]
        found += [
            row(
                f"lit_rec, to the error of {name}",
                f"minutes to val/rmse {rmse:.4f}",
                [ours],
                seconds,
            ),
            row(
                f"plain loop's epoch / lit_rec, to the error of {name}",
                "ratio",
                [each / ours for each in minutes],
                seconds,
            ),
        ]
    return found


def _fast(content: dict[str, Any]) -> None:
    tune_whole_encoder(content)
    learn_from_a_quarter(content)


def _targets(data: BehaviorDataModule) -> dict[str, float]:
    targets = {"user_item_bias": bias_rmse(data)}
    if RECORD.is_file():
        targets["the plain loop"] = float(json.loads(RECORD.read_text())["val_rmse"])
    return targets


def bias_rmse(data: BehaviorDataModule) -> float:
    """Return the RMSE of ``user_item_bias`` on the validation rows."""
    prepared, baseline = data.prepared, UserItemBiasBaseline()
    train, val = (_rows(prepared, part) for part in ("train", "val"))
    baseline.fit(train, len(prepared.user_ids), len(data.catalogue))
    nothing = RaggedHistory(np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0))
    error = baseline.predict(val.user, val.item, nothing) - val.rating
    return float(np.sqrt(np.mean(error**2)))


def _rows(prepared: Prepared, part: str) -> RatingRows:
    rows = prepared.rows_of(part)
    codes = (np.asarray(column[rows], np.int64) for column in (prepared.user, prepared.item))
    return RatingRows(*codes, np.asarray(prepared.rating[rows], np.float64))
