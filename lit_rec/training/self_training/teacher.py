"""Teacher: the exponentially averaged weights of a network, and what the network predicts with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from lit_rec.data.batches.batch import RecBatch
from lit_rec.errors import CheckpointError
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.networks.network import Network


class Teacher:
    """Averages of a network's trained weights and of its buffers; whatever is frozen, it shares with the network.

    At first the average is the plain mean of all weights so far, until a new one counts only ``1 - decay``: so what
    stands at the beginning of a run is soon forgotten.

    Args:
        decay: Share of the average that stays in each step.
        owner: The callback, for errors.

    Reference:
        Tarvainen & Valpola 2017, Mean teachers are better role models, https://arxiv.org/abs/1703.01780.

    Example:
        >>> network, teacher = torch.nn.Linear(1, 1, bias=False), Teacher(0.9, "SelfTraining")
        >>> _ = torch.nn.init.zeros_(network.weight)
        >>> teacher.begin(network)
        >>> for step in (1, 2):
        ...     _ = torch.nn.init.constant_(network.weight, 3.0 * step)
        ...     teacher.follow(network, step)
        >>> teacher.state_dict()["teacher"]["weight"]  # the mean of 0, 3 and 6
        tensor([[3.]])
    """

    def __init__(self, decay: float, owner: str) -> None:
        self._decay, self._owner = decay, owner
        self._average: dict[str, Tensor] | None = None

    def begin(self, network: torch.nn.Module) -> None:
        """Begin with a network's weights, or go on with those of a checkpoint.

        Raises:
            CheckpointError: If the checkpoint holds other weights than these.
        """
        own = changing_weights(network)
        if self._average is None:
            self._average = {name: held.detach().clone() for name, held in own.items()}
            return
        stored = self._average if isinstance(self._average, dict) else {}
        wrong = sorted(
            str(name)
            for name in {*own, *stored}
            if name not in own or not _alike(stored.get(name), own[name])
        )
        if wrong:
            raise CheckpointError(
                f"it holds other averaged weights than are trained here ({len(wrong)}, the first: {wrong[:1]})",
                where=f"the state of {self._owner} in the checkpoint",
                rule="a run goes on with the tuning and the network that it began with",
                remedy="take the network and tuning of that run, or begin a new run without the checkpoint",
            )
        # clones: a state that was loaded may still be held by others
        self._average = {
            name: stored[name].to(held.device, held.dtype, copy=True) for name, held in own.items()
        }

    @torch.no_grad()
    def follow(self, network: torch.nn.Module, step: int) -> None:
        """Take the weights into the average.

        Args:
            network: The network, after a step.
            step: The number of the step, from 1.

        Raises:
            ValueError: Before ``begin``.
        """
        average, own = self._begun(), changing_weights(network)
        share = max(1 - self._decay, 1 / (step + 1))
        for name, held in own.items():
            if held.is_floating_point():
                average[name].lerp_(held.detach().to(average[name].dtype), share)
            else:
                average[name].copy_(held)

    def scores(self, network: Network, batch: RecBatch) -> Tensor:
        """Return the scores of a batch by the averaged weights, in evaluation mode and without gradients.

        Args:
            network: The network; its own weights stay as they are.
            batch: A batch with texts.

        Raises:
            ValueError: Before ``begin``.
        """
        with evaluation_mode(network):
            found: Tensor = functional_call(network, self._begun(), (batch,))
        return found

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {"teacher": self._average}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take what a checkpoint holds."""
        self._average = state.get("teacher")

    def _begun(self) -> dict[str, Tensor]:
        if self._average is None:
            raise ValueError("the teacher has no weights before it begins")
        return self._average


def changing_weights(network: torch.nn.Module) -> dict[str, Tensor]:
    """Return what training changes by name: trained weights, and the buffers that a checkpoint holds."""
    trained = {n: p for n, p in network.named_parameters() if p.requires_grad}
    stored = network.state_dict().keys()
    return {**trained, **{n: b for n, b in network.named_buffers() if n in stored}}


def _alike(stored: Any, own: Tensor) -> bool:
    if not isinstance(stored, Tensor) or stored.shape != own.shape:
        return False
    same = stored.is_floating_point() == own.is_floating_point()
    return same and bool(stored.isfinite().all())
