"""The refusal of variants of texts where no step would read them through the encoder."""

from __future__ import annotations

from typing import NoReturn

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.networks.network import Network
from lit_rec.vectors.frozen_texts import read_once


def refuse_cached_variants(network: Network, data: BehaviorDataModule) -> None:
    """Check that a training that has variants of texts reads them.

    Args:
        network: The network that will be trained.
        data: Its data.

    Raises:
        ConfigError: If no text is read, or what a frozen part of the encoder makes of the texts is cached: variants
            would not be in the cache, and cost in each step what caching saves.
    """
    if data.variants is None:
        return
    if network.backbone is None:
        _refuse(data, "of a network that reads no text", "use a network with a text encoder")
    if found := read_once(network, data):
        option, what = found
        _refuse(
            data,
            f"beside {what}",
            f"set {option} to 0, which lets each text pass all layers in each step",
        )


def _refuse(data: BehaviorDataModule, what: str, remedy: str) -> NoReturn:
    names = ", ".join(type(p).__name__ for p in data.augmentation if p.changes == "texts")
    option = option_of(data, "augmentation")
    raise ConfigError(
        f"variants of texts ({names}) {what}",
        where=option,
        rule="variants of texts pass the encoder in each step",
        remedy=f"{remedy}; or leave {names} out of {option}",
    )
