"""Figures of training: a few real steps of the real Trainer; nothing is stored."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, GradientAccumulationScheduler

from lit_rec.data.batches.collator import BatchRows
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.training.callbacks.finite_loss import FiniteLoss
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.precision import PrecisionProbe
from lit_rec.training.tuned.run_sizes import run_sizes

_STEPS = 5  # measured at most, after one step to warm up
_SECONDS = 15.0  # after so many seconds of measured steps no further one begins
_ITEMS, _ROWS = 256, 512  # samples from which an evaluation's time is estimated
# callbacks that change how a step works; other callbacks write, stop or show
_KEPT = (PrecisionProbe, FiniteLoss, GradientAccumulationScheduler)


class MeasuredError(Exception):
    """Ends the run: the measurement is complete."""


class StepClock(Callback):
    """Time whole steps, loading included, and estimate the rest of an epoch from them."""

    def __init__(self) -> None:
        self.figures: dict[str, Any] = {}
        self._ends: list[float] = []

    def on_train_epoch_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Start the clock."""
        if pl_module.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(pl_module.device)
        self._ends = [_now(pl_module.device)]

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Record the time, and end the run after enough steps.

        Raises:
            MeasuredError: After enough steps.
        """
        self._ends.append(_now(pl_module.device))
        measured = len(self._ends) - 2
        if measured >= _STEPS or (measured and self._ends[-1] - self._ends[1] > _SECONDS):
            self._finish(trainer, pl_module)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """End the run: the epoch has no more batches.

        Raises:
            MeasuredError: Always.
        """
        self._finish(trainer, pl_module)

    def _finish(self, trainer: lightning.Trainer, module: LitRec) -> None:
        seconds = np.diff(self._ends)
        measured = seconds[1:] if len(seconds) > 1 else seconds
        self.figures = {
            "device": str(module.device),
            "precision": str(trainer.precision_plugin.precision),
            "steps_measured": len(measured),
            "step_seconds": float(np.median(measured)),
            "steps_per_epoch": int(trainer.num_training_batches),
            "peak_memory_bytes": peak_memory(module.device),
            "validation_seconds": evaluation_seconds(module, trainer.datamodule),  # type: ignore[attr-defined]
            **_until_the_end(trainer),
        }
        step, epoch = self.figures["step_seconds"], self.figures["validation_seconds"]
        if self.figures["steps"] is not None:
            total = self.figures["steps"] * step + self.figures["epochs"] * epoch
            self.figures["minutes"] = total / 60
        raise MeasuredError


def step_figures(
    trainer: lightning.Trainer, module: LitRec, data: BehaviorDataModule, options: dict[str, Any]
) -> dict[str, Any]:
    """Train for some steps without writing files, and return figures; empty where a resumed run has no step left.

    Args:
        trainer: The Trainer that would train; it cannot be used afterwards.
        module: The model; its weights change.
        data: The data.
        options: Other arguments of ``Trainer.fit``, such as a checkpoint to resume from.

    Raises:
        LitRecError: As training would.
    """
    clock = StepClock()
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    callbacks[:] = [*(c for c in callbacks if isinstance(c, _KEPT)), clock]
    trainer.loggers = []
    trainer.limit_val_batches = 0  # the catalogue may be large
    trainer.num_sanity_val_steps = 0
    with suppress(MeasuredError):
        trainer.fit(module, datamodule=data, **options)
    return clock.figures


def parameter_figures(
    module: LitRec, data: BehaviorDataModule, callbacks: Iterable[Callback]
) -> dict[str, int | None]:
    """Count the parameters and those that are trained, and the bytes of optimizer and checkpoint.

    Args:
        module: The model, built.
        data: The data.
        callbacks: Of the Trainer that would train.
    """
    sizes = run_sizes(module, data, callbacks)
    network = module.built()
    backbone = [] if network.backbone is None else list(network.backbone.parameters())
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "trained": sum(p.numel() for p in network.parameters() if p.requires_grad),
        "encoder": sum(p.numel() for p in backbone),
        "encoder_trained": sum(p.numel() for p in backbone if p.requires_grad),
        "optimizer_bytes": sizes.optimizer,
        "checkpoint_bytes": sizes.checkpoint,
    }


def _until_the_end(trainer: lightning.Trainer) -> dict[str, Any]:
    """Return the batches and epochs of a whole run; None where no end is set."""
    per_epoch = trainer.num_training_batches
    epochs = trainer.max_epochs
    batches = math.inf if epochs is None or epochs < 0 else per_epoch * epochs
    if trainer.max_steps >= 0:
        batches = min(batches, trainer.max_steps * trainer.accumulate_grad_batches)
    if math.isinf(batches):
        return {"steps": None, "epochs": None, "minutes": None}
    return {"steps": int(batches), "epochs": batches / per_epoch, "minutes": None}


@torch.no_grad()
def evaluation_seconds(module: LitRec, data: BehaviorDataModule) -> float:
    """Estimate the seconds of a pass over the validation rows from a few items and rows.

    A pass encodes the catalogue once and scores every row.
    """
    network, device = module.built().eval(), module.device
    rows = data.predicted_rows("val")
    chosen = rows[:: max(len(rows) // _ROWS, 1)][:_ROWS]
    share = len(rows) / len(chosen)
    batch = data.collator(with_texts=not network.has_item_table)(BatchRows(chosen)).to(device)
    if not network.has_item_table:
        start = _now(device)
        network(batch)
        seconds = share * (_now(device) - start)
    else:
        catalogue = data.catalogue
        codes = np.arange(0, len(catalogue), max(len(catalogue) // _ITEMS, 1))[:_ITEMS]
        texts, items = catalogue.take(codes)
        start = _now(device)
        vectors = network.encode_items(texts.to(device), items.to(device))
        encoded = _now(device)
        # the time does not depend on the vectors' values
        vectors = vectors[batch.items.catalogue_row % len(vectors)]
        network.score(network.encode_users(vectors, batch), vectors, batch)
        seconds = (encoded - start) * len(catalogue) / len(codes)
        seconds += (_now(device) - encoded) * share
    network.train()
    return seconds


def peak_memory(device: torch.device) -> int | None:
    """Return the peak memory in bytes: of the GPU, else of this process so far; None where it is unknown."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource  # noqa: PLC0415  (not everywhere)
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
