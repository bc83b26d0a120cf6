"""Attention for texts of few tokens on a CPU: plain products, where they are faster than the fused kernel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from lit_rec.models.text.process_setting import ProcessSetting

_SHORT = 128  # up to this many tokens plain products made a step faster, with 12 heads of 32


@contextmanager
def short_attention(model: nn.Module, ids: Tensor) -> Iterator[None]:
    """Let ``scaled_dot_product_attention`` use plain products within a ``with`` block where they are faster.

    They are faster in bfloat16 on a CPU, with few tokens. There torch's fused kernel works on one text and head at a
    time, and its backward pass takes two to seven times as long as batched products of all of them. In float32 the
    fused kernel is faster. The result is the same up to rounding. The choice of kernel belongs to the process:
    meanwhile other threads use plain products, too.

    Args:
        model: The encoder; it computes in the type of its weights, or of autocast.
        ids: ``[P', T]``, token ids of its texts.

    Example:
        >>> query = torch.ones(1, 1, 2, 4, dtype=torch.bfloat16)
        >>> with short_attention(nn.Linear(4, 4, dtype=torch.bfloat16), torch.ones(1, 2)):
        ...     torch.nn.functional.scaled_dot_product_attention(query, query, query).shape
        torch.Size([1, 1, 2, 4])
    """
    if ids.device.type != "cpu" or ids.shape[1] > _SHORT or _dtype(model) != torch.bfloat16:
        yield
        return
    with _PLAIN.made():
        yield


@contextmanager
def _plain() -> Iterator[None]:
    flags = torch.backends.cuda  # they apply to plain products on every device
    before = flags.fp16_bf16_reduction_math_sdp_allowed()  # type: ignore[no-untyped-call]
    flags.allow_fp16_bf16_reduction_math_sdp(True)  # otherwise they are computed in float32
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        flags.allow_fp16_bf16_reduction_math_sdp(before)


_PLAIN = ProcessSetting(_plain)


def _dtype(model: nn.Module) -> torch.dtype:
    if torch.is_autocast_enabled("cpu"):
        return torch.get_autocast_dtype("cpu")
    return next((weight.dtype for weight in model.parameters()), torch.float32)
