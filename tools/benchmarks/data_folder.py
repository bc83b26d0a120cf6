"""Check that the data for tools/benchmark is there."""

from __future__ import annotations

from pathlib import Path

from lit_rec.errors import ConfigError


def check_data(folder: Path, needed: str) -> None:
    """Refuse a data folder without a file that a benchmark reads.

    Args:
        folder: The folder that the user named, or the default.
        needed: The file, relative to the folder.

    Raises:
        ConfigError: If the file is missing.
    """
    if not (folder / needed).is_file():
        raise ConfigError(
            f"'{folder}' holds no {needed}",
            where="--data",
            rule="a folder with the data sets of the benchmark, unpacked",
            remedy="name the folder with --data FOLDER",
        )
