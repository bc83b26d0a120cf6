"""An optimizer that updates all its parameters in one pass where they lie on the CPU."""

from __future__ import annotations

import torch


def fused_on_cpu(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """Choose the fused kernel for groups of parameters on the CPU, unless the user has chosen.

    On CUDA torch joins tensors by itself; on a CPU it goes through them one at a time and through each several times,
    which for an encoder of many millions of weights can cost as much as the step's forward and backward passes.

    Args:
        optimizer: As it was built. One without a fused kernel is left as it is.

    Returns:
        The same optimizer.

    Example:
        >>> adam = fused_on_cpu(torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]))
        >>> adam.param_groups[0]["fused"]
        True
    """
    for group in optimizer.param_groups:
        unchosen = "fused" in group and group["fused"] is None and not group.get("foreach")
        # what a fused kernel cannot do: see torch's own checks
        plain = not group.get("differentiable") and all(
            weight.device.type == "cpu" and weight.is_floating_point() for weight in group["params"]
        )
        if unchosen and plain:
            group["fused"] = True
    return optimizer
