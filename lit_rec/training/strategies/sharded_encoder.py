"""ShardedEncoder: a strategy that divides the encoder among processes; checks of other strategies."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import StochasticWeightAveraging, WeightAveraging
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import (
    DeepSpeedStrategy,
    FSDPStrategy,
    ModelParallelStrategy,
    Strategy,
    StrategyRegistry,
)

from lit_rec.errors import ConfigError, option_of
from lit_rec.models.networks.network import Network
from lit_rec.processes import whole
from lit_rec.training.strategies.sharding import (
    average_gradients,
    clip_norm,
    clip_value,
    part_like,
    parts_of_state,
    shard_encoder,
    whole_state,
)

_OTHERS = (DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy)


class ShardedEncoder(ModelParallelStrategy):
    """FSDP: each process has a part of the encoder's weights, gradients and optimizer states, and all other weights.

    The steps equal those of ``ddp``. Checkpoints are single files, from which any strategy can resume.

    Example:
        ``lit-rec fit -c configs/own_data.yaml --trainer.devices 2 --trainer.strategy sharded_encoder``
    """

    def __init__(self) -> None:
        super().__init__(save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        """Use all processes for the division."""
        self._data_parallel_size = self.num_nodes * self.num_processes
        self._tensor_parallel_size = 1
        super().setup_environment()
        # a process that ends with open process groups may abort
        atexit.register(_close_groups)

    def shard(self, network: Network) -> None:
        """Divide the network's encoder, once, before the optimizer is built."""
        shard_encoder(network, self.device_mesh["data_parallel"], self.root_device)

    def lightning_module_state_dict(self) -> dict[str, Any]:
        """Return the whole weights on the first process, nothing on the others."""
        gathered = ((name, whole(weight)) for name, weight in self._module().state_dict().items())
        return {name: weight for name, weight in gathered if self.is_global_zero}

    def optimizer_state(self, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
        """Return the whole state on the first process, nothing on the others."""
        inner = optimizer._optimizer if isinstance(optimizer, LightningOptimizer) else optimizer
        state = whole_state(inner)
        return state if self.is_global_zero else {}

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> Any:
        """Read the whole file on each process."""
        return Strategy.load_checkpoint(self, checkpoint_path, weights_only)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        """Load this process's parts of the weights."""
        module = self._module()
        own = module.state_dict()
        parts = {
            name: part_like(weight, own[name]) if name in own else weight
            for name, weight in checkpoint["state_dict"].items()
        }
        module.load_state_dict(parts, strict=strict)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        """Load this process's parts of the optimizer's state."""
        states = zip(checkpoint["optimizer_states"], self.optimizers, strict=True)
        parts = [parts_of_state(state, optimizer) for state, optimizer in states]
        Strategy.load_optimizer_state_dict(self, {"optimizer_states": parts})

    @property
    def lightning_restore_optimizer(self) -> bool:
        """Whether Lightning passes the optimizer's state on: yes, that of a whole network."""
        return True

    def _module(self) -> lightning.LightningModule:
        if self.lightning_module is None:
            raise ValueError("there is no module before the strategy is connected")
        return self.lightning_module


StrategyRegistry.register(
    "sharded_encoder", ShardedEncoder, description="FSDP of the encoder, all else whole"
)


def check_strategy(trainer: lightning.Trainer) -> None:
    """Refuse other strategies that divide weights, and options that ``ShardedEncoder`` does not support.

    Lightning's FSDP and DeepSpeed flatten weights, but their shape decides which of them have weight decay. Both would
    hang if processes call the encoder unequally often, which happens because their batches hold different texts.

    Raises:
        ConfigError: If another strategy divides the weights, or weights are averaged, or each process scales its loss.
    """
    strategy = trainer.strategy
    if isinstance(strategy, ShardedEncoder):
        _check_options(trainer)
    elif isinstance(strategy, _OTHERS):
        raise ConfigError(
            f"{type(strategy).__name__} divides the weights among processes",
            where=option_of("Trainer", "strategy"),
            rule="auto or ddp, where each process has the whole network, or sharded_encoder (FSDP)",
            remedy="take ddp where the encoder fits, else sharded_encoder",
        )


def _check_options(trainer: lightning.Trainer) -> None:
    if str(trainer.precision) == "16-mixed":
        raise ConfigError(
            "16-mixed looks for overflow in each process's part alone, "
            "so that one would take a step that another leaves out",
            where=option_of("Trainer", "precision"),
            rule="32-true or bf16-mixed with sharded_encoder",
            remedy="set Trainer.precision to bf16-mixed",
        )
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, WeightAveraging | StochasticWeightAveraging):
            raise ConfigError(
                f"{type(callback).__name__} copies the network, but no process has all of it",
                where=option_of("Trainer", "callbacks"),
                rule="no averaged weights with sharded_encoder",
                remedy="leave it out, or take ddp",
            )


def shard(network: Network, trainer: lightning.Trainer | None) -> None:
    """Divide a new network if the Trainer's strategy does."""
    if trainer is not None and isinstance(trainer.strategy, ShardedEncoder):
        trainer.strategy.shard(network)


def reduce_gradients(trainer: lightning.Trainer, optimizer: torch.optim.Optimizer) -> None:
    """Average over processes the gradients that the Trainer's strategy does not average itself."""
    if isinstance(trainer.strategy, ShardedEncoder):
        average_gradients(optimizer)


def clip_gradients(
    module: lightning.LightningModule,
    optimizer: torch.optim.Optimizer,
    gradient_clip_val: float | None = None,
    gradient_clip_algorithm: str | None = None,
) -> None:
    """Clip gradients as the Trainer's options say, also where they are divided among processes.

    Called from a LightningModule's ``configure_gradient_clipping``.
    """
    if not isinstance(module.trainer.strategy, ShardedEncoder):
        module.clip_gradients(
            optimizer,
            gradient_clip_val=gradient_clip_val,
            gradient_clip_algorithm=gradient_clip_algorithm,
        )
    elif gradient_clip_val:
        clip = clip_value if gradient_clip_algorithm == "value" else clip_norm
        clip(optimizer, gradient_clip_val)


def _close_groups() -> None:
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
