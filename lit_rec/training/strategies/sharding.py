"""Functions for an encoder that is divided among processes (FSDP); each process has all other weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from lit_rec.errors import ConfigError, option_of
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.network import Network
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.tuning import encoder_layers
from lit_rec.processes import whole


def shard_encoder(network: Network, mesh: DeviceMesh, device: torch.device) -> None:
    """Divide a network's encoder among the processes; all get the weights of the first process.

    The layers are gathered one at a time, and again in the backward pass. Weights outside the encoder are not divided:
    they are few, and scalar parameters cannot be divided. All processes must call the encoder equally often, so a
    process with fewer chunks of texts adds empty chunks.

    Args:
        network: A new network.
        mesh: The processes, in one dimension.
        device: This process's device.

    Raises:
        ConfigError: If the network encodes in each batch of an evaluation, or the encoder has a scalar parameter.

    Reference:
        Zhao et al. 2023, PyTorch FSDP, https://arxiv.org/abs/2304.11277.
    """
    backbone = _divisible(network)
    _copy_first(network, device)
    for part in [*_layers(backbone.model), backbone]:
        fully_shard(part, mesh=mesh, reshard_after_forward=True)
    for module in network.modules():
        if isinstance(module, ItemEncoder):
            module.share(lambda calls: _most(calls, device))


def part_like(tensor: Tensor, like: Tensor) -> Tensor:
    """Return this process's part of a tensor, divided as ``like`` is; the whole tensor if ``like`` is not divided."""
    if not isinstance(like, DTensor):
        return tensor
    mesh, own = like.device_mesh, like.to_local()
    rows = -(-len(like) // mesh.size())  # the last processes have fewer, or none
    start = min(mesh.get_local_rank() * rows, len(like))
    part = tensor[start : start + len(own)].to(own.device, copy=True)
    return DTensor.from_local(
        part, mesh, like.placements, run_check=False, shape=like.shape, stride=like.stride()
    )


def average_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Average the gradients of undivided parameters over processes; FSDP has averaged the others.

    A parameter without a gradient on all processes has none afterwards.
    """
    parameters = [p for p in _parameters(optimizer) if not isinstance(p, DTensor)]
    if not parameters:
        return
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    present = gradients[0].new_tensor([p.grad is not None for p in parameters])
    # one message for all: there are dozens of small gradients
    message = torch.cat([*(gradient.flatten() for gradient in gradients), present])
    torch.distributed.all_reduce(message)
    sizes = [gradient.numel() for gradient in gradients]
    *sums, present = torch.split(message, [*sizes, len(parameters)])
    processes = torch.distributed.get_world_size()
    for parameter, total, given in zip(parameters, sums, present.tolist(), strict=True):
        parameter.grad = (total / processes).view_as(parameter) if given else None


def clip_norm(optimizer: torch.optim.Optimizer, largest: float) -> None:
    """Scale all gradients so that their total norm is at most ``largest``.

    PyTorch's own function does not accept divided and whole tensors together.
    """
    gradients = [p.grad for p in _parameters(optimizer) if p.grad is not None]
    parts = [g.to_local() for g in gradients if isinstance(g, DTensor)]
    others = [g for g in gradients if not isinstance(g, DTensor)]
    if not gradients:
        return
    zero = torch.zeros((), device=gradients[0].device)
    square = sum((part.float().square().sum() for part in parts), zero)
    torch.distributed.all_reduce(square)
    square = sum((other.float().square().sum() for other in others), square)
    factor = (largest / (square.sqrt() + 1e-6)).clamp(max=1.0)
    for gradient in [*parts, *others]:
        gradient.mul_(factor)


def clip_value(optimizer: torch.optim.Optimizer, largest: float) -> None:
    """Clip every coordinate of the gradients to the range from ``-largest`` to ``largest``."""
    for parameter in _parameters(optimizer):
        gradient = parameter.grad
        if gradient is not None:
            own = gradient.to_local() if isinstance(gradient, DTensor) else gradient
            own.clamp_(-largest, largest)


def whole_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return an optimizer's whole state, as without division; every process calls this."""
    state = optimizer.state_dict()
    moments = {
        number: {name: whole(v) if isinstance(v, Tensor) else v for name, v in known.items()}
        for number, known in state["state"].items()
    }
    return state | {"state": moments}


def parts_of_state(state: dict[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return this process's part of a whole state, from ``whole_state`` or an undivided run's ``state_dict``."""
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    own = dict(zip(numbers, _parameters(optimizer), strict=True))

    def part(value: Any, parameter: Tensor) -> Any:
        # the number of steps belongs to the parameter, not to its coordinates
        moment = isinstance(value, Tensor) and value.shape == parameter.shape
        return part_like(value, parameter) if moment else value

    moments = {
        number: {name: part(value, own[number]) for name, value in known.items()}
        for number, known in state["state"].items()
    }
    return state | {"state": moments}


def _divisible(network: Network) -> Backbone:
    """Return the encoder of a network, and check that it can be divided."""
    ddp = "take ddp; where memory is short, lower max_tokens_per_chunk or set recompute: true"
    if not network.has_item_table:
        raise ConfigError(
            f"{type(network).__name__} encodes in each batch of an evaluation, "
            "and processes have different numbers of these",
            where=option_of("Trainer", "strategy"),
            rule="processes that share an encoder call it equally often: a network with a table of items",
            remedy=ddp,
        )
    if network.backbone is None:
        raise ConfigError(
            f"{type(network).__name__} of items without texts has no encoder to divide",
            where=option_of("Trainer", "strategy"),
            rule="a network with a text encoder",
            remedy="take ddp",
        )
    for name, weight in network.backbone.named_parameters():
        if not weight.dim():
            raise ConfigError(
                f"the encoder's {name} is a single number",
                where=option_of("Trainer", "strategy"),
                rule="parameters of one dimension or more, so that each process can have a part",
                remedy=ddp,
            )
    return network.backbone


def _copy_first(network: nn.Module, device: torch.device) -> None:
    """Copy the first process's weights to all, because their random initial weights may differ."""
    with torch.no_grad():
        for weight in [*network.parameters(), *network.buffers()]:
            sent = weight.to(device)
            torch.distributed.broadcast(sent, src=0)
            weight.copy_(sent)


def _layers(model: nn.Module) -> Iterable[nn.Module]:
    try:
        return encoder_layers(model)
    except ConfigError:  # unknown structure: gathered as one
        return []


def _most(calls: int, device: torch.device) -> int:
    most = torch.tensor(calls, device=device)
    torch.distributed.all_reduce(most, torch.distributed.ReduceOp.MAX)
    return int(most)


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
