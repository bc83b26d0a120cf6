"""The cache folder that a checkpoint names: it is written to, and a stranger may have chosen its name."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

DEFAULT = ".lit_rec_cache"  # of a datamodule, in the folder that a command runs in


def is_cache(folder: Path) -> bool:
    """Say whether a folder is a cache of prepared data by lit_rec: nothing of another kind is in danger there."""
    with suppress(OSError, ValueError):  # a name with a zero byte is no path
        for manifest in folder.glob("*/manifest.json"):
            with suppress(OSError, ValueError):
                content = json.loads(manifest.read_text(encoding="utf-8"))
                if isinstance(content, dict) and content.keys() == {"key", "files"}:
                    return True
    return False


def cache_of_checkpoint(named: object, checkpoint: Path) -> str:
    """Return the folder that an evaluation prepares its data in.

    Args:
        named: ``data.cache_folder`` of the stored configuration.
        checkpoint: The file; where another folder is named that is no cache, one of its own is made next to it.
    """
    if named == DEFAULT or (isinstance(named, str) and is_cache(Path(named))):
        return str(named)
    return str(checkpoint.parent / DEFAULT)
