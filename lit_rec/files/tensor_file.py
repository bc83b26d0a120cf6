"""Files of ``torch.save``, written by handle: where a disk is full, PyTorch alone does not say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch


def save_tensors(content: Any, path: Path) -> None:
    """Write ``content`` as ``torch.save`` does.

    Raises:
        OSError: If the disk is full; PyTorch may wrap it in an error of its own.
    """
    with path.open("wb") as file:
        torch.save(content, file)
