"""The encoder and the texts of a configuration: ``fit`` up to the data."""

from __future__ import annotations

from itertools import chain
from typing import Any

import lightning

from lit_rec.cli.check_cli import quiet
from lit_rec.cli.rec_cli import RecCLI
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.errors import ConfigError
from lit_rec.training.lit_rec import LitRec


class _DataCLI(RecCLI):
    """``fit`` with the same parser, model, data and Trainer, up to the data."""

    trains = False
    data: lightning.LightningDataModule

    def fit(self, model: LitRec, datamodule: lightning.LightningDataModule, **options: Any) -> None:
        """Replace ``Trainer.fit``, which LightningCLI would call."""
        self.data = datamodule
        if isinstance(datamodule, BehaviorDataModule):
            datamodule.prepare_data()


def encoder_and_texts(words: list[str]) -> tuple[str, list[str]]:
    """Return the name of the encoder, and all distinct texts of items and of users' profiles.

    Args:
        words: The options of ``fit``.

    Raises:
        LitRecError: If the data cannot be read.
    """
    with quiet():
        data = _DataCLI(["fit", *words]).data
    texts = texts_of(data)
    return str(data.encoder), texts  # type: ignore[attr-defined]


def texts_of(data: lightning.LightningDataModule) -> list[str]:
    """Return all distinct texts of items and of users' profiles.

    Args:
        data: The datamodule, its data prepared.

    Raises:
        ConfigError: If it is of another kind.
    """
    if not isinstance(data, BehaviorDataModule):
        raise ConfigError(
            f"{type(data).__name__} has no texts that can be listed",
            where="data.class_path",
            rule="BehaviorDataModule or a class made from it",
            remedy="in Python, give prune_encoder of lit_rec.export.pruning.pruned_encoder your texts",
        )
    prepared = data.prepared
    columns = chain(prepared.texts.iter_columns(), prepared.profiles.texts.iter_columns())
    return sorted({text for column in columns for text in column.to_list()})
