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
    near = sorted(p.name for p in path.parent.glob("*.ckpt"))[:3] if path.parent.is_dir() else []
    raise CheckpointError(
        "this is a folder" if path.is_dir() else f"there is no such file (seen from {Path.cwd()})",
        where=f"{option} {path}",
        rule="a checkpoint file, such as checkpoints/quickstart/version_0/best.ckpt",
        remedy=f"in the same folder are {', '.join(near)}"
        if near
        else "check the path, or run `lit-rec fit` first",
    )
