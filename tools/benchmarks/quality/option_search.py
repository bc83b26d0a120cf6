"""What a search of options brings: tools/benchmark quality search.

`lit-rec tune` searches the default space of labels for Banking77 with ten texts of each label, 20 trials. The best
trial is compared with the first, which is the configuration as it is, on the validation rows that chose it. Both are
then trained once more and tested: what was chosen on validation rows gains less on others. A search that was
interrupted goes on where it was; other code begins another one.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tools.benchmarks.data_folder import check_data
from tools.benchmarks.quality.runs import Run, key_of, report_of

_CONFIG = "configs/banking77_few.yaml"
_TRIALS = 20
_COMMAND = "import sys; from lit_rec.cli.main import main; main(sys.argv[1:])"
_ROOT = Path(__file__).resolve().parents[3]


def measure(
    data: Path, folder: Path, *, quick: bool, call: Callable[[Sequence[str]], None] | None = None
) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        data: Folder that holds the data.
        folder: Folder of the runs.
        quick: Two trials of three steps, to see that it works; its figures mean nothing.
        call: Runs a command of lit-rec.

    Raises:
        ConfigError: If the data is missing.
    """
    check_data(data, "banking77/train.csv")
    files = data / "banking77"
    words = [f"--data.reader.texts={files / 'train.csv'}"]
    words += [f"--data.reader.test_texts={files / 'test.csv'}"]
    if quick:
        words += ["--trainer.max_epochs=1", "--trainer.check_val_every_n_epoch=1"]
        words += ["--trainer.limit_train_batches=3"]
    name = "quick_default" if quick else "default"
    first = Run(name, _CONFIG, tuple(words))
    own = folder / "search"
    output = own / f"{name}_{key_of(first)[:12]}"
    trials = 2 if quick else _TRIALS
    tune = ["tune", "-c", str(_ROOT / _CONFIG), *words]
    (call or _call)([*tune, "--trials", str(trials), "--output", str(output)])
    found = [row for row in _table(output / "trials.csv") if row["state"] == "complete"]
    values = {int(row["trial"]): float(row["val/accuracy"]) for row in found}
    best = max(values, key=lambda number: (values[number], -number))
    seconds = sum(float(row["seconds"]) for row in _table(output / "trials.csv") if row["seconds"])
    rows = [
        _row(f"search: {title}", "val/accuracy", value, seconds)
        for title, value in (
            ("the configuration", values[min(values)]),
            (f"trial {best}, the best of {trials}", values[best]),
            ("difference", values[best] - values[min(values)]),
        )
    ]
    again = Run(name.replace("default", "best"), str((output / "best.yaml").resolve()))
    for run, title in ((first, "the configuration"), (again, f"trial {best}")):
        report, spent = report_of(run, own)
        tested = next(
            row
            for row in report.rows
            if (row.model, row.slice, row.metric) == ("lit_rec", "all", "accuracy")
        )
        made = _row(f"search: {title}", "accuracy", tested.value, spent)
        rows.append(made | {"low": tested.low, "high": tested.high})
    return rows


def _call(words: Sequence[str]) -> None:
    subprocess.run(
        [sys.executable, "-c", _COMMAND, *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), *_others()])},
        stdout=sys.stderr,
        check=True,
    )


def _others() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _table(path: Path) -> list[dict[str, str]]:
    return [*csv.DictReader(path.read_text(encoding="utf-8").splitlines())]


def _row(name: str, metric: str, value: float | None, seconds: float) -> dict[str, Any]:
    ends = {"low": None, "high": None}
    return {"name": name, "metric": metric, "value": value, **ends, "seeds": 1, "seconds": seconds}
