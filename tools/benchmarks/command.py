"""The benchmark command: choose a measurement, print it as a table, write it as JSON.

tools/benchmark quality NAME... [--quick] [--json FILE] [--data FOLDER] [--results docs/results.md]
tools/benchmark peers NAME... [--json FILE] [--data FOLDER] [--results docs/results.md]
tools/benchmark speed train [--quick] [--json FILE] [--data FOLDER]
tools/benchmark speed tuning [--quick] [--json FILE] [--data FOLDER]
tools/benchmark speed plain [--quick] [--json FILE] [--data FOLDER]
tools/benchmark speed reach [--quick] [--json FILE] [--data FOLDER]
tools/benchmark speed serve [--quick] [--json FILE] [--data FOLDER]
tools/benchmark speed evaluate [--quick] [--json FILE] [--data FOLDER]
tools/benchmark speed index [--quick] [--json FILE]
tools/benchmark speed encoders [--quick] [--json FILE] [--data FOLDER]
tools/benchmark scale rows [--quick] [--json FILE] [--rows N]
tools/benchmark scale memory [--quick] [--json FILE] [--rows N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lit_rec.errors import ConfigError, LitRecError
from lit_rec.files.atomic import replace_file
from tools.benchmarks.data_folder import check_data
from tools.benchmarks.encoders import measure as encoders
from tools.benchmarks.peers import cases
from tools.benchmarks.quality import (
    active_learning,
    configurations,
    few_labels,
    option_search,
    transfer,
    tuned_acquisition,
)
from tools.benchmarks.scale import memory, rows
from tools.benchmarks.speed import evaluate, index, plain, reach, serve, train, tuning
from tools.benchmarks.written_results import NUMBERS, shown, write_section

Rows = list[dict[str, Any]]

_ENVIRONMENTS = Path("checkpoints")  # of other libraries
_LEAST_ROWS = 20_000  # enough training rows for the largest batch


def main(words: list[str]) -> None:
    """Run what the words ask for.

    Raises:
        ConfigError: If there is no such benchmark, no data, or too few rows are asked for.
    """
    parser = argparse.ArgumentParser(prog="tools/benchmark")
    parser.add_argument("kind", help="quality, peers, speed or scale")
    parser.add_argument("names", nargs="+", help="what is measured, one after the other")
    parser.add_argument("--quick", action="store_true", help="shorter, for a first look")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder that holds the data sets"
    )
    parser.add_argument(
        "--results", type=Path, help="also write the rows as tables into this Markdown file"
    )
    parser.add_argument(
        "--runs",
        type=Path,
        default=Path("checkpoints/benchmark"),
        help="where runs lie, finished ones too",
    )
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="behaviors of the largest made-up table"
    )
    options = parser.parse_args(words)
    for name in options.names:
        _known(options.kind, name)
    measured: Rows = []
    for name in options.names:
        found = _BENCHMARKS[options.kind, name](options)
        measured += found
        Console().print(_table(f"{options.kind} {name}", found))
        if options.results is not None:
            write_section(options.results, f"{options.kind} {name}", found)
    if options.json is not None:
        replace_file(
            options.json, lambda path: path.write_text(json.dumps(measured, indent=1) + "\n")
        )


def _table(title: str, rows: Rows) -> Table:
    table = Table("name", "metric", *NUMBERS, title=title)
    for row in rows:
        table.add_row(row["name"], row["metric"], *(shown(row[key]) for key in NUMBERS))
    return table


def _known(kind: str, name: str) -> None:
    if (kind, name) not in _BENCHMARKS:
        names: dict[str, list[str]] = {}
        for one, other in _BENCHMARKS:
            names.setdefault(one, []).append(other)
        raise ConfigError(
            "there is no such benchmark",
            where=f"'{kind} {name}'",
            rule="; ".join(f"{one}: one of {', '.join(of)}" for one, of in names.items()),
            remedy="tools/benchmark speed train --quick",
        )


def _quality(name: str) -> Callable[[argparse.Namespace], Rows]:
    return lambda options: configurations.measure(
        name, options.data, options.runs, quick=options.quick
    )


def _of_runs(measure: Callable[..., Rows]) -> Callable[[argparse.Namespace], Rows]:
    return lambda options: measure(options.data, options.runs, quick=options.quick)


def _peers(name: str) -> Callable[[argparse.Namespace], Rows]:
    def measured(options: argparse.Namespace) -> Rows:
        if options.quick:
            raise ConfigError(
                "other libraries have no short form",
                where="--quick",
                rule="only for quality, speed and scale",
                remedy="leave it out; a peer that has finished is not run again",
            )
        return cases.measure(name, options.data, options.runs, _ENVIRONMENTS)

    return measured


def _train(options: argparse.Namespace) -> Rows:
    check_data(options.data, "ml-100k/u1.base")
    return train.measure(options.data, quick=options.quick)


def _tuning(options: argparse.Namespace) -> Rows:
    check_data(options.data, "ml-100k/u1.base")
    return tuning.measure(options.data, quick=options.quick)


def _plain(options: argparse.Namespace) -> Rows:
    check_data(options.data, "ml-100k/u1.base")
    return plain.measure(options.data, options.runs, quick=options.quick)


def _reach(options: argparse.Namespace) -> Rows:
    check_data(options.data, "ml-100k/u1.base")
    return reach.measure(options.data, quick=options.quick)


def _serve(options: argparse.Namespace) -> Rows:
    check_data(options.data, "amazon-scientific/Scientific.train.inter")
    return serve.measure(options.data, quick=options.quick)


def _evaluate(options: argparse.Namespace) -> Rows:
    for needed in ("ml-100k/u1.base", "amazon-scientific/Scientific.train.inter"):
        check_data(options.data, needed)
    return evaluate.measure(options.data, quick=options.quick)


def _encoders(options: argparse.Namespace) -> Rows:
    check_data(options.data, "banking77/train.csv")
    return encoders.measure(options.data, options.runs, quick=options.quick)


def _made_up_rows(options: argparse.Namespace) -> int:
    if options.rows < _LEAST_ROWS:
        raise ConfigError(
            f"{options.rows:,} rows are too few",
            where="--rows",
            rule=f"{_LEAST_ROWS:,} or more, so that the largest batch is full",
            remedy="leave the option out for a million",
        )
    return int(options.rows)


_BENCHMARKS: dict[tuple[str, str], Callable[[argparse.Namespace], Rows]] = {
    **{("quality", name): _quality(name) for name in configurations.QUALITY},
    ("quality", "search"): _of_runs(option_search.measure),
    ("quality", "active-learning"): _of_runs(active_learning.measure),
    ("quality", "active-learning-tuned"): _of_runs(tuned_acquisition.measure),
    ("quality", "few-labels"): _of_runs(few_labels.measure),
    ("quality", "transfer"): _of_runs(transfer.measure),
    **{("peers", name): _peers(name) for name in cases.CASES},
    ("speed", "train"): _train,
    ("speed", "tuning"): _tuning,
    ("speed", "plain"): _plain,
    ("speed", "reach"): _reach,
    ("speed", "serve"): _serve,
    ("speed", "evaluate"): _evaluate,
    ("speed", "index"): lambda options: index.measure(quick=options.quick),
    ("speed", "encoders"): _encoders,
    ("scale", "rows"): lambda options: rows.measure(_made_up_rows(options), quick=options.quick),
    ("scale", "memory"): lambda options: memory.measure(
        _made_up_rows(options), quick=options.quick
    ),
}


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LitRecError as error:
        print(f"tools/benchmark: {error}", file=sys.stderr)
        sys.exit(2)
    except subprocess.CalledProcessError as error:
        # the command has printed above why it ended
        print(
            f"tools/benchmark: a command that it started ended with exit code {error.returncode}",
            file=sys.stderr,
        )
        sys.exit(error.returncode if error.returncode > 0 else 1)
