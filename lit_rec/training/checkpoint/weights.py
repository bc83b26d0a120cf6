"""Checks of a checkpoint's weights and training state against the network, data and run that use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from torch import Tensor, nn

from lit_rec.data.facts import Facts
from lit_rec.errors import CheckpointError

Shapes = Mapping[str, tuple[int, ...] | None]


def check_weights(checkpoint: dict[str, Any], module: nn.Module, *, where: str = "") -> None:
    """Check that a checkpoint has exactly the weights of ``module``, with the same shapes.

    Args:
        checkpoint: The result of ``torch.load``.
        module: The module that will load them.
        where: The checkpoint as the user named it.

    Raises:
        CheckpointError: If weights are absent, unknown, or of another shape, naming them.
    """
    there = checkpoint.get("state_dict")
    there = there if isinstance(there, dict) else {}
    here = {name: shape_of(weight) for name, weight in module.state_dict().items()}
    if problems := other_weights({name: shape_of(w) for name, w in there.items()}, here):
        raise other_network(problems, where)


def other_weights(there: Shapes, here: Shapes) -> list[str]:
    """Return the differences between a checkpoint's weights and a network's, each in a few words."""
    problems = [f"{name} is absent" for name in here if name not in there]
    problems += [f"{name} is not of the network" for name in there if name not in here]
    return problems + [
        f"{name} has shape {there[name]}, in the network {shape}"
        for name, shape in here.items()
        if name in there and there[name] != shape
    ]


def other_network(problems: Sequence[str], where: str) -> CheckpointError:
    """Return the error for weights that do not fit a network."""
    return CheckpointError(
        "its weights are not those of its network",
        where=where,
        details=problems,
        rule="a whole checkpoint, of the network that is built here",
        remedy="use the file as `lit-rec fit` wrote it, with the same version of lit_rec",
    )


def check_facts(stored: Facts, facts: Facts) -> None:
    """Check that a run resumes with the same data.

    Args:
        stored: Facts of the checkpoint.
        facts: Facts of the data.

    Raises:
        CheckpointError: If they differ, naming both values.
    """
    here, there = asdict(facts), asdict(stored)
    clash = [
        f"{name}: {_short(here[name])} in the data, {_short(there[name])} in the checkpoint"
        for name in here
        if name != "backbone" and here[name] != there[name]
    ]
    if clash:
        raise CheckpointError(
            "the checkpoint was trained on other data",
            details=clash,
            rule="a resumed run has the data and options that it began with",
            remedy="restore the data and options, or start a new run without --ckpt_path",
        )


def check_trainer(checkpoint: Mapping[str, Any], *, where: str = "") -> None:
    """Check that a Trainer can read a checkpoint; other classes need fewer entries.

    Args:
        checkpoint: The result of ``torch.load``.
        where: The checkpoint as the user named it.

    Raises:
        CheckpointError: If it does not say which version of Lightning wrote it.
    """
    if "pytorch-lightning_version" not in checkpoint:
        raise CheckpointError(
            "it has no pytorch-lightning_version",
            where=where,
            rule="a checkpoint that a Trainer wrote, such as best.ckpt of a run",
            remedy="copy the file again, or use it in Python: Recommender.from_checkpoint",
        )


def check_training_state(checkpoint: dict[str, Any], *, where: str = "") -> None:
    """Check that a run can resume from a checkpoint.

    Args:
        checkpoint: The result of ``torch.load``.
        where: The checkpoint as the user named it.

    Raises:
        CheckpointError: If it holds only the model.
    """
    absent = [n for n in ("optimizer_states", "lr_schedulers", "loops") if n not in checkpoint]
    if absent:
        raise CheckpointError(
            f"no run can resume from it: it holds no {', '.join(absent)}",
            where=where,
            rule="the state of training, which `lit-rec slim` and save_weights_only=true leave out",
            remedy="name a last.ckpt or best.ckpt with it, or start a new run without --ckpt_path",
        )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def shape_of(value: object) -> tuple[int, ...] | None:
    """Return the shape of a tensor; None for anything else."""
    return tuple(value.shape) if isinstance(value, Tensor) else None
