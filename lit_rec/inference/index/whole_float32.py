"""Products in whole float32, whatever precision training was set to, in one thread or in many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from lit_rec.models.text.process_setting import ProcessSetting


@contextmanager
def whole_float32(device: str) -> Iterator[None]:
    """Compute products in float32 for a while, even where training was set to round them to fewer bits.

    Where the process has the highest precision, as by default, nothing is set, and no thread waits for another.

    Args:
        device: Where is computed, for autocast is off too, in this thread.

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
    """Return the precision; None where it was set for one backend.

    Rounded products choose worse, and lists take longer to be certain.
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
