"""Guard: the base of callbacks that take part in the passes of a training step, so that it overfits less."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import lightning
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.networks.network import Network
from lit_rec.models.text.adapters.layer_parts import is_linear
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.tuning import encoder_layers
from lit_rec.training.strategies.sharded_encoder import ShardedEncoder
from lit_rec.vectors.frozen_texts import read_once


class Guard(Callback):
    """A callback that changes batches or weights of training passes. Validation and everything after it is as without.

    Example:
        >>> class OneItem(Guard):
        ...     def changed(self, batch):
        ...         return batch  # what training sees instead
        >>> OneItem().state_key
        'OneItem'
    """

    adds_rows: ClassVar[bool] = False  # such guards change a batch before the others

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """Check the run, and take part in its steps."""
        self.check(trainer, pl_module.built())
        pl_module.guards.add(self)

    def teardown(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Take part no longer."""
        pl_module.guards.remove(self)

    def check(self, trainer: lightning.Trainer, network: Network) -> None:
        """Check the run, and prepare for it.

        Args:
            trainer: The Trainer, with its data.
            network: The network, with the weights that the run begins or goes on with.

        Raises:
            ConfigError: If this does not go together with another part.
        """

    def copied(self, network: Network) -> Iterable[Tensor]:
        """Return the weights of a network of which this stores a copy in checkpoints."""
        return ()

    def changed(self, batch: RecBatch) -> RecBatch:
        """Return what training sees instead of a batch."""
        return batch

    def before_pass(self) -> None:
        """Called before each pass of a training step; there may be several."""

    def after_backward(self) -> None:
        """Called after the last backward pass of a training step, and when training ends."""

    def after_step(self, step: int) -> None:
        """Called after each step of the optimizer, before a callback averages or saves the weights.

        Args:
            step: Its number, from 1.
        """


def trained_encoder(guard: object, network: Network) -> Backbone:
    """Return a network's encoder, of which something is trained.

    Args:
        guard: What needs it.
        network: The network.

    Raises:
        ConfigError: If there is no encoder, or it is frozen.
    """
    backbone = network.backbone
    if backbone is None or not any(p.requires_grad for p in backbone.parameters()):
        raise ConfigError(
            f"{type(guard).__name__} beside "
            + ("a network that reads no text" if backbone is None else "an encoder that is frozen"),
            where=type(guard).__name__,
            rule="an encoder of which something is trained",
            remedy=f"leave {type(guard).__name__} out"
            + ("" if backbone is None else f", or set {option_of('PretrainedBackbone', 'tuning')} to FullTuning"),
        )  # fmt: skip
    return backbone


def trained_matrices(guard: object, network: Network) -> dict[str, tuple[nn.Module, nn.Parameter]]:
    """Return the trained weights of linear maps in an encoder's layers by name, each with its module.

    Args:
        guard: What needs them.
        network: The network.

    Raises:
        ConfigError: If there are none, or the encoder's layers are not found.
    """
    backbone = trained_encoder(guard, network)
    try:
        inside = set(encoder_layers(backbone.model).modules())
    except ConfigError as error:
        raise ConfigError(
            error.problem,
            where=type(guard).__name__,
            rule="an encoder of a known structure, whose layers are found",
            remedy=f"leave {type(guard).__name__} out",
        ) from error
    found = {
        name: (module, module.weight)
        for name, module in backbone.named_modules()
        if module in inside and is_linear(module) and module.weight.requires_grad
    }
    if not found:
        raise ConfigError(
            f"{type(guard).__name__} beside a tuning that trains no linear map of the layers",
            where=type(guard).__name__,
            rule="trained matrices in the layers of the encoder",
            remedy=f"leave {type(guard).__name__} out, "
            f"or set {option_of('PretrainedBackbone', 'tuning')} to FullTuning",
        )
    return found


def refuse_sharded(guard: object, trainer: lightning.Trainer) -> None:
    """Refuse an encoder that is divided among processes.

    Raises:
        ConfigError: If it is.
    """
    if isinstance(trainer.strategy, ShardedEncoder):
        raise ConfigError(
            f"{type(guard).__name__} beside an encoder that is divided among processes",
            where=type(guard).__name__,
            rule="each process has the whole encoder",
            remedy=f"set {option_of('Trainer', 'strategy')} to ddp, or leave {type(guard).__name__} out",
        )


def refuse_cached_texts(guard: object, trainer: lightning.Trainer, network: Network) -> None:
    """Refuse texts that pass the encoder, or its frozen lower layers, only once before training.

    Raises:
        ConfigError: If they do.
    """
    if found := read_once(network, trainer.datamodule):  # type: ignore[attr-defined]
        option, what = found
        raise ConfigError(
            f"{type(guard).__name__} beside {what}",
            where=type(guard).__name__,
            rule="texts that pass all layers in each step",
            remedy=f"set {option} to 0, or leave {type(guard).__name__} out",
        )
