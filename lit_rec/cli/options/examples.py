"""Files that errors name as examples: those that are there, since a command with them works."""

from __future__ import annotations

import shlex
from pathlib import Path

_CONFIGS = ("my_data.yaml", "configs/quickstart.yaml")  # what `lit-rec init` writes, and ours


def with_checkpoint(command: str) -> str:
    """Return how a command is given a checkpoint: the newest one below checkpoints, or the command that writes one.

    Args:
        command: The command without ``--ckpt_path``.
    """
    found = [*Path("checkpoints").glob("*/version_*/best.ckpt")]
    if not found:
        return "train first: `lit-rec fit` writes best.ckpt, as checkpoints/quickstart/version_0/best.ckpt"
    newest = max(found, key=lambda path: path.stat().st_mtime)
    return f"{command} --ckpt_path {shlex.quote(str(newest))}"


def with_config(command: str) -> str:
    """Return how a command is given a configuration that is there, or the command that writes one.

    Args:
        command: The command without ``-c``.
    """
    found = next((path for path in _CONFIGS if Path(path).is_file()), None)
    if found is None:
        return f"write one for your tables, lit-rec init BEHAVIORS ITEMS, then {command} -c my_data.yaml"
    return f"{command} -c {found}"
