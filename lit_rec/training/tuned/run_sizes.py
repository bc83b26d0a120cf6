"""How large a run's optimizer and checkpoints will be, before its first step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint, WeightAveraging
from torch import Tensor, nn

from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.models.networks.network import ItemNetwork
from lit_rec.training.checkpoint.base_weights import left_out
from lit_rec.training.guards.guard import Guard


@dataclass(frozen=True)
class RunSizes:
    """Bytes that a run needs.

    Args:
        optimizer: Of the optimizer's state, all processes together; None where the optimizer does not tell.
        checkpoint: Of a checkpoint, about.

    Example:
        >>> RunSizes(2_700_000, 95_300_000).line(331_776, 22_713_216)
        '1.46 % are trained; optimizer state 2.7 MB, a checkpoint about 95.3 MB'
    """

    optimizer: int | None
    checkpoint: int

    def line(self, trained: int, parameters: int) -> str:
        """Return the sizes as a line, with the share of trained parameters."""
        state = "" if self.optimizer is None else f"optimizer state {_size(self.optimizer)}, "
        share = 100 * trained / max(parameters, 1)
        return f"{share:.3g} % are trained; {state}a checkpoint about {_size(self.checkpoint)}"


def run_sizes(module: Any, data: Any, callbacks: Iterable[Callback]) -> RunSizes:
    """Return the sizes of a run.

    Args:
        module: The ``LitRec``, whose network is built.
        data: The run's datamodule, with its data prepared.
        callbacks: The Trainer's.
    """
    callbacks = list(callbacks)
    savers = [one for one in callbacks if isinstance(one, ModelCheckpoint)]
    averaged = any(isinstance(one, WeightAveraging) for one in callbacks)
    slim = bool(savers) and all(one.save_weights_only for one in savers)
    trains = any(parameter.requires_grad for parameter in module.parameters())
    optimizer = state_bytes(module.new_optimizer()) if trains else 0
    weights = _bytes(module.state_dict().values())
    if any(getattr(one, "adapters_only", False) for one in savers):
        weights -= _bytes(left_out(module)[1].values())
    weights *= 2 if averaged else 1
    guards = [one for one in callbacks if isinstance(one, Guard)]
    copies = sum(_bytes(one.copied(module.built())) for one in guards)
    states = 0 if slim else (optimizer or 0) + copies
    return RunSizes(optimizer, weights + states + _content(module, data))


def state_bytes(optimizer: torch.optim.Optimizer) -> int | None:
    """Return how many bytes an optimizer's state has after its first step; it cannot be used afterwards.

    Args:
        optimizer: A new one; it steps on tensors without numbers.

    Example:
        >>> weight = nn.Parameter(torch.zeros(10, 100))
        >>> state_bytes(torch.optim.AdamW([weight])), state_bytes(torch.optim.SGD([weight]))
        (8004, 0)
    """
    optimizer.state.clear()  # some begin with states
    for group in optimizer.param_groups:
        group["params"] = [_empty(parameter) for parameter in group["params"]]
        group |= {name: False for name in ("fused", "foreach") if name in group}
    try:
        optimizer.step()
    except Exception:  # a user's optimizer may need numbers, or a closure
        return None
    return _bytes(
        value
        for state in optimizer.state.values()
        for value in state.values()
        if isinstance(value, Tensor)
    )


def _empty(parameter: Tensor) -> nn.Parameter:
    found = nn.Parameter(torch.empty(parameter.shape, dtype=parameter.dtype, device="meta"))
    found.grad = torch.empty_like(found)
    return found


def _content(module: Any, data: Any) -> int:
    """Return the bytes of what answers need beside the weights."""
    if not isinstance(data, BehaviorDataModule):
        return 0
    prepared, network = data.prepared, module.built()
    users = ("item", "rating", "event", "timestamp", "label")
    found = sum(getattr(prepared, name).nbytes for name in users) + prepared.offsets.nbytes
    found += prepared.items.estimated_size() + sum(map(len, data.tokenizer_files.files.values()))
    found += sum(_entries(one) for one in (data.catalogue, data.profiles) if one is not None)
    wide = network.table_width if isinstance(network, ItemNetwork) else 0
    return int(found) + 4 * wide * len(data.catalogue)


def _entries(catalogue: Catalogue) -> int:
    arrays = catalogue.store.tokens, catalogue.store.offsets, catalogue.text_of_item
    return sum(array.nbytes for array in (*arrays, *catalogue.fields.values()))


def _bytes(tensors: Iterable[Any]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _size(count: int) -> str:
    return f"{count / 1e9:,.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
