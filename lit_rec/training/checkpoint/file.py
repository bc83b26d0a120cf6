"""The file of a checkpoint: read without running code, and without taking more memory than the file is long."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import torch

from lit_rec.errors import CheckpointError


def read_values(path: Path, where: str) -> Any:
    """Return what a file of ``torch.save`` holds, on the CPU.

    Args:
        path: The file.
        where: The file as the user named it.

    Raises:
        CheckpointError: If it cannot be read.
    """
    try:
        _check_archive(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise anything from OSError to UnicodeDecodeError
        raise CheckpointError(
            f"the file of {path.stat().st_size:,} bytes cannot be read ({type(error).__name__})",
            where=where,
            rule="a whole checkpoint written by lit_rec",
            remedy="copy it again, or use another checkpoint (last.ckpt beside best.ckpt)",
        ) from error


def _check_archive(path: Path) -> None:
    """Refuse what would be longer in memory than on disk: torch.save compresses nothing and stores nothing twice."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise zipfile.BadZipFile("compressed entries")
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise zipfile.BadZipFile("entries that are longer than the file")
