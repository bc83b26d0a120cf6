"""whole_float32: compute products in full float32, whatever precision the process uses, also with many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lit_rec.models.text.process_setting import ProcessSetting


@contextmanager
def whole_float32(device: str) -> Iterator[None]:
    """Compute products in full float32 inside this context, also if the process rounds them to fewer bits.

    If the process uses the highest precision, which is the default, nothing is set, and threads do not wait.

    Args:
        device: Type of the device; autocast is turned off for it in this thread.

    Example:
        >>> torch.set_float32_matmul_precision("high")
        >>> with whole_float32("cpu"):
        ...     torch.get_float32_matmul_precision()
        'highest'
        >>> torch.get_float32_matmul_precision()
        'high'
        >>> torch.set_float32_matmul_precision("highest")
    """
    with torch.autocast(device, enabled=False):
        if not _HIGHEST.is_made and _precision() in {"highest", None}:
            yield
            return
        with _HIGHEST.made():
            yield


def _precision() -> str | None:
    """Return the precision; None if it was set for only one backend.

    Rounded products choose candidates less accurately, so that more searches must be repeated.
    """
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return None


@contextmanager
def _highest() -> Iterator[None]:
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


_HIGHEST = ProcessSetting(_highest)
