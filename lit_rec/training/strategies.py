"""Strategies of a run: each process has the whole network."""

from __future__ import annotations

import lightning
from lightning.pytorch.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy

from lit_rec.errors import ConfigError

_SHARDED = (DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy)


def check_strategy(trainer: lightning.Trainer) -> None:
    """Refuse a strategy that divides the weights among processes.

    FSDP and DeepSpeed lay weights out flat, but which of them decay is told by their shape. ``fully_shard`` keeps shapes, but takes no
    parameter without a dimension, and a norm of gradients cannot be taken over divided and whole weights together. All of them wait for
    ever where processes call the encoder unequally often, as they do: their batches hold different texts, and in evaluation there
    are different numbers of batches.

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
