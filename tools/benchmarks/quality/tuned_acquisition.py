"""tools/benchmark quality active-learning-tuned: how many labels `lit-rec acquire` saves where the encoder is tuned.

As in `active-learning`, there are two labelled questions of each of Banking77's 77 labels at first, and 154 more get
their labels in each round, until there are 770. Here a round is a run of configs/banking77_few.yaml, which tunes the
upper half of the encoder, and its checkpoint chooses by margin, or at random. Random choice goes on to 1,232 labels, so
`labels saved` is at most 462. A tenth of the training rows is not in the pool and validates; nothing is chosen by it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lit_rec.data.arrays import Int64s
from lit_rec.files.atomic import replace_file
from lit_rec.inference.acquirer import Acquirer
from tools.benchmarks.data_folder import check_data
from tools.benchmarks.quality.active_learning import first_of_each, table
from tools.benchmarks.quality.runs import Run, curve_of, report_of

_NAME = "active-learning-tuned"
_FIRST = 2  # labelled rows of each label
_DRAWS = 3
# how many rounds; all but the first one are named after who chose
ROUNDS = {"random": 8, "margin": 5}
_QUICK = {"random": 2, "margin": 2}


def measure(data: Path, runs: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return accuracies of each strategy after each round, and the labels that it saves.

    Args:
        data: Folder of the data sets.
        runs: Folder of all runs.
        quick: One draw of two rounds of three steps, to see that it works; its figures mean nothing.
    """
    check_data(data, "banking77/train.csv")
    folder = runs / f"{_NAME}{'_quick' * quick}"
    rounds, draws = (_QUICK, 1) if quick else (ROUNDS, _DRAWS)
    few: tuple[str, ...] = ()
    if quick:
        few = ("--trainer.max_epochs=1", "--trainer.limit_train_batches=3")
        few += ("--trainer.check_val_every_n_epoch=1",)
    curves, seconds = {}, {}
    for strategy, count in rounds.items():
        found = [
            Simulation(data, folder, strategy, draw, few).rounds(count) for draw in range(draws)
        ]
        curves[strategy] = np.array([accuracies for accuracies, _ in found])
        seconds[strategy] = sum(spent for _, spent in found)
    step = _FIRST * _labels(data)
    return table(curves, seconds, step, name=_NAME, rounds=min(rounds.values()))


class Simulation:
    """One strategy, from the first labelled rows of a draw on.

    Args:
        data: Folder of the data sets.
        folder: Of this benchmark.
        strategy: One of `lit-rec acquire`.
        draw: Seed of the first labelled rows and of the validation rows.
        options: Of each run, beside the files.
    """

    def __init__(
        self, data: Path, folder: Path, strategy: str, draw: int, options: Sequence[str]
    ) -> None:
        self._folder, self._strategy, self._draw = folder, strategy, draw
        self._rows = pl.read_csv(data / "banking77" / "train.csv")
        self._test = data / "banking77" / "test.csv"
        self._options = options

    def rounds(self, count: int) -> tuple[list[list[float]], float]:
        """Return accuracy on validation and test rows after each round, and the seconds of all runs."""
        drawn = np.random.default_rng(self._draw).permutation(len(self._rows))
        validation, pool = np.split(drawn, [len(drawn) // 10])
        label = self._rows["category"].rank("dense").to_numpy().astype(np.int64)
        labelled = pool[first_of_each(label[pool], _FIRST)]
        step, found, seconds = len(labelled), [], 0.0
        for number in range(count):
            run = self._run(number, labelled, validation)
            report, spent = report_of(run, self._folder)
            seconds += spent
            *_, validated = curve_of(run, self._folder, "val/accuracy")
            found.append([validated, report.value("lit_rec") or 0.0])
            if number + 1 < count:
                left = np.setdiff1d(pool, labelled)
                labelled = np.append(labelled, left[self._chosen(run, left, step)])
        return found, seconds

    def _run(self, number: int, labelled: Int64s, validation: Int64s) -> Run:
        # the first round is the same for all
        name = (
            f"{self._strategy}/draw_{self._draw}/round_{number}"
            if number
            else f"first/draw_{self._draw}"
        )
        words = (
            f"--data.reader.texts={self._file(labelled)}",
            f"--data.reader.validation_texts={self._file(validation)}",
            f"--data.reader.test_texts={self._test}",
            "--data.split=GivenSplit",
            *("--seed_everything", f"{self._draw}", "--data.seed", f"{self._draw}"),
            *self._options,
        )
        return Run(name, "configs/banking77_few.yaml", words)

    def _file(self, rows: Int64s) -> Path:
        """Return a table of some rows, named after them: other rows are another run."""
        key = sha256(np.sort(rows).tobytes()).hexdigest()[:16]
        path = self._folder / "tables" / f"{key}.csv"
        if not path.is_file():
            replace_file(path, self._rows[np.sort(rows)].write_csv)
        return path

    def _chosen(self, run: Run, left: Int64s, step: int) -> list[int]:
        """Return places of the rows to label next; the run's checkpoint chooses once."""
        version = self._folder / run.name / "version_0"
        stored = version / f"chosen_{self._strategy}.json"
        if not stored.is_file():
            acquirer = Acquirer.from_checkpoint(version / "best.ckpt")
            place = acquirer.choose(self._rows[left], step, self._strategy, seed=self._draw).row
            replace_file(stored, lambda work: work.write_text(json.dumps(place.tolist())))
        found: list[int] = json.loads(stored.read_text())
        return found


def _labels(data: Path) -> int:
    return pl.read_csv(data / "banking77" / "train.csv")["category"].n_unique()
