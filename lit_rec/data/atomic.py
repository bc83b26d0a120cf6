"""Write a file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lit_rec.errors import ConfigError


def replace_file(path: Path, write: Callable[[Path], Any]) -> None:
    """Have ``write`` fill a file beside ``path``, then put it in place; an old file stays until then.

    Raises:
        ConfigError: If the folder cannot be written, or the disk is full.
    """
    work = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(work)
        work.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):  # the folder itself may not be one
            work.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError) -> ConfigError:
    """Return what to tell of a file that cannot be written."""
    return ConfigError(
        f"cannot be written ({error.strerror or error})",
        where=str(path),
        rule="a folder with room that this user can write",
        remedy="make room, change its permissions, or choose another folder",
    )
