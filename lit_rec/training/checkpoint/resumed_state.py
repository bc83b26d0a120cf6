"""Checks of the state of training in a checkpoint against the state of the run that resumes from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import SWALR

from lit_rec.training.checkpoint.tensors import finite, floats, shaped, tensor
from lit_rec.training.checkpoint.values import (
    EntryError,
    Rule,
    entries,
    is_whole,
    list_of,
    mapping,
    mapping_of,
    number,
    one_of,
    optional,
    plain,
    shown,
    whole,
)

if TYPE_CHECKING:
    import lightning


_KINDS, _NO_NUMBERS = (LambdaLR, SWALR), ("optimizer", "anneal_func")  # of schedules
# moments that have their weight's shape, in the optimizers of torch
_OF_WEIGHT_SIZE = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg")


def check_resumed(
    checkpoint: Mapping[str, Any],
    trainer: lightning.Trainer,
    optimizer: torch.optim.Optimizer,
    where: str,
) -> None:
    """Check what a resumed run reads from a checkpoint, apart from weights and content.

    Args:
        checkpoint: The result of ``torch.load``.
        trainer: The resumed run's Trainer, before it has restored anything.
        optimizer: The run's new optimizer, without a step.
        where: The checkpoint as the user named it.

    Raises:
        CheckpointError: If an entry is absent, or has another type than the run's own.
    """
    try:
        for name in ("epoch", "global_step"):
            whole()(checkpoint.get(name), name)
        _optimizers(checkpoint.get("optimizer_states"), "optimizer_states", optimizer)
        _schedules(checkpoint.get("lr_schedulers"), "lr_schedulers", len(optimizer.param_groups))
        _loops(checkpoint.get("loops"), "loops", trainer)
        _callbacks(checkpoint.get("callbacks", {}), "callbacks", trainer)
        list_of(_RANK)(checkpoint.get("ranks", []), "ranks")
        mapping_of(_tuned)(checkpoint.get("tuning", {}), "tuning")
    except EntryError as error:
        raise error.error(where) from error


def _optimizers(value: Any, entry: str, own: torch.optim.Optimizer) -> None:
    state = entries({"state": _any, "param_groups": list_of(mapping)})
    list_of(state, 1, 1)(value, entry)
    entry, groups = f"{entry}[0]", value[0]["param_groups"]
    if len(groups) != len(own.param_groups):
        count = f"a list of {len(groups)}"
        raise EntryError(f"{entry}.param_groups", count, f"{len(own.param_groups)} of them")
    weights: list[Tensor] = []
    for place, (stored, here) in enumerate(zip(groups, own.param_groups, strict=True)):
        name = f"{entry}.param_groups[{place}]"
        plain(stored, name)
        list_of(whole(), len(here["params"]), len(here["params"]))(stored.get("params"), name)
        _alike({k: v for k, v in stored.items() if k != "params"}, _options(here), name)
        weights += here["params"]
    states = value[0]["state"]
    if not isinstance(states, dict):
        raise EntryError(f"{entry}.state", shown(states), "a mapping")
    for key, moments in states.items():
        whole(0, len(weights) - 1)(key, f"{entry}.state (number of a weight)")
        mapping(moments, f"{entry}.state[{key}]")
        for name, held in moments.items():
            _moment(held, f"{entry}.state[{key}].{name}", name, weights[key])


def _options(group: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if name != "params"}


def _moment(value: Any, entry: str, name: str, weight: Tensor) -> None:
    if not isinstance(value, Tensor):
        optional(number)(value, entry)
        return
    tensor(value, entry)
    finite(value, entry)
    if name in _OF_WEIGHT_SIZE:
        shaped(value, entry, weight.shape)
    elif name == "step":
        floats([])(value, entry)
    elif value.numel() > max(weight.numel(), 1):
        raise EntryError(entry, shown(value), f"at most the {weight.numel():,} of its weight")


def _schedules(value: Any, entry: str, groups: int) -> None:
    """Check values that become attributes of schedules: plain ones, and none with a method's name."""
    list_of(plain)(value, entry)
    for place, state in enumerate(value):
        name = f"{entry}[{place}]"
        mapping(state, name)
        for key in state:
            if key in _NO_NUMBERS or any(callable(getattr(kind, key, None)) for kind in _KINDS):
                raise EntryError(name, f"an entry {shown(key)}", "numbers of a schedule")
        for key in ("last_epoch", "_step_count"):
            whole()(state.get(key), f"{name}.{key}")
        for key in ("base_lrs", "_last_lr"):
            list_of(number, groups, groups)(state.get(key), f"{name}.{key}")
        lambdas = list_of(optional(mapping), groups, groups)
        lambdas(state.get("lr_lambdas", [None] * groups), f"{name}.lr_lambdas")


