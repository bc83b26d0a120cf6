"""LoRA's linear map in one product: the weights are added up, not the outputs, which are far larger."""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora import Linear
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


class OneProductLora(Linear):
    """Peft's LoRA of an ``nn.Linear``, whose training pass makes one product where peft makes three.

    ``x W + s (x A) B`` is ``x (W + s A B)``: the sum of weights costs as much as a few texts do, and the output is
    written once. With fewer tokens than that the second product is added in place. Gradients are those of A and B
    alone, and equal peft's. Without gradients, with dropout of the product's input and with variants such as DoRA,
    peft's own pass is taken. Names of weights and merging are peft's.
    """

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Return the output ``[..., out]`` of an input ``[..., in]``."""
        if args or kwargs or not self._is_plain():
            return super().forward(x, *args, **kwargs)
        (name,) = self.active_adapters
        base, down, up = self.base_layer, self.lora_A[name].weight, self.lora_B[name].weight
        up = up * self.scaling[name]
        kind = x.dtype
        if torch.is_autocast_enabled(x.device.type):
            kind = torch.get_autocast_dtype(x.device.type)
        bias = None if base.bias is None else base.bias.to(kind)
        given = (x.to(kind), base.weight.to(kind), bias, down.to(kind), up.to(kind))
        found: Tensor = _OneProduct.apply(*given)  # type: ignore[no-untyped-call]
        return found

    def _is_plain(self) -> bool:
        if not torch.is_grad_enabled() or self.disable_adapters or self.merged:
            return False
        if len(self.active_adapters) != 1 or self.lora_variant:
            return False
        (name,) = self.active_adapters
        dropout = self.lora_dropout[name]
        frozen = not self.base_layer.weight.requires_grad
        return frozen and (not self.training or isinstance(dropout, torch.nn.Identity))


class _OneProduct(torch.autograd.Function):
    """``x (W + up down)^T + bias``; x ``[..., in]``, W ``[out, in]``, down ``[rank, in]``, up ``[out, rank]``."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, down: Tensor, up: Tensor
    ) -> Tensor:
        # the sum is not kept for the backward pass: each chunk of texts would keep one of each layer
        ctx.save_for_backward(x, weight, down, up)
        inputs = x.flatten(0, -2)
        if _are_few(inputs):
            plain = functional.linear(inputs, weight, bias)
            return plain.addmm_(inputs @ down.T, up.T).view(*x.shape[:-1], -1)
        return functional.linear(x, torch.addmm(weight, up, down), bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, down, up = ctx.saved_tensors
        rows, inputs = gradient.flatten(0, -2), x.flatten(0, -2)
        thin = rows @ up
        of_x = None
        if ctx.needs_input_grad[0]:
            few = _are_few(inputs)
            whole = weight if few else torch.addmm(weight, up, down)
            of_x = rows @ whole
            of_x = (of_x.addmm_(thin, down) if few else of_x).view_as(x)
        of_down = thin.T @ inputs
        # the thin factor stands on the left: transposed in the middle it takes four times as long on a CPU
        of_up = ((inputs @ down.T).T @ rows).T
        return of_x, None, None, of_down, of_up


def _are_few(inputs: Tensor) -> bool:
    """Return whether inputs ``[n, in]`` are so few that the sum of weights costs more than that of outputs."""
    return len(inputs) < 2 * inputs.shape[1]
