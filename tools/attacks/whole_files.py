"""Check that the files of runs and caches are whole, with the simplest readers there are."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def damaged(folder: Path) -> Iterator[str]:
    """Yield the files that are empty, cut or otherwise not whole.

    Run this in a child, because it reads with torch and Polars. Hidden files do not count: they are work in progress.
    A log of TensorBoard may end in the middle of a record: its readers expect that.

    Args:
        folder: Runs, or a cache.
    """
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if not path.is_file() or any(part.startswith(".") for part in inside):
            continue
        if ".tfevents." in path.name:
            continue
        if path.stat().st_size == 0 and path.suffix != ".lock":
            yield f"{path.relative_to(folder)} is empty"
            continue
        try:
            _READERS.get(path.suffix, _read)(path)
        except Exception as error:
            what = " ".join(str(error).split())[:160]
            yield f"{path.relative_to(folder)}: {type(error).__name__} {what}"


def leftovers(folder: Path, usual: set[str]) -> Iterator[str]:
    """Yield hidden names that a run without a kill does not leave.

    Args:
        folder: Runs, or a cache.
        usual: The hidden names that it leaves, such as locks.
    """
    for path in sorted(folder.rglob(".*")):
        if path.name not in usual:
            yield str(path.relative_to(folder))


def hidden(folder: Path) -> set[str]:
    """Return the hidden names in a folder."""
    return {path.name for path in folder.rglob(".*")}


def names(folder: Path) -> set[str]:
    """Return the names in a folder; names of TensorBoard logs without the part that differs from run to run."""
    return {
        str(path.relative_to(folder)).partition(".tfevents.")[0]
        for path in folder.rglob("*")
        if path.is_file()
    }


def _read(path: Path) -> Any:
    return path.read_bytes()


def _checkpoint(path: Path) -> None:
    import torch  # noqa: PLC0415

    found = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "lit_rec"):
        if not found.get(key):
            raise ValueError(f"no {key}")


def _parquet(path: Path) -> None:
    import polars as pl  # noqa: PLC0415

    pl.read_parquet(path)


def _array(path: Path) -> None:
    import numpy as np  # noqa: PLC0415

    np.load(path)


def _yaml(path: Path) -> None:
    import yaml  # noqa: PLC0415

    # a run without hyperparameters has {} in hparams.yaml
    if yaml.safe_load(path.read_text()) is None:
        raise ValueError("nothing in it")


def _json(path: Path) -> None:
    found = json.loads(path.read_text())
    if path.name == "manifest.json":
        for name, (size, checksum) in found["files"].items():
            content = (path.parent / name).read_bytes()
            if (len(content), zlib.crc32(content)) != (size, checksum):
                raise ValueError(f"{name} is not what the manifest says")


def _lines(path: Path) -> None:
    content = path.read_text()
    if not content.endswith("\n"):
        raise ValueError("the last line is cut")
    if path.suffix == ".pbtxt" and content.count("{") != content.count("}"):
        raise ValueError("a brace is open")


_READERS: dict[str, Callable[[Path], Any]] = {
    ".ckpt": _checkpoint,
    ".parquet": _parquet,
    ".npy": _array,
    ".yaml": _yaml,
    ".json": _json,
    ".tsv": _read,
    ".pbtxt": _lines,
}
