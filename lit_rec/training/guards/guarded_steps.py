"""GuardedSteps: the passes of a training step, with what guards change about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lit_rec.data.batches.batch import RecBatch
from lit_rec.training.guards.adversary import Adversary
from lit_rec.training.guards.guard import Guard


class GuardedSteps:
    """Run the passes of each training step of a LitRec.

    Without adversaries that is one pass, whose loss Lightning sends backward. With them it is a plain pass, then one or
    more for each adversary. All but the last are sent backward here, within Lightning's ``training_step``: gradients
    add up in the parameters, as those of accumulated micro-batches do. DDP averages them in the last backward pass,
    which Lightning runs, and clipping, mixed precision and the optimizer see their sum.
    """

    def __init__(self) -> None:
        self._guards: list[Guard] = []
        self._begun = False  # whether a backward pass of the present step was made here

    def add(self, guard: Guard) -> None:
        """Let a guard take part."""
        if guard not in self._guards:
            self._guards.append(guard)
            self._guards.sort(key=lambda each: not each.adds_rows)

    def remove(self, guard: Guard) -> None:
        """Let a guard take part no longer."""
        guard.after_backward()
        if guard in self._guards:
            self._guards.remove(guard)

    def loss(self, module: Any, batch: RecBatch, batch_idx: int) -> Tensor:
        """Return the loss that Lightning sends backward.

        Args:
            module: The LitRec.
            batch: A batch.
            batch_idx: Its number in the epoch.
        """
        for guard in self._guards:
            batch = guard.changed(batch)
        present = [g for g in self._guards if isinstance(g, Adversary) and g.acts(module.trainer)]
        if not present:
            self._before_pass()
            plain: Tensor = module.loss_of(batch)
            return plain
        return self._perturbed(module, batch, batch_idx, present)

    def after_backward(self) -> None:
        """Let the guards put back what they changed for the passes."""
        for guard in self._guards:
            guard.after_backward()

    def after_step(self, step: int) -> None:
        """Let the guards follow a step of the optimizer.

        Args:
            step: Its number, from 1.
        """
        for guard in self._guards:
            guard.after_step(step)

    def has_begun(self) -> bool:
        """Return, once for each step, whether it has gradients already, which must not be set to zero."""
        begun, self._begun = self._begun, False
        return begun

    def _perturbed(
        self, module: Any, batch: RecBatch, batch_idx: int, present: Sequence[Adversary]
    ) -> Tensor:
        trainer = module.trainer
        if batch_idx % trainer.accumulate_grad_batches == 0:
            trainer.optimizers[0].zero_grad()
        self._begun = True
        for adversary in present:
            adversary.watch()
        self._before_pass()
        loss: Tensor = module.loss_of(batch)
        for adversary in present:
            adversary.after_backward()  # it looks on no longer
        share = 1 - sum(adversary.share for adversary in present)
        leaves = [adversary.leaves() for adversary in present]
        found = iter(_gradients(module, loss, [leaf for each in leaves for leaf in each], share))
        for adversary, own in zip(present, leaves, strict=True):
            adversary.aim([next(found) for _ in own])
        for adversary in present:
            loss = adversary.share * self._pass_of(adversary, module, batch)
            if adversary is not present[-1]:
                _backward(module, loss)
                adversary.after_backward()
        return loss

    def _pass_of(self, adversary: Adversary, module: Any, batch: RecBatch) -> Tensor:
        """Return the loss at the perturbed place, where the adversary stays until it is sent backward."""
        for _ in range(adversary.steps - 1):
            adversary.perturb(final=False)
            self._before_pass()
            loss = module.loss_of(batch, first=False)
            adversary.aim(_gradients(module, loss, adversary.leaves(), 0.0))
            adversary.after_backward()
        adversary.perturb(final=True)
        self._before_pass()
        loss_there: Tensor = module.loss_of(batch, first=False)
        return loss_there

    def _before_pass(self) -> None:
        for guard in self._guards:
            guard.before_pass()


def _gradients(
    module: Any, loss: Tensor, leaves: Sequence[Tensor], share: float
) -> list[Tensor | None]:
    """Return the gradients of a loss with respect to leaves, which may be weights.

    Args:
        module: The LitRec.
        loss: The loss of a pass.
        leaves: What the gradients are asked of.
        share: Share of the loss that is sent backward to all weights; 0: only the leaves get a gradient.
    """
    if not share:
        with torch.autocast(loss.device.type, enabled=False):
            return list(torch.autograd.grad(_scaled(module, loss), list(leaves), allow_unused=True))
    before = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    _backward(module, share * loss)
    found = [leaf.grad for leaf in leaves]
    for leaf, earlier in zip(leaves, before, strict=True):
        if earlier is not None:
            leaf.grad = earlier if leaf.grad is None else earlier + leaf.grad
    return found


def _backward(module: Any, loss: Tensor) -> None:
    """Send a loss backward as Lightning does: divided by the number of micro-batches, and scaled in 16-mixed."""
    with torch.autocast(loss.device.type, enabled=False):
        _scaled(module, loss / module.trainer.accumulate_grad_batches).backward()  # type: ignore[no-untyped-call]


def _scaled(module: Any, loss: Tensor) -> Tensor:
    scaler = getattr(module.trainer.precision_plugin, "scaler", None)
    return loss if scaler is None else scaler.scale(loss)
