"""The optimizer: its parameter groups, and its fused kernel on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


def parameter_groups(
    network: nn.Module,
    backbone: nn.Module | None,
    *,
    encoder_rate: float,
    head_rate: float,
    encoder_decay: float,
    head_decay: float,
) -> list[dict[str, Any]]:
    """Return at most four groups; each trained parameter is in exactly one.

    Parameters of fewer than two dimensions (biases, weights of norms, scales) have no weight decay, as in BERT's own
    training.

    Args:
        network: The whole network.
        backbone: Its encoder, if it has one.
        encoder_rate: Learning rate of the encoder.
        head_rate: Learning rate of everything else.
        encoder_decay: Weight decay of the encoder's matrices.
        head_decay: Weight decay of all other matrices.
    """
    inside = {id(p) for p in backbone.parameters()} if backbone is not None else set()
    groups: dict[str, dict[str, Any]] = {}
    for parameter in network.parameters():
        if not parameter.requires_grad:
            continue
        encoder, plain = id(parameter) in inside, parameter.ndim <= 1
        name = ("encoder" if encoder else "head") + ("_no_decay" if plain else "")
        decay = 0.0 if plain else (encoder_decay if encoder else head_decay)
        rate = encoder_rate if encoder else head_rate
        group = groups.setdefault(
            name, {"params": [], "lr": rate, "weight_decay": decay, "name": name}
        )
        group["params"].append(parameter)
    return list(groups.values())


def fused_on_cpu(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """Choose the fused kernel for groups of parameters on the CPU, unless the user has chosen.

    On CUDA, torch updates many tensors at once by default. On a CPU it updates one at a time, in several passes. For an
    encoder of many millions of weights this can cost as much as the step's forward and backward passes.

    Args:
        optimizer: A new optimizer. One without a fused kernel is not changed.

    Returns:
        The same optimizer.

    Example:
        >>> adam = fused_on_cpu(torch.optim.Adam([torch.nn.Parameter(torch.ones(2))]))
        >>> adam.param_groups[0]["fused"]
        True
    """
    for group in optimizer.param_groups:
        unchosen = "fused" in group and group["fused"] is None and not group.get("foreach")
        # the conditions that torch itself sets for a fused kernel
        plain = not group.get("differentiable") and all(
            weight.device.type == "cpu" and weight.is_floating_point() for weight in group["params"]
        )
        if unchosen and plain:
            group["fused"] = True
    return optimizer
