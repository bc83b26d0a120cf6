"""Rules of stored tensors: the dtypes, shapes and ranges that an entry of a checkpoint may have."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from lit_rec.training.checkpoint.values import EntryError, Rule, shown

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WHOLE = (torch.int32, torch.int64)


def tensor(value: Any, entry: str, kinds: Collection[torch.dtype] | None = None) -> None:
    """Check for a plain CPU tensor that is stored completely: an expanded view of few numbers could fill the memory."""
    if type(value) is not Tensor or value.requires_grad:
        raise EntryError(entry, shown(value), "a tensor")
    plain = value.layout is torch.strided and value.device.type == "cpu"
    if not plain or value.is_quantized or value.is_neg() or value.is_conj():
        raise EntryError(
            entry, f"{shown(value)}, {value.layout} on {value.device}", "a plain tensor"
        )
    if kinds is not None and value.dtype not in kinds:
        known = " or ".join(str(kind).removeprefix("torch.") for kind in kinds)
        raise EntryError(entry, shown(value), f"a tensor of {known}")
    if value.numel() * value.element_size() > value.untyped_storage().nbytes():
        there = value.untyped_storage().nbytes()
        raise EntryError(entry, f"{shown(value)} over {there:,} bytes", "all of its numbers stored")


def shaped(value: Tensor, entry: str, shape: Sequence[int | None]) -> None:
    """Check a tensor's shape; None means any size."""
    fits = len(shape) == value.dim() and all(
        a is None or a == b for a, b in zip(shape, value.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise EntryError(entry, shown(value), f"the shape [{wanted}]")


def places(shape: Sequence[int | None], size: int, *, gaps: bool = False) -> Rule:
    """Return the rule of whole numbers from 0 to below ``size``; with ``gaps``, -1 (no value) is allowed too."""
    low = -1 if gaps else 0

    def check(value: Any, entry: str) -> None:
        tensor(value, entry, _WHOLE)
        shaped(value, entry, shape)
        if value.numel():
            least, most = (int(end) for end in value.aminmax())
            if least < low or most >= size:
                wrong = least if least < low else most
                raise EntryError(entry, f"the number {wrong}", f"numbers from {low} to {size - 1}")

    return check


def offsets(parts: int | None, size: int) -> Rule:
    """Return the rule of ``[parts + 1]`` offsets from 0 to ``size`` that never decrease."""
    shape = [None if parts is None else parts + 1]
    rule = f"offsets from 0 to {size} that never decrease"

    def check(value: Any, entry: str) -> None:
        tensor(value, entry, _WHOLE)
        shaped(value, entry, shape)
        if not len(value) or int(value[0]) != 0 or int(value[-1]) != size:
            ends = f"offsets from {value[0]} to {value[-1]}" if len(value) else "no offset"
            raise EntryError(entry, ends, rule)
        back = (value[1:] < value[:-1]).nonzero()
        if len(back):
            place = int(back[0])
            pair = f"{int(value[place + 1])} after {int(value[place])} at {place}"
            raise EntryError(entry, pair, rule)

    return check


def finite(value: Tensor, entry: str, *, gaps: bool = False) -> None:
    """Check that a tensor's numbers are finite; with ``gaps``, NaN (no value) is allowed too."""
    if not value.is_floating_point() or not value.numel():
        return
    wrong = (
        bool(value.isinf().any())
        if gaps
        else not all(map(math.isfinite, (float(end) for end in value.aminmax())))
    )
    if wrong:
        odd = value[value.isinf() if gaps else ~value.isfinite()]
        problem = f"{float(odd[0])} at {len(odd):,} of {value.numel():,} places"
        remedy = "train with a lower rate, or use an earlier checkpoint"
        raise EntryError(entry, problem, "finite numbers", remedy)


def floats(shape: Sequence[int | None], *, gaps: bool = False) -> Rule:
    """Return the rule of finite numbers; with ``gaps``, NaN (no value) is allowed too."""

    def check(value: Any, entry: str) -> None:
        tensor(value, entry, _FLOATS)
        shaped(value, entry, shape)
        finite(value, entry, gaps=gaps)

    return check
