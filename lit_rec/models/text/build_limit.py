"""A limit for modules built from sizes in a file of others: a module cannot be larger than the weights it will get."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as registration

_MOST_PARAMETERS = 100_000
_LARGEST_BUFFER = 100_000_000  # a causal mask of ten thousand tokens


class TooLargeError(ValueError):
    """A module that would be larger than its weights."""


@contextmanager
def build_limit(elements: int | None = None) -> Iterator[None]:
    """Stop building a module, in this thread, once its parameters have more numbers than its weights can have.

    The number of parameters is limited as well, so that an absurd number of layers is refused soon.

    Args:
        elements: Most numbers of all parameters; None: no limit, for the meta device.

    Raises:
        TooLargeError: If there are more.

    Example:
        >>> with build_limit(10):
        ...     nn.Linear(50, 50)
        Traceback (most recent call last):
            ...
        lit_rec.models.text.build_limit.TooLargeError: Linear.weight of 50 x 50 numbers, more than all weights together
    """
    owner, count, total = threading.get_ident(), 0, 0

    def look(module: nn.Module, name: str, value: Tensor | None) -> None:
        nonlocal count, total
        if threading.get_ident() != owner:
            return
        count, total = count + 1, total + (0 if value is None else value.numel())
        if count > _MOST_PARAMETERS:
            raise TooLargeError(f"more than {_MOST_PARAMETERS:,} parameters")
        if elements is not None and total > elements:
            _raise(module, name, value)

    def look_at_buffer(module: nn.Module, name: str, value: Tensor | None) -> None:
        small = value is None or elements is None or value.numel() <= max(elements, _LARGEST_BUFFER)
        if threading.get_ident() == owner and not small:
            _raise(module, name, value)

    hooks: list[Any] = [
        registration.register_module_parameter_registration_hook(look),
        registration.register_module_buffer_registration_hook(look_at_buffer),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _raise(module: nn.Module, name: str, value: Tensor | None) -> None:
    shape = " x ".join(map(str, () if value is None else value.shape)) or "1"
    place = f"{type(module).__name__}.{name}"
    raise TooLargeError(f"{place} of {shape} numbers, more than all weights together")
