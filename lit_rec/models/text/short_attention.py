"""Attention of texts of few tokens on a CPU: plain products, where these are faster than the fused kernel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from lit_rec.models.text.process_setting import ProcessSetting

_SHORT = 128  # tokens up to which a training step was faster so, with 12 heads of 32


@contextmanager
def short_attention(model: nn.Module, ids: Tensor) -> Iterator[None]:
    """Have ``scaled_dot_product_attention`` multiply plainly for a while where its fused kernel is the slower.

    That is in bfloat16 on a CPU, with few tokens. There torch's kernel works through one text and head after the other,
    and its backward pass takes two to seven times as long as batched products of all of them. In float32 it is the
    fused one that is faster. What is computed is the same to rounding. The kernel is one of the process: while a thread
    multiplies so, others do too.

    Args:
        model: The encoder, which multiplies in what its weights are or what autocast makes of them.
        ids: ``[P', T]``, the words of its texts.

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
    flags = torch.backends.cuda  # they rule the plain products of every device
    before = flags.fp16_bf16_reduction_math_sdp_allowed()  # type: ignore[no-untyped-call]
    flags.allow_fp16_bf16_reduction_math_sdp(True)  # else they are those of float32
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
