"""LowerLayers: an encoder's lowest layers and all before them, whose output can be cached and put in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


class LowerLayers:
    """The lowest layers of an encoder: what leaves the last of them, and a pass of the encoder that begins there.

    Such a pass is the encoder's own, so positions, masks and caches are those that it makes itself; only the layers
    below are skipped.

    Args:
        layers: The lowest layers, one or more, lowest first.

    Example:
        >>> layers = [nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU()]
        >>> encoder, lower = nn.Sequential(*layers), LowerLayers(layers[:2])
        >>> kept = lower.output(lambda: encoder(torch.ones(1, 1)))
        >>> with lower.replaced(kept):
        ...     bool((encoder(torch.zeros(1, 1)) == encoder[2](kept)).all())
        True
    """

    def __init__(self, layers: list[nn.Module]) -> None:
        self._layers = layers
        # what a layer returns beside its tokens' vectors; None: it returns these alone
        self._beside: int | None = None

    def output(self, run: Callable[[], Any]) -> Tensor:
        """Return what leaves the last of the layers, ``[P, T, width]``, and compute no layer above.

        Args:
            run: Runs the encoder.

        Raises:
            ValueError: If the encoder does not call them.
        """

        def stop(layer: nn.Module, given: Any, found: Any) -> None:
            raise _ReachedError(found)

        with self._layers[-1].register_forward_hook(stop):
            try:
                run()
            except _ReachedError as reached:
                found = reached.found
                self._beside = len(found) - 1 if isinstance(found, tuple) else None
                states: Tensor = found[0] if isinstance(found, tuple) else found
                return states
        raise ValueError("the encoder did not call its lower layers")

    @contextmanager
    def replaced(self, states: Tensor) -> Iterator[None]:
        """Have the layers compute nothing for a while, and the last of them give ``states`` ``[P, T, width]``.

        Call ``output`` before.
        """
        *below, last = self._layers
        try:
            for layer in below:
                layer.forward = self._passed_on
            last.forward = partial(self._passed_on, states)
            yield
        finally:
            for layer in self._layers:
                del layer.forward

    def can_be_replaced(self, run: Callable[[], Tensor], mask: Tensor) -> bool:
        """Return whether a pass that begins at the border gives what one from the first layer gives, to rounding.

        Tried: an encoder whose upper layers look at more than the layer below them does not. What padding holds may not
        count.

        Args:
            run: Runs the encoder in evaluation mode and returns token vectors ``[P, T, width]``.
            mask: ``[P, T]`` bool, True at real tokens.
        """
        whole = run()
        try:
            with self.replaced(self.output(run) * mask.unsqueeze(-1)):
                return torch.allclose(run()[mask], whole[mask], rtol=1e-4, atol=1e-4)
        except Exception:  # whatever a layer's caller does with what it did not expect
            return False

    def _passed_on(self, states: Tensor, *others: Any, **named: Any) -> Any:
        return states if self._beside is None else (states, *[None] * self._beside)


class _ReachedError(Exception):
    def __init__(self, found: Any) -> None:
        super().__init__()
        self.found = found
