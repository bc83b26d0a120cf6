"""StartWeights: weights as they were before the first step, for callbacks that compare with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lit_rec.errors import CheckpointError


class StartWeights:
    """Copies of weights as a run began with them; a resumed run has those of its checkpoint, so it goes on exactly.

    Args:
        owner: The callback, for errors.

    Example:
        >>> import torch
        >>> start = StartWeights("Mixout")
        >>> weight = torch.nn.Parameter(torch.ones(2))
        >>> copies = start.of({"weight": weight})
        >>> torch.nn.init.zeros_(weight)
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
        >>> copies["weight"], start.state_dict()
        (tensor([1., 1.]), {'start': {'weight': tensor([1., 1.])}})
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._start: dict[str, Tensor] | None = None

    def of(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the start of weights, by their names: their copies now, or what a checkpoint holds.

        Raises:
            CheckpointError: If the checkpoint holds other weights than these.
        """
        if self._start is None:
            self._start = {name: weight.detach().clone() for name, weight in weights.items()}
        shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
        stored = _shapes(self._start)
        if stored != shapes:
            names = sorted(
                str(name) for name in {*shapes, *stored} if shapes.get(name) != stored.get(name)
            )
            raise CheckpointError(
                f"it holds the start of other weights than are trained here ({len(names)}, the first: {names[:1]})",
                where=f"the state of {self._owner} in the checkpoint",
                rule="a run goes on with the tuning that it began with",
                remedy="take the encoder and tuning of that run, or begin a new run without the checkpoint",
            )  # fmt: skip
        self._start = {
            name: self._start[name].to(weight.device, weight.dtype)
            for name, weight in weights.items()
        }
        return self._start

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {"start": self._start}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what a checkpoint holds."""
        self._start = state.get("start")


def _shapes(start: Any) -> dict[Any, Any]:
    if not isinstance(start, dict):
        return {}
    return {
        name: tuple(held.shape) if isinstance(held, Tensor) and held.is_floating_point() else None
        for name, held in start.items()
    }
