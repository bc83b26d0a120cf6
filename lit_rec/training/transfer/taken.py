"""Take what fits of a checkpoint's weights into a network of other data, and say what was taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from lit_rec.data.facts import Facts
from lit_rec.data.targets.pretraining import PretrainingTarget
from lit_rec.models.items.field_sum import FieldSum
from lit_rec.models.networks.network import Network
from lit_rec.training.transfer.named_rows import Merged, Rows, merged
from lit_rec.training.transfer.same_encoder import encoder_sources, prefix_of
from lit_rec.training.transfer.vocabularies import (
    fitted_again,
    named_rows,
    renamed_fields,
    sources,
)

_ABSENT = "not in the checkpoint"
_UNTRAINED = ("item_encoder.fields.", "item_encoder.ids.")  # by pretraining
_MOST = 4  # weights that a line names


@dataclass
class Taken:
    """What was taken of a checkpoint.

    Args:
        whole: Weights that were taken whole.
        parts: Weights of which some rows were taken, each with how many of its names are known.
        not_taken: Weights that begin as in any run, each with the reason.
    """

    whole: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    not_taken: dict[str, str] = field(default_factory=dict)

    def lines(self, where: str) -> list[str]:
        """Return what was taken as lines for the screen.

        Example:
            >>> found = Taken(["head.scale"], {"item_encoder.ids.bias.weight": "3 of 9 items"}, {"start.share": "why"})
            >>> print(*found.lines("best.ckpt"), sep=chr(10))
            start_from best.ckpt
              taken: head (1)
              taken in part: item_encoder.ids.bias.weight (3 of 9 items)
              not taken: start.share (why)
        """
        counts: dict[str, int] = {}
        for name in self.whole:
            counts[_part(name)] = counts.get(_part(name), 0) + 1
        taken = ", ".join(f"{part} ({count})" for part, count in counts.items())
        lines = [f"start_from {where}", f"  taken: {taken or 'nothing'}"]
        for name, why in self.parts.items():
            lines.append(f"  taken in part: {name} ({why})")
        reasons: dict[tuple[str, str], list[str]] = {}
        for name, why in self.not_taken.items():
            reasons.setdefault((_part(name), why), []).append(name)
        for (part, why), names in reasons.items():
            named = ", ".join(names) if len(names) <= _MOST else f"{len(names)} weights of {part}"
            lines.append(f"  not taken: {named} ({why})")
        return lines


@torch.no_grad()
def take(
    network: Network, facts: Facts, weights: Mapping[str, Tensor], stored: Facts, where: str
) -> Taken:
    """Take what fits of a checkpoint into a network.

    A weight fits if it has the same name and shape. Of one whose rows belong to names (ids, labels, events, categories,
    fields of texts), the rows of names that both know are taken. Closed forms are not taken: they are fitted to the
    training rows. What ``FieldSum`` measures of the training items before the first step is kept as the checkpoint has
    it, where it has it: its projections belong to that.

    Args:
        network: A new network; its weights are changed in place.
        facts: Facts of its data.
        weights: Weights of the checkpoint's network.
        stored: Facts of the checkpoint.
        where: The checkpoint as the user named it.

    Raises:
        CheckpointError: If the checkpoint's encoder is another one.
    """
    found, own = Taken(), network.state_dict()
    other = sources(network, facts, stored)
    of_texts_alone = isinstance(stored.target, PretrainingTarget)
    if network.backbone is not None and (prefix := prefix_of(own)):
        from_encoder = encoder_sources(network.backbone, prefix, weights, where)
        other |= {name: from_encoder.get(name) for name in own if name.startswith(prefix)}
    stored = replace(
        stored,
        fields=renamed_fields(facts.fields, stored.fields),
        profile_texts=renamed_fields(facts.profile_texts, stored.profile_texts),
    )
    rows, others, again = (
        named_rows(network, facts),
        named_rows(network, stored),
        fitted_again(network),
    )
    for name, here in own.items():
        closed = next((why for part, why in again.items() if name.startswith(part)), None)
        source = other.get(name, name)
        there = None if source is None else weights.get(source)
        if closed is not None:
            found.not_taken[name] = closed
        elif of_texts_alone and name.startswith(_UNTRAINED):
            found.not_taken[name] = "pretraining trains the encoder alone"
        elif there is None:
            found.not_taken[name] = _ABSENT
        else:
            _take_one(network, found, name, here, there, rows.get(name), others.get(name))
    return found


def _take_one(
    network: Network,
    found: Taken,
    name: str,
    here: Tensor,
    there: Tensor,
    rows: Rows | None,
    others: Rows | None,
) -> None:
    one: Merged | None = None
    if rows is not None and others is not None and rows.fits(here):
        one = merged(here, there, rows, others)
        if one is not None and one.names and not one.known:
            found.not_taken[name] = f"none of its {one.names:,} {rows.kind} is known there"
            return
    elif here.shape == there.shape:
        one = Merged(there.to(here.dtype), torch.ones_like(here, dtype=torch.bool), 0, 0)
    if one is None:
        found.not_taken[name] = f"shape {_shape(here)} here, {_shape(there)} there"
        return
    here.copy_(one.value)
    if one.known < one.names and rows is not None:
        found.parts[name] = f"{one.known:,} of {one.names:,} {rows.kind}"
    else:
        found.whole.append(name)
    path, part = _field_sum_of(network, name)
    if part is not None:
        part.keep(name.removeprefix(f"{path}."), one.value, one.taken)


def _field_sum_of(network: Network, name: str) -> tuple[str, FieldSum | None]:
    for path, module in network.named_modules():
        if isinstance(module, FieldSum) and name.startswith(f"{path}."):
            return path, module
    return "", None


def _shape(weight: Tensor) -> str:
    return "x".join(map(str, weight.shape)) or "1"


def _part(name: str) -> str:
    """Return the part of a network that a weight belongs to.

    Example:
        >>> _part("item_encoder.backbone.model.layer.0.weight"), _part("head.linear.weight")
        ('item_encoder.backbone', 'head')
    """
    first, _, rest = name.partition(".")
    return f"{first}.{rest.partition('.')[0]}" if first == "item_encoder" else first


def plain_weights(checkpoint: Mapping[str, Any], prefix: str = "network.") -> dict[str, Tensor]:
    """Return the weights of a checkpoint's network, by their names in it."""
    held = checkpoint["state_dict"].items()
    return {n.removeprefix(prefix): w for n, w in held if n.startswith(prefix)}
