"""Whether a name is that of a file or folder."""

from __future__ import annotations

from pathlib import Path


def is_there(name: str | Path) -> bool:
    r"""Return whether there is a file or folder of this name.

    A text that cannot be a name, since it is too long or holds a NUL, names none.

    Example:
        >>> is_there("."), is_there("a" * 10_000), is_there("\0")
        (True, False, False)
    """
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False
