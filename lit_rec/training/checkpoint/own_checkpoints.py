"""A LightningModule whose checkpoints Lightning itself does not open."""

from __future__ import annotations

from typing import Any, NoReturn

import lightning

from lit_rec.errors import ConfigError


class OwnCheckpoints(lightning.LightningModule):
    """Refuse ``load_from_checkpoint``, which builds whatever the ``hyper_parameters`` of a file name, from anybody."""

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
            remedy="lit_rec.inference.stored.loading.load_module(path), or Recommender.from_checkpoint(path)",
        )
