"""Data and model of one of the project's configurations, for tools/benchmark speed, which does not use the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser
from lightning import LightningDataModule

import lit_rec.cli.short_names  # noqa: F401  (imported classes can be named without their path)
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.training.lit_rec import LitRec


def configured(
    config: Path, folder: Path, change: Callable[[dict[str, Any]], None] | None = None
) -> tuple[BehaviorDataModule, LitRec]:
    """Return a configuration's data, prepared, and its module, built.

    Args:
        config: The YAML.
        folder: Folder of the reader's files.
        change: Changes the configuration first.
    """
    content = yaml.safe_load(config.read_text())
    options = content["data"]["init_args"]
    options["reader"]["init_args"]["folder"] = str(folder)
    item_encoder(content)["backbone"]["init_args"]["name"] = options[
        "encoder"
    ]  # the value of the interpolation
    if change is not None:
        change(content)
    parser = ArgumentParser()
    parser.add_subclass_arguments(LightningDataModule, "data")
    parser.add_class_arguments(LitRec, "model")
    made = parser.instantiate(
        parser.parse_object({"data": content["data"], "model": content["model"]})
    )
    made.data.prepare_data()
    made.model.facts = made.data.facts
    made.model.configure_model()
    return made.data, made.model


def item_encoder(content: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a configuration's item encoder, so that they can be changed."""
    found: dict[str, Any] = content["model"]["network"]["init_args"]["item_encoder"]["init_args"]
    return found


def learn_from_a_quarter(content: dict[str, Any]) -> None:
    """Send gradients back through a quarter of a step's texts."""
    item_encoder(content)["gradient_share"] = 0.25


def tune_whole_encoder(content: dict[str, Any]) -> None:
    """Train the whole encoder, in 50 steps per epoch of MovieLens 100K, with items drawn together for a batch's rows.

    Args:
        content: The configuration; it may freeze the encoder, have another number of steps and begin at a closed form.
    """
    without_closed_forms(content)
    item_encoder(content)["backbone"]["init_args"].pop("tuning", None)
    data = content["data"]["init_args"]
    data["batch_size"] = 1520
    # as good on validation rows as drawing half of the history for each row (docs/notes/speed.md)
    data["history"]["init_args"].update(together=True, keep=0.35)


def without_closed_forms(content: dict[str, Any]) -> None:
    """Let the network begin at its biases: what it may begin at is no part of what these benchmarks compare."""
    for part in ("start", "neighbors"):
        content["model"]["network"]["init_args"].pop(part, None)
