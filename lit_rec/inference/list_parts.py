"""ListParts: finished blocks as files beside the result, so that a run that was killed goes on."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import polars as pl
from filelock import FileLock, Timeout

from lit_rec.data.atomic import replace_file, unwritable
from lit_rec.errors import ConfigError

# the loaders of a command that was killed hold its lock until they notice, which takes five
_PATIENCE = 10.0  # seconds
_SCHEMA = pl.Schema(
    {"user_id": pl.String, "rank": pl.Int32, "item_id": pl.String, "score": pl.Float32}
)


class ListParts:
    """The blocks of one result, each in a file that is written whole or not at all, by one command at a time.

    Args:
        result: The file that the blocks will make.
        key: A hash of everything that decides what they hold; its folder is named after it, so that no block of another result is
            taken for one of this.
    """

    def __init__(self, result: Path, key: str) -> None:
        self._result = result
        self.folder = result.with_name(f".{result.stem}.{key[:16]}")
        self._lock = FileLock(result.with_name(f".{result.stem}.lock"))

    def claim(self) -> None:
        """Keep other commands out until ``release``, or until this process has ended, killed or not; one process calls this.

        Raises:
            ConfigError: If another command writes this result, or the folder cannot be written.
        """
        path = self._result
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=_PATIENCE)
        except Timeout as error:
            raise ConfigError(
                f"another predict writes {path.name} there",
                where=str(path.parent),
                rule="one command at a time makes lists in a folder: two would take each other's blocks away",
                remedy="wait until it has ended, or copy the checkpoint to another folder, whose lists are its own",
            ) from error
        except OSError as error:
            raise unwritable(path, error) from error

    def release(self) -> None:
        """Let others in; nothing is done where nothing is claimed."""
        if self._lock.is_locked:
            with suppress(OSError):  # some systems remove no file that is open: the lock does then
                Path(self._lock.lock_file).unlink()
            self._lock.release()

    def found(self) -> set[int]:
        """Return the numbers of the blocks that are done, and remove what other results have left; one process calls this."""
        for other in self._result.parent.glob(f".{self._result.stem}.*"):
            if other.is_dir() and other != self.folder:
                shutil.rmtree(other, ignore_errors=True)
        return {int(path.stem) for path in self.folder.glob("*.parquet") if path.stem.isdigit()}

    def write(self, number: int, frame: pl.DataFrame) -> None:
        """Write a block.

        Raises:
            ConfigError: If the folder cannot be written, or the disk is full.
        """
        replace_file(self._path(number), frame.cast(_SCHEMA).write_parquet)

    def join(self, count: int) -> int:
        """Put blocks 0 to ``count`` together as the result, a part of it in memory at a time, and remove them; return its rows.

        Raises:
            ConfigError: If the folder cannot be written, or the disk is full.
        """
        whole = pl.scan_parquet([self._path(number) for number in range(count)])

        def write(work: Path) -> None:
            # among the blocks until it is whole, so that a kill leaves nothing beside the result
            whole.sink_parquet(self.folder / "whole")
            (self.folder / "whole").replace(work)

        replace_file(self._result, write)
        shutil.rmtree(self.folder, ignore_errors=True)
        return int(pl.scan_parquet(self._result).select(pl.len()).collect().item())

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}.parquet"
