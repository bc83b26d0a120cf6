"""Which precisions are allowed; PrecisionProbe, which chooses bf16 if it is faster on this machine, else float32."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.plugins import MixedPrecision
from lightning.pytorch.utilities import rank_zero_info

from lit_rec.data.batches.batch import RecBatch, TextChunk
from lit_rec.errors import ConfigError, option_of

_TEXTS = 128  # enough for a steady rate, little enough to cost less than a second
_FEW = 16  # texts that show whether a machine computes bfloat16 or imitates it, fifty times slower
_IMITATED = 4
_PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")


def check_precision(trainer: lightning.Trainer) -> None:
    """Check that the Trainer keeps weights and batches in float32: only the encoder runs in other precisions.

    Raises:
        ConfigError: If it would convert them.
    """
    if str(trainer.precision) not in _PRECISIONS:
        raise ConfigError(
            f"'{trainer.precision}' would have all of the model in it",
            where=option_of("Trainer", "precision"),
            rule=f"one of {', '.join(_PRECISIONS)}: similarities, losses and metrics need float32",
            remedy="set Trainer.precision to bf16-mixed for speed, or leave it out",
        )


class PrecisionProbe(Callback):
    """Time the encoder in float32 and in bf16-mixed before training, and use the faster one.

    The forward and backward pass on texts of the data are timed. bf16 is used if it takes less than 0.9 of the time, so
    that noise does not decide a tie. If bf16 takes four times as long for a few texts, no more are timed. With several
    processes, the first decides for all. A resumed run has the precision that it began with. If a run must be
    reproducible bit by bit, leave this callback out and set the Trainer's precision. Does nothing if the Trainer's
    precision is not the default ``32-true``.

    Reference:
        Kalamkar et al. 2019, A study of BFLOAT16 for deep learning training, https://arxiv.org/abs/1905.12322.

    Example:
        >>> probe = PrecisionProbe()  # among the callbacks of a Trainer
        >>> probe.load_state_dict({"mixed": True})  # of a resumed run that had chosen bf16
        >>> probe.state_dict()
        {'mixed': True}
    """

    def __init__(self) -> None:
        self._mixed: bool | None = None

    def state_dict(self) -> dict[str, bool | None]:
        """Return the choice."""
        return {"mixed": self._mixed}

    def load_state_dict(self, state_dict: dict[str, bool | None]) -> None:
        """Restore the choice."""
        self._mixed = state_dict["mixed"]

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Probe and choose."""
        if str(trainer.precision) != "32-true":
            return
        if self._mixed is None:
            self._mixed = self._probe(trainer, pl_module)
        if self._mixed:
            device = pl_module.device.type
            trainer.strategy.precision_plugin = MixedPrecision("bf16-mixed", device)

    def _probe(self, trainer: lightning.Trainer, pl_module: Any) -> bool:
        backbone = pl_module.network.backbone
        if backbone is None:
            return False
        batch: RecBatch = next(iter(trainer.datamodule.train_dataloader()))  # type: ignore[attr-defined]
        texts = batch.texts.to(pl_module.device)
        chunk = next(texts.chunks(_TEXTS * 32, pl_module.facts.special))
        frozen = not any(p.requires_grad for p in backbone.parameters())
        device = pl_module.device.type

        few = TextChunk(chunk.input_ids[-_FEW:], chunk.mask[-_FEW:], chunk.text_index[-_FEW:])

        def seconds(enabled: bool, some: TextChunk, repeats: int) -> float:
            def work() -> None:
                with torch.autocast(device, torch.bfloat16, enabled=enabled):
                    out = backbone(some).sum()
                if not frozen:
                    out.backward()

            return _fastest(work, pl_module.device, repeats)

        with torch.random.fork_rng():
            plain, mixed = seconds(False, few, 1), seconds(True, few, 1)
            if mixed < _IMITATED * plain:
                plain, mixed = seconds(False, chunk, 3), seconds(True, chunk, 3)
        pl_module.zero_grad(set_to_none=True)
        faster: bool = trainer.strategy.broadcast(mixed < 0.9 * plain)
        rank_zero_info(
            f"precision: bf16-mixed takes {mixed / plain:.2f} of float32's time here; "
            f"{'bf16-mixed' if faster else 'float32'} is used"
        )
        return faster


def _fastest(work: Callable[[], None], device: torch.device, repeats: int) -> float:
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - start)
    return min(times[1:])
