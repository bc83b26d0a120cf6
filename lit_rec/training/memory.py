"""Errors for exhausted memory: the options that set the memory of a step, their values, and what to change first."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import torch
from torch import nn

from lit_rec.errors import ConfigError, option_of

# of parts of networks; an evaluation stores no activations for a backward pass
_EVALUATION_OPTIONS = ("max_tokens_per_chunk", "slots_per_block")
_OPTIONS = ("max_tokens_per_chunk", "recompute", "slots_per_block")
_CPU = "DefaultCPUAllocator"  # PyTorch has no error class for a CPU without free memory

Method = TypeVar("Method", bound=Callable[..., Any])


def explains_memory(method: Method) -> Method:
    """Wrap a method of a LightningModule: it raises a ConfigError, chained to PyTorch's error, if memory runs out.

    It is raised where the memory ran out. So the Trainer ends the run as after any other error, with its callbacks,
    loggers and other processes.

    Args:
        method: A method of a module with a ``network``.
    """

    @wraps(method)
    def explained(module: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(module, *args, **kwargs)
        except RuntimeError as error:  # torch.OutOfMemoryError is one
            if not isinstance(error, torch.OutOfMemoryError) and _CPU not in str(error):
                raise
            raise out_of_memory(module, error) from error

    return explained  # type: ignore[return-value]


def out_of_memory(module: Any, error: RuntimeError) -> ConfigError:
    """Return the error that says what to change.

    Args:
        module: A LightningModule with a ``network``; in training mode if memory ran out while training.
        error: PyTorch's error.
    """
    options = _options(module)
    shown = ", ".join(f"{name} is {value}" for name, value in options.items())
    first = str(error).partition(". GPU")[0].partition("\n")[0].strip().rstrip(".")
    return ConfigError(
        f"out of memory while {'training' if module.training else 'evaluating'} ({first[-160:]})",
        where=str(module.device),
        details=[shown] if shown else [],
        rule="a step's activations have room next to the weights and the optimizer",
        remedy=_remedy(options, training=module.training),
    )


def _options(module: Any) -> dict[str, Any]:
    """Return the options that set the memory of the present step, by part and parameter, and their values."""
    found: dict[str, Any] = {}
    network = getattr(module, "network", None)
    for part in network.modules() if isinstance(network, nn.Module) else ():
        for option in _OPTIONS if module.training else _EVALUATION_OPTIONS:
            if hasattr(part, option):
                found[option_of(part, option)] = getattr(part, option)
    data = getattr(getattr(module, "_trainer", None), "datamodule", None)
    history = getattr(data, "history", None)
    size = "batch_size" if module.training else "eval_batch_size"
    for name, value in (
        (option_of("BehaviorDataModule", size), getattr(data, size, None)),
        (option_of("History", "max_length"), getattr(history, "max_length", None)),
    ):
        if value is not None:
            found[name] = value
    return found


def _remedy(options: dict[str, Any], *, training: bool) -> str:
    steps = [f"set {name} to true" for name, on in options.items() if on is False]
    sizes = [name for name in options if name.endswith(_EVALUATION_OPTIONS)]
    steps += [f"lower {name} to {options[name] // 2}" for name in sizes if options[name] > 1]
    rows = next((name for name in options if name.endswith("batch_size")), "the batch size")
    more = " and raise Trainer.accumulate_grad_batches by as much" if training else ""
    if options.get(rows) == 1:
        shorter = option_of("BehaviorDataModule", "max_tokens"), option_of("History", "max_length")
        steps.append(f"lower {' or '.join(shorter)}")
    else:
        steps.append(f"lower {rows}{more}")
    return ", else ".join(steps)
