"""Whether two runs have the same results, bit by bit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TIMES = ("date", "seconds", "baseline_seconds")  # of report.json: no two runs have the same
_STATE = ("epoch", "global_step", "state_dict", "optimizer_states", "lr_schedulers")


def differences(run: Path, reference: Path, names: tuple[str, ...]) -> Iterator[str]:
    """Yield what differs in these files of two runs; run this in a child, because it reads with torch and Polars.

    Args:
        run: A folder.
        reference: The folder that it should equal.
        names: Files that both have.
    """
    for name in names:
        if not (run / name).is_file():
            yield f"{name} is absent"
        elif name.endswith(".ckpt"):
            found, expected = _checkpoint(run / name), _checkpoint(reference / name)
            yield from _differences(found, expected, name)
        elif name.endswith(".json"):
            found, expected = (_report(folder / name) for folder in (run, reference))
            yield from _differences(found, expected, name)
        elif name.endswith(".parquet"):
            yield from _tables(run / name, reference / name)
        elif (run / name).read_bytes() != (reference / name).read_bytes():
            yield f"{name} has other bytes"


def _report(path: Path) -> Any:
    """Return what the runs of one command share: neither paths nor times."""
    content = json.loads(path.read_text())
    if "meta" in content:  # a report's; other files have none
        content["meta"] = {k: v for k, v in content["meta"].items() if k not in _TIMES}
    return _without_paths(content)


def _checkpoint(path: Path) -> dict[str, Any]:
    import torch  # noqa: PLC0415

    found = torch.load(path, map_location="cpu", weights_only=True)
    return {name: found.get(name) for name in _STATE}


def _tables(path: Path, reference: Path) -> Iterator[str]:
    import polars as pl  # noqa: PLC0415

    found, expected = pl.read_parquet(path), pl.read_parquet(reference)
    if not found.equals(expected):
        yield f"{path.name}: {found.shape} instead of {expected.shape}, or other values"


def _differences(found: Any, expected: Any, where: str) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*found, *expected}, key=str):
            yield from _differences(found.get(key), expected.get(key), f"{where}.{key}")
    elif isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        if len(found) != len(expected):
            yield f"{where} has {len(found)} entries instead of {len(expected)}"
        for place, pair in enumerate(zip(found, expected, strict=False)):
            yield from _differences(*pair, f"{where}.{place}")
    elif not _is_same(found, expected):
        yield f"{where} is {str(found)[:60]} instead of {str(expected)[:60]}"


def _is_same(found: Any, expected: Any) -> bool:
    import torch  # noqa: PLC0415

    if isinstance(expected, torch.Tensor) and isinstance(found, torch.Tensor):
        return torch.equal(found, expected)
    # NaN equals no number, not even itself
    return bool(found == expected) or repr(found) == repr(expected) == "nan"


def _without_paths(value: Any) -> Any:
    """Leave out texts that contain a path: two runs are in two folders."""
    if isinstance(value, dict):
        return {key: _without_paths(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_paths(entry) for entry in value]
    return None if isinstance(value, str) and "/" in value else value
