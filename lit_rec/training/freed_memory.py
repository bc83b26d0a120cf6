"""Memory that a step has freed, given back at once by a CPU's allocator."""

from __future__ import annotations

import ctypes
import platform

import torch
from torch import nn

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_PIECE = 1 << 20  # bytes: activations of a chunk are larger, what stays between them is smaller


def give_back_freed_memory(network: nn.Module, device: torch.device) -> bool:
    """Have glibc return each freed piece of a mebibyte or more, where a network recomputes its chunks on a CPU.

    Chunks differ in length, so what one leaves does not fit the next: without this, the process grows with the number
    of chunks though one chunk's activations are held at a time. It costs processor time, as ``recompute`` does, and is
    for those who chose memory.

    Args:
        network: The network.
        device: Where it is.

    Returns:
        Whether it was done: not on a GPU, not where nothing is recomputed, and not with another C library.
    """
    wanted = device.type == "cpu" and any(
        getattr(part, "recompute", False) for part in network.modules()
    )
    if not wanted or platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _PIECE))
