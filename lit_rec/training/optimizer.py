"""The optimizer: its parameter groups, and its fused kernel on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from lit_rec.errors import ConfigError, option_of
from lit_rec.models.text.adapters.prompt import prompt_of
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.tuning import encoder_layers, last_norms

RATES = ("encoder_rate", "head_rate", "encoder_decay", "head_decay")


def check_rates(module: object, options: Mapping[str, Any]) -> None:
    """Check rates, decays and the decay by layers.

    Args:
        module: What takes the options.
        options: Their values by name.

    Raises:
        ConfigError: If a rate or decay is negative or not finite, or ``layer_decay`` is not above 0 and up to 1.
    """
    for name in RATES:
        if not 0 <= options[name] < float("inf"):
            raise ConfigError(
                f"{options[name]} is negative or not finite",
                where=option_of(module, name),
                rule="0 or more",
                remedy="2e-5 for an encoder and 1e-3 for heads are a start",
            )
    if not 0 < options["layer_decay"] <= 1:
        raise ConfigError(
            f"{options['layer_decay']} cannot be used",
            where=option_of(module, "layer_decay"),
            rule="a factor above 0, up to 1: the rate of a layer by that of the layer above it",
            remedy="0.9 suits an encoder of 12 layers; 1.0 gives all layers the same rate",
        )


def parameter_groups(
    network: nn.Module,
    backbone: nn.Module | None,
    *,
    encoder_rate: float,
    head_rate: float,
    encoder_decay: float,
    head_decay: float,
    layer_decay: float = 1.0,
) -> list[dict[str, Any]]:
    """Return at most four groups, or two for each layer too; each trained parameter is in exactly one.

    Parameters of fewer than two dimensions (biases, weights of norms, scales) have no weight decay, as in BERT's own
    training.

    Args:
        network: The whole network.
        backbone: Its encoder, if it has one.
        encoder_rate: Learning rate of the encoder.
        head_rate: Learning rate of everything else.
        encoder_decay: Weight decay of the encoder's matrices.
        head_decay: Weight decay of all other matrices.
        layer_decay: Rate of a layer of the encoder, by that of the layer above it. The top layer, and what stands after
            it, has ``encoder_rate``; what stands before the layers, such as word vectors, is below the lowest.

    Raises:
        ConfigError: If there is a decay by layers, and the encoder's layers are not found.
    """
    inside = {id(p) for p in backbone.parameters()} if backbone is not None else set()
    option = option_of("LitRec", "layer_decay")
    remedy = f"leave {option} out: all layers have encoder_rate"
    below = {} if layer_decay == 1 else layers_below_top(backbone, option, remedy)
    groups: dict[str, dict[str, Any]] = {}
    for parameter in network.parameters():
        if not parameter.requires_grad:
            continue
        encoder, plain = id(parameter) in inside, parameter.ndim <= 1
        name = ("encoder" if encoder else "head") + ("_no_decay" if plain else "")
        decay = 0.0 if plain else (encoder_decay if encoder else head_decay)
        rate = encoder_rate if encoder else head_rate
        if id(parameter) in below:
            place, depth = below[id(parameter)]
            name, rate = name.replace("encoder", f"encoder_{place}"), rate * layer_decay**depth
        group = groups.setdefault(
            name, {"params": [], "lr": rate, "weight_decay": decay, "name": name}
        )
        group["params"].append(parameter)
    return list(groups.values())


def layers_below_top(
    backbone: nn.Module | None, where: str, remedy: str
) -> dict[int, tuple[str, int]]:
    """Return the place of each parameter of an encoder by its ``id``: a name, and how many layers below the top.

    Args:
        backbone: The encoder; without one there is nothing.
        where: What asks, for the error.
        remedy: What to do without layers.

    Raises:
        ConfigError: If its layers are not found.
    """
    if backbone is None:
        return {}
    model: nn.Module = backbone.model if isinstance(backbone, Backbone) else backbone
    try:
        layers = encoder_layers(model)
    except ConfigError as error:
        raise ConfigError(
            error.problem,
            where=where,
            rule="an encoder of a known structure, whose layers are found",
            remedy=remedy,
        ) from error
    found = {id(p): ("below", len(layers)) for p in backbone.parameters()}
    for place, layer in enumerate(layers):
        found |= {id(p): (f"layer_{place}", len(layers) - 1 - place) for p in layer.parameters()}
    prompt = prompt_of(model)  # stands before the layers, and was not pretrained
    for part in [*last_norms(model), *([] if prompt is None else [prompt])]:
        found |= {id(p): ("above", 0) for p in part.parameters()}
    return found


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
