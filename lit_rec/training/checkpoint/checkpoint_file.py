"""Whether a named checkpoint is a file; this needs no torch, so a wrong name is refused at once."""

from __future__ import annotations

from pathlib import Path

from lit_rec.errors import CheckpointError


def check_is_file(path: str | Path, option: str = "--ckpt_path") -> None:
    """Check that a checkpoint is a file.

    Args:
        path: The file.
        option: How the user named it, for the error.

    Raises:
        CheckpointError: If it is absent, or a folder.
    """
    path = Path(path)
    if path.is_file():
        return
    folder = path if path.is_dir() else path.parent
    patterns = ("*.ckpt", "*/*.ckpt") if path.is_dir() else ("*.ckpt",)
    inside = (sorted(folder.glob(pattern)) for pattern in patterns)
    near = next(filter(None, ([p for p in found if p.is_file()] for found in inside)), [])
    raise CheckpointError(
        "this is a folder" if path.is_dir() else f"there is no such file (seen from {Path.cwd()})",
        where=f"{option} {path}",
        rule="a checkpoint file, such as checkpoints/quickstart/version_0/best.ckpt",
        remedy=f"name {' or '.join(map(str, near[:3]))}"
        if near
        else "check the path, or run `lit-rec fit` first",
    )
