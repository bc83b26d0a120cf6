"""A checkpoint whose adapters are merged into its encoder: it needs no peft, and its encoder is a plain one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lit_rec.data.facts import Facts
from lit_rec.inference.stored.network import module_of
from lit_rec.models.networks.network import Network
from lit_rec.models.text.adapters.merging import has_adapters, merge_adapters
from lit_rec.models.text.tuning import FrozenTuning
from lit_rec.training.checkpoint.content import KEY
from lit_rec.vectors.fingerprint import fingerprint_of

_TUNING = {"class_path": f"{FrozenTuning.__module__}.{FrozenTuning.__name__}"}
_PREFIX = "network."


def merged_checkpoint(
    checkpoint: dict[str, Any],
    path: str | Path,
    network: Callable[[Facts], Network] | None = None,
    trust: str | Sequence[str] = (),
) -> dict[str, Any]:
    """Return a checkpoint with its adapters merged; the same one if it has none.

    The merged checkpoint has the configuration of ``FrozenTuning``.

    Args:
        checkpoint: The result of ``read_checkpoint``.
        path: The file that it is from.
        network: The network's factory, if the checkpoint is of a run without a YAML; the merged checkpoint then needs
            one with ``FrozenTuning``.
        trust: Your own modules that the checkpoint may name.

    Raises:
        CheckpointError: As ``load_module`` does.
        UnmergeableError: If the method of peft cannot be merged.
    """
    content = checkpoint[KEY]
    if not has_adapters(checkpoint["state_dict"]):
        return checkpoint
    module = module_of(checkpoint, path, network, trust)
    backbone = module.built().backbone
    if backbone is None:
        return checkpoint
    merge_adapters(backbone.model)
    weights = {name: weight.detach() for name, weight in module.state_dict().items()}
    catalogue = {name: value for name, value in content["catalogue"].items() if name != "maker"}
    content = {**content, "config": _frozen(content["config"]), "catalogue": catalogue}
    found = {**checkpoint, "state_dict": weights, KEY: content}
    if network is None and catalogue["vectors"] is not None:
        # the network that loads it: of other parts, with other weights
        plain = module_of(found, path, None, trust).built()
        own = {n.removeprefix(_PREFIX): w for n, w in weights.items() if n.startswith(_PREFIX)}
        catalogue["maker"] = fingerprint_of(plain, own)
    return found


def _frozen(part: Any) -> Any:
    """Return a configuration in which each tuning is ``FrozenTuning``."""
    if isinstance(part, list | tuple):
        return [_frozen(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    return {
        name: dict(_TUNING)
        if name == "tuning" and isinstance(value, Mapping) and "class_path" in value
        else _frozen(value)
        for name, value in part.items()
    }
