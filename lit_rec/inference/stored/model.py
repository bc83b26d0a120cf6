"""StoredModel: a checkpoint's network without Lightning, which takes seconds to import."""

from __future__ import annotations

from argparse import ArgumentError
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, Self

import torch
from jsonargparse import ArgumentParser, set_parsing_settings
from torch import Tensor, nn

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.facts import Facts
from lit_rec.errors import LitRecError
from lit_rec.inference.stored.late_backbone import LateBackbone
from lit_rec.models.networks.network import Network
from lit_rec.training.checkpoint.content import KEY, facts_of
from lit_rec.training.checkpoint.network import StoredShapes, check_stored
from lit_rec.training.checkpoint.trusted_classes import check_network
from lit_rec.training.memory import explains_memory
from lit_rec.vectors.encode import item_table

_BACKBONE = "network.item_encoder.backbone."
_LATE = f"{LateBackbone.__module__}.{LateBackbone.__name__}"
_OWN = ("lit_rec.", "torch.optim.")


class BuiltModule(Protocol):
    """What answers need of a module: its network, its device, and vectors of items. LitRec and StoredModel have it."""

    def built(self) -> Any:
        """Return the network."""

    def item_table(self, catalogue: Catalogue, rows: Int64s | None = None) -> Tensor:
        """Encode the catalogue, or some rows ``[n]``: ``[n, D]``."""

    @property
    def device(self) -> torch.device:
        """Where the network is."""

    def eval(self) -> Any:
        """Set evaluation mode."""

    def to(self, device: Any) -> Any:
        """Move the network."""


class StoredModel(nn.Module):
    """A checkpoint's network, in evaluation mode.

    Args:
        network: The network with its weights.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("_place", torch.empty(0), persistent=False)
        self.eval()

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        place: Tensor = self._place  # type: ignore[assignment]
        return place.device

    def built(self) -> Network:
        """Return the network."""
        return self.network

    @explains_memory
    def item_table(self, catalogue: Catalogue, rows: Int64s | None = None) -> Tensor:
        """Encode the catalogue, or some rows ``[n]``, in evaluation mode: ``[n, D]`` float32 on this device."""
        return item_table(self.network, catalogue, self.device, None, rows)

    @classmethod
    def of(cls, checkpoint: dict[str, Any], where: str) -> Self | None:
        """Return the model of a checkpoint; None if ``load_module`` has to build it.

        Only networks of lit_rec's own parts are built here. Whatever is unusual about a checkpoint is left to
        ``load_module``, which checks all of it and says what is wrong.

        Args:
            checkpoint: The result of ``read_checkpoint``.
            where: What it is called in errors.
        """
        config = checkpoint[KEY]["config"]
        stored = config.get("model") if isinstance(config, Mapping) else None
        options = dict(stored) if isinstance(stored, Mapping) else {}
        network = options.pop("network", None)
        try:
            usual = (
                isinstance(network, Mapping) and _is_plain(options) and _only_network(checkpoint)
            )
            return cls._built(checkpoint, network, where) if usual else None
        except (LitRecError, ArgumentError, KeyError, TypeError, RecursionError):
            return None

    @classmethod
    def _built(cls, checkpoint: dict[str, Any], spec: Any, where: str) -> Self:
        check_network(spec, where)
        content, weights = checkpoint[KEY], checkpoint["state_dict"]
        facts = facts_of(content)
        late = _encodes_late(content, facts, spec)
        if late:
            spec = _with_late_backbone(spec)
            encoder = {n: w for n, w in weights.items() if n.startswith(_BACKBONE)}
            weights = {n: w for n, w in weights.items() if n not in encoder}
        rest = {**checkpoint, "state_dict": weights}
        model = cls(StoredShapes.of(rest, where).build_at_once(partial(_factory(spec), facts)))
        check_stored(rest, model, where)
        model.load_state_dict(weights)
        if late and isinstance(backbone := model.network.backbone, LateBackbone):
            backbone.load_later({n.removeprefix(_BACKBONE): w for n, w in encoder.items()}, where)
        return model


def _only_network(checkpoint: Mapping[str, Any]) -> bool:
    return all(str(name).startswith("network.") for name in checkpoint["state_dict"])


def _is_plain(value: Any) -> bool:
    """Return whether an option that answers do not need holds plain values, or a class of lit_rec or torch.optim.

    Anything else is left to the full check of names.
    """
    if isinstance(value, str):
        return value.isidentifier()
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if not isinstance(value, Mapping):
        return value is None or isinstance(value, bool | int | float)
    named = str(value.get("class_path", _OWN[0]))
    others = [entry for name, entry in value.items() if name != "class_path"]
    return (
        named.startswith(_OWN) and all(map(_is_identifier, value)) and all(map(_is_plain, others))
    )


def _is_identifier(name: object) -> bool:
    # a.b: a parser would look for b within a
    return isinstance(name, str) and name.isidentifier()


def _encodes_late(content: Mapping[str, Any], facts: Facts, spec: Any) -> bool:
    """Return whether answers by ids need no encoder: the catalogue's vectors are stored, and profiles have no texts."""
    own = isinstance(spec["init_args"].get("item_encoder"), Mapping)
    encoder = spec["init_args"]["item_encoder"].get("init_args", {}) if own else {}
    known = facts.backbone is not None and {"hidden_size", "vocab_size"} <= facts.backbone.keys()
    stored = content["catalogue"]["vectors"] is not None
    return stored and known and not facts.profile_texts and "backbone" in encoder


def _with_late_backbone(spec: Mapping[str, Any]) -> dict[str, Any]:
    options = spec["init_args"]
    encoder = options["item_encoder"]
    late = {"class_path": _LATE, "init_args": {"backbone": encoder["init_args"]["backbone"]}}
    encoder = {**encoder, "init_args": {**encoder["init_args"], "backbone": late}}
    return {**spec, "init_args": {**options, "item_encoder": encoder}}


def _factory(spec: Any) -> Callable[[Facts], Network]:
    # if an option takes any value, a mapping is data, also if it names classes
    set_parsing_settings(instantiate_subclass_spec_in_any=False)
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--network", type=Callable[[Facts], Network])
    options = parser.parse_object({"network": spec})
    factory: Callable[[Facts], Network] = parser.instantiate(options).network
    return factory
