"""The LightningModules that LitRec is made from: they explain exhausted memory, and refuse Lightning's own loading."""

from __future__ import annotations

from typing import Any, NoReturn

import lightning
from torch import Tensor

from lit_rec.errors import ConfigError
from lit_rec.training.memory import explains_memory


class MemoryExplained(lightning.LightningModule):
    """A LightningModule whose transfer, backward pass and optimizer step explain how to avoid running out of memory."""

    # wrapped, not overridden by a new method: Lightning warns of such a transfer next to a datamodule
    transfer_batch_to_device = explains_memory(lightning.LightningModule.transfer_batch_to_device)

    @explains_memory
    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Go backward."""
        super().backward(loss, *args, **kwargs)

    @explains_memory
    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Step."""
        super().optimizer_step(*args, **kwargs)


class OwnCheckpoints(lightning.LightningModule):
    """A LightningModule without ``load_from_checkpoint``, which would import whatever an untrusted file names."""

    @classmethod
    def load_from_checkpoint(cls, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(
            "Lightning would build what the file names, and does not know its facts and vocabulary",
            where=f"{cls.__name__}.load_from_checkpoint",
            rule="a checkpoint of lit_rec is opened by lit_rec",
            remedy="lit_rec.inference.stored.network.load_module(path), or Recommender.from_checkpoint(path)",
        )
