"""A folder that is built once, whole or not at all, by one process."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock

from lit_rec.errors import ConfigError, LitRecError

_MANIFEST = "manifest.json"
_FULL = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)
_FULL_TEXT = re.compile(
    rf"os error (?:{'|'.join(map(str, _FULL))})\b|\d+ requested and \d+ written"
)


def hash_of(value: Any) -> str:
    """Hash plain values; equal values give equal hashes whatever the order of their keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()


def hash_of_files(paths: Iterable[Path]) -> list[str]:
    """Hash the content of each file: a changed table is noticed even where its name and time are not."""
    hashes = []
    for path in paths:
        with path.open("rb") as file:
            hashes.append(f"{path.name}:{hashlib.file_digest(file, 'sha256').hexdigest()}")
    return hashes


def options_of(part: object) -> dict[str, Any]:
    """Describe a part by its class and its options, for a cache key."""
    return {"class": f"{type(part).__module__}.{type(part).__qualname__}", **vars(part)}


def _plain(value: object) -> Any:
    return str(value) if isinstance(value, Path) else options_of(value)


def cached(root: Path, name: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the folder ``root/name-key``, built by ``build`` if it is absent or damaged.

    Two processes that ask at once get one build: the second waits. The folder appears by a rename, so a killed build leaves nothing
    that looks whole; each file's size and checksum are compared on opening, and a damaged folder is built anew.

    Args:
        root: Where caches live.
        name: What it holds, for people.
        key: Hash of everything it was made from.
        build: Writes files into an empty folder.

    Raises:
        ConfigError: If ``root`` cannot be written. What else goes wrong in ``build`` comes through as it is.
    """
    folder = root / f"{name}-{key[:16]}"
    lock = FileLock(root / f".{folder.name}.lock")
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise _unwritable(root, error) from error
    try:
        if not is_whole(folder, key):
            _build(folder, key, build)
    except Exception as error:
        if _is_of_the_cache(error, root):
            raise _unwritable(root, error) from error
        raise
    finally:
        lock.release()
    return folder


def _is_of_the_cache(error: Exception, root: Path) -> bool:
    """Tell a cache that cannot be written from an input that cannot be read while the cache is built."""
    filename = getattr(error, "filename", None)
    if filename is not None:
        return Path(os.fsdecode(filename)).absolute().is_relative_to(root.absolute())
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    # polars and NumPy keep the number and the file to themselves, or put them into the text
    return not isinstance(error, LitRecError) and bool(_FULL_TEXT.search(str(error)))


def _unwritable(root: Path, error: Exception) -> ConfigError:
    return ConfigError(
        f"{root} cannot be written ({getattr(error, 'strerror', None) or error})",
        where="data.cache_folder",
        rule="a folder with room that this user can write",
        remedy="set data.cache_folder to another place",
    )


def _build(folder: Path, key: str, build: Callable[[Path], None]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    work = folder.with_name(f".{folder.name}.{os.getpid()}")
    for left in folder.parent.glob(f".{folder.name}.*"):  # of a build that was killed
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
    work.mkdir()
    try:
        build(work)
        files = {str(p.relative_to(work)): _sum(p) for p in sorted(work.rglob("*")) if p.is_file()}
        (work / _MANIFEST).write_text(json.dumps({"key": key, "files": files}))
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def is_whole(folder: Path, key: str | None) -> bool:
    """Return whether a folder is as ``cached`` built it, by size and checksum of each file, and of this key; None: of whatever key."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        return key in (manifest["key"], None) and all(
            _sum(folder / name) == expected for name, expected in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _sum(path: Path) -> list[int]:
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            checksum = zlib.crc32(block, checksum)
    return [path.stat().st_size, checksum]
