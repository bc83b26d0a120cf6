"""Encoders side by side on banking77: tools/benchmark speed encoders.

Each encoder reads in a process of its own, on one thread. The last one is the second, cut to the words of the data
(`lit-rec prune-encoder`); its vectors are those of the second, so one draw of training texts is enough.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from lit_rec.cli.encoders.data_texts import texts_of
from lit_rec.errors import ConfigError
from lit_rec.export.pruning.pruned_encoder import prune_encoder
from tools.benchmarks.encoders.reading import opened
from tools.benchmarks.own_process import measured, row

ENGLISH = Path("checkpoints/assets/all-MiniLM-L6-v2")
MULTILINGUAL = Path("checkpoints/assets/multilingual-e5-small")
_PREFIX = "query: "
_MEGABYTE = 1e6


def measure(data: Path, runs: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        data: Folder that holds banking77.
        runs: Where the cut encoder is written.
        quick: One draw of training texts instead of three.

    Raises:
        ConfigError: If an encoder is absent.
    """
    for encoder in (ENGLISH, MULTILINGUAL):
        if not encoder.is_dir():
            raise ConfigError(
                f"there is no {encoder}",
                where="speed encoders",
                rule="the encoders that it compares",
                remedy=f"tools/fetch_assets.py {encoder.name}",
            )
    cut = runs / "encoders" / "pruned"
    prune_encoder(str(MULTILINGUAL), _texts(data), cut, overwrite=True)
    rows = []
    draws = 1 if quick else 3
    for name, encoder, prefix, times in (
        (ENGLISH.name, ENGLISH, "", draws),
        (MULTILINGUAL.name, MULTILINGUAL, _PREFIX, draws),
        (f"{MULTILINGUAL.name}, pruned", cut, _PREFIX, 1),
    ):
        found = measured("encoders.reading", encoder, prefix, times, data)
        size = sum(path.stat().st_size for path in encoder.rglob("*") if _is_read(path))
        rows += [
            row(name, metric, values, found["seconds"])
            for metric, values in (
                ("million parameters", [found["parameters"] / 1e6]),
                ("folder, MB", [size / _MEGABYTE]),
                ("CPU seconds for 1,000 texts", found["of_block"]),
                ("memory at the most, MB", [found["memory"] / _MEGABYTE]),
                ("accuracy, logistic regression", found["accuracy"]),
            )
        ]
    return rows


def _is_read(path: Path) -> bool:
    return path.name in ("model.safetensors", "tokenizer.json", "config.json")


def _texts(data: Path) -> list[str]:
    with tempfile.TemporaryDirectory() as cache:
        return texts_of(opened(str(MULTILINGUAL), _PREFIX, 0, data, cache))
