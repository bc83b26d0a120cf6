"""LowerLayers: an encoder's lowest layers, whose output can be cached and used in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn


class LowerLayers:
    """The lowest layers of an encoder: their output, and a pass of the encoder that begins there.

    Such a pass runs the encoder's own code, which makes positions, masks and caches as always; only the lower layers
    are skipped.

    Args:
        layers: The lowest layers, one or more, lowest first.

    Example:
        >>> layers = [nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU()]
        >>> encoder, lower = nn.Sequential(*layers), LowerLayers(layers[:2])
        >>> cached = lower.output(lambda: encoder(torch.ones(1, 1)))
        >>> with lower.replaced(cached):
        ...     bool((encoder(torch.zeros(1, 1)) == encoder[2](cached)).all())
        True
    """

    def __init__(self, layers: list[nn.Module]) -> None:
        self._layers = layers
        # how many values a layer returns beside its token vectors; None: it returns these alone
        self._beside: int | None = None

    def output(self, run: Callable[[], Any]) -> Tensor:
        """Return the output of the last of the layers ``[P, T, width]``; no layer above is computed.

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
        """Let the layers compute nothing within a ``with`` block, and the last return ``states`` ``[P, T, width]``.

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
        """Return whether a pass from the border gives the same as one from the first layer, up to rounding.

        This is tried, as some encoders' upper layers read more than the layer below them. Padding is set to zero there
        and must not matter.

        Args:
            run: Runs the encoder in evaluation mode and returns token vectors ``[P, T, width]``.
            mask: ``[P, T]`` bool, True at real tokens.
        """
        whole = run()
        try:
            with self.replaced(self.output(run) * mask.unsqueeze(-1)):
                return torch.allclose(run()[mask], whole[mask], rtol=1e-4, atol=1e-4)
        except Exception:  # an encoder may fail in any way on outputs that it did not expect
            return False

    def _passed_on(self, states: Tensor, *others: Any, **named: Any) -> Any:
        return states if self._beside is None else (states, *[None] * self._beside)


class _ReachedError(Exception):
    def __init__(self, found: Any) -> None:
        super().__init__()
        self.found = found
