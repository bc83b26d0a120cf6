"""A cache folder that one process builds once, completely or not at all."""

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
# what a killed build leaves next to ``folder``; in version 0.1.0 its name ends with the process's number
_TRACE = re.compile(r"\.(?P<folder>.+-[0-9a-f]{16})\.(?P<kind>lock|part|\d+)")


def hash_of(value: Any) -> str:
    """Hash plain values; equal values give equal hashes whatever the order of their keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_plain).encode()).hexdigest()


def hash_of_files(paths: Iterable[Path]) -> list[str]:
    """Hash the content of each file: a change is noticed even where name and time stay the same."""
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

    Two processes that call this at once share one build: the second waits. The folder appears by a rename, so a killed
    build leaves nothing that looks complete. The next call removes what it left. Each file's size and checksum are
    compared on opening, and a damaged folder is built again.

    Args:
        root: The folder of all caches.
        name: What it holds, for people.
        key: Hash of everything it was made from.
        build: Writes files into an empty folder.

    Raises:
        ConfigError: If ``root`` cannot be written. Other errors of ``build`` are not changed.
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
    """Remove what killed builds left in a cache: unfinished folders, and locks that no process holds."""
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
    """Return whether the cache cannot be written, and not an input that is read while the cache is built."""
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
    """Return whether ``cached`` built a folder, damaged or not: it has a manifest."""
    return (folder / _MANIFEST).is_file()


def remove_built(folder: Path) -> None:
    """Remove the files that ``cached`` wrote into a folder, and the folder itself where it is then empty.

    The manifest lists the files and is removed last, so that the next call can finish an interrupted removal.
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
        with suppress(OSError):  # it is not empty
            path.rmdir()


def is_whole(folder: Path, key: str | None) -> bool:
    """Return whether a folder has this key and is as ``cached`` built it, by size and checksum of each file.

    With ``key`` None, any key is accepted.
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
    """Return whether a name of a manifest is inside its folder: a copied cache may come from an unknown source."""
    return not Path(name).is_absolute() and ".." not in Path(name).parts


def _sum(path: Path) -> list[int]:
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            checksum = zlib.crc32(block, checksum)
    return [path.stat().st_size, checksum]
