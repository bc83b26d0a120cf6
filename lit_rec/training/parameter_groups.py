"""Optimizer groups: the encoder slower than the heads, biases and norms without decay."""

from __future__ import annotations

from typing import Any

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
    """Return at most four groups, each trained parameter in exactly one.

    A parameter of one dimension or none (a bias, a norm's weight, a scale) has no weight decay, as in BERT's own
    training.

    Args:
        network: The whole network.
        backbone: Its encoder, if it has one.
        encoder_rate: Learning rate of the encoder.
        head_rate: Learning rate of all else.
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
