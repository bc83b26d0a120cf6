"""The benchmark command: choose what is measured, show it as a table, write it as JSON.

tools/benchmark speed train [--quick] [--json FILE] [--data FOLDER]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import speed_train
from rich.console import Console
from rich.table import Table

from lit_rec.data.atomic import replace_file
from lit_rec.errors import ConfigError, LitRecError

_NAMES = {("speed", "train"): speed_train.measure}


def main(words: list[str]) -> None:
    """Run what the words ask for.

    Raises:
        ConfigError: If there is no such benchmark, or no data.
    """
    parser = argparse.ArgumentParser(prog="tools/benchmark")
    parser.add_argument("kind", help="speed")
    parser.add_argument("name", help="train")
    parser.add_argument("--quick", action="store_true", help="about three minutes instead of ten")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder that holds ml-100k"
    )
    options = parser.parse_args(words)
    measure = _NAMES.get((options.kind, options.name))
    if measure is None:
        raise ConfigError(
            f"there is no benchmark '{options.kind} {options.name}'",
            where="tools/benchmark",
            rule=f"one of {', '.join(' '.join(name) for name in _NAMES)}",
            remedy="tools/benchmark speed train --quick",
        )
    if not (options.data / "ml-100k/u1.base").is_file():
        raise ConfigError(
            f"'{options.data}' holds no ml-100k/u1.base",
            where="--data",
            rule="a folder with the unpacked MovieLens 100K archive as ml-100k",
            remedy="name the folder with --data FOLDER",
        )
    rows = measure(options.data, quick=options.quick)
    table = Table("name", "metric", "value", "low", "high", title=f"{options.kind} {options.name}")
    for row in rows:
        table.add_row(
            row["name"], row["metric"], *(f"{row[key]:.4g}" for key in ("value", "low", "high"))
        )
    Console().print(table)
    if options.json is not None:
        replace_file(options.json, lambda path: path.write_text(json.dumps(rows, indent=1) + "\n"))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LitRecError as error:
        print(f"tools/benchmark: {error}", file=sys.stderr)
        sys.exit(2)