def _loops(value: Any, entry: str, trainer: lightning.Trainer) -> None:
    plain(value, entry)
    own = {"fit_loop": trainer.fit_loop.state_dict()}
    own["fit_loop"]["state_dict"].pop("combined_loader", None)
    _alike(value, own, entry, needed=True)
    loaders = value["fit_loop"]["state_dict"].get("combined_loader", [])
    loader = entries({"epoch": whole(), "batches": whole()})
    list_of(loader)(loaders, f"{entry}.fit_loop.state_dict.combined_loader")


def _callbacks(value: Any, entry: str, trainer: lightning.Trainer) -> None:
    mapping(value, entry)
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    for callback in callbacks:
        if callback.state_key in value:
            name = f"{entry}.{callback.state_key.partition('{')[0]}"
            _alike(value[callback.state_key], callback.state_dict(), name)


def _alike(value: Any, own: Any, entry: str, *, needed: bool = False) -> None:
    """Check that a value has the type of the run's own value; where that is None, any value is accepted.

    Args:
        value: The stored value.
        own: The run's own value.
        entry: The entry's name.
        needed: Whether all entries of ``own`` must be stored.
    """
    if isinstance(own, dict):
        mapping(value, entry)
        for name, held in own.items():
            if name in value:
                _alike(value[name], held, f"{entry}.{name}", needed=needed)
            elif needed:
                raise EntryError(f"{entry}.{name}", "absent", "all that a resumed run needs")
    elif isinstance(own, list | tuple):
        list_of(plain, len(own), len(own))(value, entry)
        for place, (held, here) in enumerate(zip(value, own, strict=True)):
            _alike(held, here, f"{entry}[{place}]")
    else:
        _same_kind(value, own, entry)


def _same_kind(value: Any, own: Any, entry: str) -> None:
    if isinstance(own, bool | str):
        if not isinstance(value, type(own)):
            raise EntryError(entry, shown(value), f"a {type(own).__name__}")
    elif is_whole(own):
        whole()(value, entry)
    elif isinstance(own, Tensor) and own.dim():
        tensor(value, entry)
        shaped(value, entry, own.shape)
    elif isinstance(own, float | Tensor):
        _number(value, entry)


def _number(value: Any, entry: str) -> None:
    """Check for a number, or a tensor of one; it is infinite before the first measurement."""
    if isinstance(value, Tensor):
        tensor(value, entry)
        shaped(value, entry, [])
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise EntryError(entry, shown(value), "a number")


def _any(value: Any, entry: str) -> None:
    """Accept any value: its rule depends on other entries and is checked later."""


def _generator(value: Any, entry: str) -> None:
    """Check for the state of a generator of torch."""
    _bytes(value, entry)
    try:
        torch.Generator().set_state(value)
    except RuntimeError as error:
        raise EntryError(entry, shown(value), "the state of a generator of torch") from error


def _bytes(value: Any, entry: str) -> None:
    tensor(value, entry, (torch.uint8,))
    shaped(value, entry, [None])


def _python(value: Any, entry: str) -> None:
    list_of(_any, 3, 3)(value, entry)
    one_of(3)(value[0], f"{entry}[0]")
    list_of(whole(0, 2**32 - 1), 625, 625)(value[1], f"{entry}[1]")
    whole(0, 624)(value[1][624], f"{entry}[1][624]")
    optional(number)(value[2], f"{entry}[2]")


def _numpy(value: Any, entry: str) -> None:
    rules: list[Rule] = [one_of("MT19937"), list_of(whole(0, 2**32 - 1), 624, 624)]
    rules += [whole(0, 624), whole(0, 1), number]
    list_of(_any, len(rules), len(rules))(value, entry)
    for place, rule in enumerate(rules):
        rule(value[place], f"{entry}[{place}]")


def _tuned(value: Any, entry: str) -> None:
    tensor(value, entry)
    finite(value, entry)


def _loss(value: Any, entry: str) -> None:
    floats([])(value, entry)


_RANK = entries(
    {
        "chance": entries(
            {"python": _python, "numpy": _numpy, "torch": _generator}, {"cuda": _bytes}
        ),
        "train_loss": entries({}, dict.fromkeys(("mean_value", "weight"), _loss)),
    }
)
