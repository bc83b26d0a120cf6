"""Fingerprints of an encoder: a hash of its weights, its parts and their code."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from lit_rec import __version__
from lit_rec.files.cache import hash_of, hash_of_files
from lit_rec.models.text.backbone import Backbone
from lit_rec.processes import whole


def fingerprint_of(network: nn.Module, weights: Mapping[str, Tensor]) -> str:
    """Return a hash of every byte of the weights, and of the network's parts, their options and their code.

    An encoder's pooler is left out: vectors do not depend on it, and a folder without its weights gets others each
    time that it is loaded.

    Args:
        network: The network, or the part of it that encodes.
        weights: Its ``state_dict``, or a saved one; if weights are divided, every process calls this.
    """
    parts: list[Any] = []
    classes: set[type] = set()
    for name, part in network.named_modules():
        kind = _class_of(part)
        classes.update(kind.__mro__)
        # parts of transformers are described by the encoder's configuration
        options = {} if _is_of_transformers(kind) else vars(part)
        plain = {key: repr(value) for key, value in options.items() if _is_option(key, value)}
        parts.append([name, f"{kind.__module__}.{kind.__qualname__}", plain])
    computed = {name: buffer for name, buffer in network.named_buffers() if name not in weights}
    unused = tuple(_poolers(network))
    used = {name: weight for name, weight in weights.items() if not name.startswith(unused)}
    return hash_of(
        {
            "weights": weights_hash(used),
            "computed": weights_hash(computed),
            "parts": parts,
            "code": [__version__, *hash_of_files(_files(classes))],
            "encoder": _configuration(network),
        }
    )


def weights_key(weights: Mapping[str, Tensor]) -> tuple[float, ...]:
    """Return a short key of these weights, unlike that of any other state: the sum and the norm of each tensor.

    Example:
        >>> weights_key({"a": torch.tensor([3.0, 4.0])})
        (7.0, 5.0)
    """
    # divided weights of a checkpoint are gathered on the CPU; another device would sum in another order
    divided = any(isinstance(weight, DTensor) for weight in weights.values())
    known = ((whole(weight) if divided else weight.detach()).float() for weight in weights.values())
    sums = [part for weight in known for part in (weight.sum(), weight.norm())]
    return tuple(torch.stack(sums).tolist()) if sums else ()


def weights_hash(weights: Mapping[str, Tensor]) -> str:
    """Return a hash of every bit of all weights, in any order of them; every process calls this.

    Example:
        >>> weights_hash({"a": torch.zeros(2)}) == weights_hash({"a": torch.zeros(3)})
        False
    """
    found = hashlib.sha256()
    for name in sorted(weights):
        numbers = whole(weights[name])
        found.update(f"{name} {numbers.dtype} {tuple(numbers.shape)}".encode())
        found.update(numbers.contiguous().view(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def place_of(device: torch.device) -> list[str]:
    """Return what else the last digits of a vector depend on: device, precision, versions."""
    precision = torch.get_float32_matmul_precision()
    return [device.type, precision, torch.__version__, transformers.__version__]


def _class_of(part: nn.Module) -> type:
    """Return the class of a part; FSDP puts another class before that of a divided part."""
    kind = type(part)
    return kind.__mro__[2] if isinstance(part, FSDPModule) else kind


def _is_of_transformers(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "transformers"


def _is_option(name: str, value: object) -> bool:
    if name.startswith("_") or name == "training":
        return False
    return isinstance(value, bool | int | float | str | tuple | list) or is_dataclass(value)


def _poolers(network: nn.Module) -> Iterator[str]:
    """Yield the beginning of the names of each pooler's weights."""
    for name, part in network.named_modules():
        if isinstance(part, Backbone) and part.has_pooler:
            yield f"{name}.model.pooler.".lstrip(".")


def _files(classes: Iterable[type]) -> list[Path]:
    files = set()
    for kind in classes:
        try:
            files.add(Path(inspect.getfile(kind)))
        except (TypeError, OSError):  # built in, or typed into a console
            continue
    return sorted(path for path in files if path.is_file())


def _configuration(network: nn.Module) -> dict[str, Any] | None:
    backbone = next((part for part in network.modules() if isinstance(part, Backbone)), None)
    if backbone is None:
        return None
    # its origin and versions do not change its vectors
    named = ("_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures")
    plain = backbone.config_plain()
    return {name: value for name, value in plain.items() if name not in named}
