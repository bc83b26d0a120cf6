"""ListParts: finished blocks as files next to the result, so that a killed run can resume."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from pathlib import Path

import polars as pl

from lit_rec.errors import ConfigError
from lit_rec.files.atomic import remove_unfinished, replace_file, unwritable
from lit_rec.files.lock import FileLock
from lit_rec.files.parquet import write_parquet

# loaders of a killed command hold its lock until they notice, which takes five seconds
_PATIENCE = 10.0  # seconds
_BLOCK = re.compile(r"[0-9]{8,}\.parquet")
_SCHEMA = pl.Schema(
    {"user_id": pl.String, "rank": pl.Int32, "item_id": pl.String, "score": pl.Float32}
)


class ListParts:
    """The blocks of one result, each in a file that is written whole or not at all, by one command at a time.

    Args:
        result: The file that the blocks are joined to.
        key: The fingerprint of the lists. It is part of the folder's name, so that blocks of other lists are not used.
    """

    def __init__(self, result: Path, key: str) -> None:
        self._result = result
        self.folder = result.with_name(f".{result.stem}.{key[:16]}")
        self._lock = FileLock(result.with_name(f".{result.stem}.lock"))

    def claim(self) -> None:
        """Lock the result for this command until ``release``, or until this process ends or is killed.

        One process calls this.

        Raises:
            ConfigError: If another command writes this result, or the folder cannot be written.
        """
        path = self._result
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            claimed = self._lock.acquire(_PATIENCE)
        except OSError as error:
            raise unwritable(path, str(error.strerror or error)) from error
        if not claimed:
            raise ConfigError(
                f"another predict writes {path.name} there",
                where=str(path.parent),
                rule="one command at a time makes lists in a folder: two would remove each other's blocks",
                remedy="wait until it has ended, or copy the checkpoint to another folder, which gets its own lists",
            )

    def release(self) -> None:
        """Unlock the result, if it is locked."""
        self._lock.release()

    def found(self) -> set[int]:
        """Return the numbers of the blocks that are done, and remove blocks of other lists.

        One process calls this.
        """
        of_blocks = re.compile(rf"\.{re.escape(self._result.stem)}\.[0-9a-f]{{16}}")
        for other in self._result.parent.iterdir():
            is_link = other.is_symlink()
            if of_blocks.fullmatch(other.name) and other != self.folder and not is_link:
                _remove_blocks(other)
        return {int(path.stem) for path in _blocks(self.folder)}

    def write(self, number: int, frame: pl.DataFrame) -> None:
        """Write a block.

        Raises:
            ConfigError: If the folder cannot be written, or the disk is full.
        """
        replace_file(self._path(number), partial(write_parquet, frame.cast(_SCHEMA)))

    def join(self, count: int) -> int:
        """Join ``count`` blocks to the result, remove them, and return the number of rows.

        Only a part of the result is in memory at a time.

        Raises:
            ConfigError: If the folder cannot be written, or the disk is full.
        """
        # in order, and as full paths in which Polars expands no pattern, no `~` and no `name=value`
        paths = [self._path(number).absolute() for number in range(count)]
        whole = pl.scan_parquet(paths, glob=False, hive_partitioning=False)
        rows: list[int] = []

        def write(work: Path) -> None:
            with work.open("wb") as file:
                whole.sink_parquet(file)
            rows.append(int(whole.select(pl.len()).collect().item()))

        replace_file(self._result, write)
        _remove_blocks(self.folder)
        return rows[0]

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}.parquet"


def _blocks(folder: Path) -> list[Path]:
    """Return the block files of a folder."""
    return [path for path in folder.glob("*.parquet") if _BLOCK.fullmatch(path.name)]


def _remove_blocks(folder: Path) -> None:
    """Remove the blocks, and the folder if it is empty then."""
    remove_unfinished(folder)
    for path in _blocks(folder):
        path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
