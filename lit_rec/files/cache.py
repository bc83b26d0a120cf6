"""A folder that is built once, whole or not at all, by one process."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lit_rec.errors import ConfigError, LitRecError, option_of
from lit_rec.files.atomic import disk_reason
from lit_rec.files.lock import FileLock, if_abandoned

_MANIFEST = "manifest.json"
# what a killed build leaves next to ``folder``; with the number of its process by version 0.1.0
_TRACE = re.compile(r"\.(?P<folder>.+-[0-9a-f]{16})\.(?P<kind>lock|part|\d+)")


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

    Two processes that ask at once get one build: the second waits. The folder appears by a rename, so a killed build
    leaves nothing that looks whole, and what it did leave is removed by the next call, whatever that asks for. Each
    file's size and checksum are compared on opening, and a damaged folder is built again.

    Args:
        root: Where caches live.
        name: What it holds, for people.
        key: Hash of everything it was made from.
        build: Writes files into an empty folder.

    Raises:
        ConfigError: If ``root`` cannot be written. What else goes wrong in ``build`` comes through as it is.
    """
    folder = root / f"{name}-{key[:16]}"
    remove_abandoned(root)
    if is_whole(folder, key):
        return folder
    lock = FileLock(_lock_of(folder))
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        if not is_whole(folder, key):
            _build(folder, key, build)
    except Exception as error:
        if _is_of_the_cache(error, root):
            raise _unwritable(root, error) from error
        raise
    finally:
        lock.release()
    return folder


def remove_abandoned(root: Path) -> None:
    """Remove from a cache what builds left that were killed: unfinished folders, and locks that nobody holds."""
    try:
        names = sorted(path.name for path in root.iterdir())
    except OSError:  # not there yet, or not ours to read
        return
    for name in names:
        found = _TRACE.fullmatch(name)
        if found is None:
            continue
        folder = root / found["folder"]
        if found["kind"] == "lock":
            _remove_lock(root / name)
        else:
            lock = FileLock(_lock_of(folder))
            with suppress(OSError):
                if lock.acquire(0) and lock.is_sure:
                    shutil.rmtree(root / name, ignore_errors=True)
            lock.release()


def _remove_lock(path: Path) -> None:
    with if_abandoned(path) as abandoned, suppress(OSError):
        if abandoned:
            path.unlink()


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _is_of_the_cache(error: Exception, root: Path) -> bool:
    """Tell a cache that cannot be written from an input that cannot be read while the cache is built."""
    filename = getattr(error, "filename", None)
    if filename is not None:
        return Path(os.fsdecode(filename)).absolute().is_relative_to(root.absolute())
    return not isinstance(error, LitRecError) and disk_reason(error) is not None


def _unwritable(root: Path, error: Exception) -> ConfigError:
    reason = disk_reason(error) or getattr(error, "strerror", None) or error
    return ConfigError(
        f"{root} cannot be written ({reason})",
        where=option_of("BehaviorDataModule", "cache_folder"),
        rule="a folder with room that this user can write",
        remedy="set BehaviorDataModule.cache_folder to another place",
    )


def _build(folder: Path, key: str, build: Callable[[Path], None]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    work = folder.with_name(f".{folder.name}.part")  # one process holds the lock of this name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        build(work)
        files = {str(p.relative_to(work)): _sum(p) for p in sorted(work.rglob("*")) if p.is_file()}
        (work / _MANIFEST).write_text(json.dumps({"key": key, "files": files}))
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def is_built(folder: Path) -> bool:
    """Return whether ``cached`` built a folder, whole or not: it has a manifest."""
    return (folder / _MANIFEST).is_file()


def remove_built(folder: Path) -> None:
    """Remove the files that ``cached`` wrote into a folder, and the folder where nothing else lies in it.

    The manifest says which they are and goes last: what is killed here is done by the next call.
    """
    try:
        names = list(json.loads((folder / _MANIFEST).read_text())["files"])
    except (OSError, ValueError, KeyError, TypeError):
        names = []
    inside = [
        folder / name
        for name in names
        if (folder / name).resolve().is_relative_to(folder.resolve())
    ]
    for path in [*inside, *([folder / _MANIFEST] if names else [])]:
        with suppress(OSError):
            path.unlink()
    for path in [*{path.parent for path in inside}, folder]:
        with suppress(OSError):  # something else lies in it
            path.rmdir()


def is_whole(folder: Path, key: str | None) -> bool:
    """Return whether a folder is as ``cached`` built it, by size and checksum of each file, and of this key.

    With ``key`` None it may be of any key.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        return key in (manifest["key"], None) and all(
            _is_inside(name) and _sum(folder / name) == expected
            for name, expected in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _is_inside(name: str) -> bool:
    """Return whether a name of a manifest stays in its folder: who copies a cache may not know who wrote it."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def _sum(path: Path) -> list[int]:
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            checksum = zlib.crc32(block, checksum)
    return [path.stat().st_size, checksum]
