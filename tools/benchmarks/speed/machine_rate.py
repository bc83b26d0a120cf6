"""The speed of this machine's matrix products on an encoder's shapes, and how much work of a step is useful.

Both are rows of tools/benchmark speed train.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

import torch
from torch import Tensor

_REPEATS = 3
# enough tokens to detect a machine without bfloat16, which takes half a minute for all tokens
_FEW, _IMITATED = 16, 10
_FASTER = 1.3  # bfloat16 pays from this multiple of float32's rate on, so that noise does not decide a tie


def matmul_rate(config: Any, tokens: int, dtype: torch.dtype) -> float:
    """Return floating-point operations a second of one layer's products.

    These are ``[tokens, d]`` by ``[d, d]`` four times, ``[d, f]`` and ``[f, d]``.

    Args:
        config: Configuration of the encoder, with width d and inner width f.
        tokens: Rows of the left matrix.
        dtype: Type of the matrices.
    """
    width, inner = config.hidden_size, config.intermediate_size
    rows, wide = torch.randn(tokens, width).to(dtype), torch.randn(tokens, inner).to(dtype)
    square = torch.randn(width, width).to(dtype)
    up, down = torch.randn(width, inner).to(dtype), torch.randn(inner, width).to(dtype)

    def layer() -> None:
        for _ in range(4):
            rows @ square
        rows @ up
        wide @ down

    layer()
    seconds = []
    for _ in range(_REPEATS):
        start = time.perf_counter()
        layer()
        seconds.append(time.perf_counter() - start)
    return tokens * _of_token(config) / median(seconds)


def fast_dtype(config: Any, tokens: int) -> torch.dtype:
    """Return bfloat16 where its products are faster than float32's on this machine, else float32."""
    for some, times in ((_FEW, 1 / _IMITATED), (tokens, _FASTER)):
        half, whole = (matmul_rate(config, some, d) for d in (torch.bfloat16, torch.float32))
        if half < times * whole:
            return torch.float32
    return torch.bfloat16


def useful_flops(lengths: Tensor, config: Any) -> float:
    """Return the floating-point operations of a training step that real tokens need, each distinct text once.

    Forward, a layer multiplies each token by its four projections and the two of its inner part, ``2 (4 d^2 + 2 d f)``,
    and compares the L tokens of a text with each other, ``4 d L^2``; backward takes twice as much. Padding, lookups of
    words, recomputation, pooling, heads and the optimizer do not count.

    Args:
        lengths: ``[P]`` tokens of each text, special ones included.
        config: Configuration of an encoder of BERT's kind.

    Example:
        >>> from types import SimpleNamespace
        >>> config = SimpleNamespace(hidden_size=2, intermediate_size=3, num_hidden_layers=1)
        >>> useful_flops(torch.tensor([1, 2]), config)  # 3 (3 * 56 + 8 * 5)
        624.0
    """
    of_layer = int(lengths.sum()) * _of_token(config)
    of_layer += 4 * config.hidden_size * int(lengths.square().sum())
    return 3.0 * config.num_hidden_layers * of_layer


def _of_token(config: Any) -> int:
    width, inner = config.hidden_size, config.intermediate_size
    return int(2 * (4 * width * width + 2 * width * inner))
