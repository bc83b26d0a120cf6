"""Strategies of a run: each process has the whole network."""

from __future__ import annotations

import lightning
from lightning.pytorch.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy

from lit_rec.errors import ConfigError

_SHARDED = (DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy)


def check_strategy(trainer: lightning.Trainer) -> None:
    """Refuse a strategy that divides the weights among processes.

    Which weights decay is told by their shape, and the catalogue is encoded between training steps: both need whole weights, and would
    go wrong or wait for ever without them.

    Raises:
        ConfigError: If the weights would be divided.
    """
    if isinstance(trainer.strategy, _SHARDED):
        raise ConfigError(
            f"{type(trainer.strategy).__name__} divides the weights among processes",
            where="trainer.strategy",
            rule="auto or ddp: each process has the whole network",
            remedy="take ddp; where memory is short, lower max_tokens_per_chunk or set recompute: true",
        )
