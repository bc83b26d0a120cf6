"""The report: a model beside baselines, per slice, with intervals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from lit_rec.data.atomic import replace_file
from lit_rec.errors import DataError
from lit_rec.evaluation.intervals import bootstrap_means, can_be_resampled, interval
from lit_rec.evaluation.rows import Bools, Floats, Ints

_METRICS = ("rmse", "mae", "rmse_difference")


@dataclass(frozen=True)
class ReportRow:
    """One figure. ``rmse_difference`` is a baseline's RMSE minus the first model's, in pairs.

    Empty slices have count 0 and no value; a slice of a single user (on ``new_items``, also of a single item) has no interval.
    """

    model: str
    slice: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True)
class Report:
    """Rows, and what they were measured on."""

    rows: tuple[ReportRow, ...]
    meta: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write JSON, whole or not at all; what is no number is null.

        Raises:
            ConfigError: If the folder cannot be written.
        """
        content = {"meta": self.meta, "rows": [_plain(row) for row in self.rows]}
        replace_file(path, lambda work: work.write_text(json.dumps(content, indent=1) + "\n"))

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read what ``write`` wrote.

        Raises:
            DataError: If the file is not a report.
        """
        try:
            content = json.loads(path.read_text())
            return cls(tuple(ReportRow(**row) for row in content["rows"]), content["meta"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"is not a report ({type(error).__name__})",
                where=str(path),
                rule="a report.json that `lit-rec test` wrote",
                remedy="run `lit-rec test --ckpt_path CKPT` again",
            ) from error

    def value(self, model: str, metric: str = "rmse", slice: str = "all") -> float | None:
        """Return one figure.

        Raises:
            KeyError: If the report has no such figure.
        """
        values = {(r.model, r.metric, r.slice): r.value for r in self.rows}
        return values[model, metric, slice]

    def __str__(self) -> str:
        """Return the table as plain text, without colours, however wide."""
        console = Console(width=1000, color_system=None)
        with console.capture() as captured:
            console.print(self.table())
        return captured.get().rstrip()

    def table(self) -> Table:
        """Return RMSE with its interval per model and slice, for the screen."""
        slices = list(dict.fromkeys(row.slice for row in self.rows))
        found = {(r.model, r.slice): r for r in self.rows if r.metric == "rmse"}
        table = Table(title="RMSE on test rows [95 % interval]", title_justify="left")
        table.add_column("model")
        for name in slices:
            count = next(r.count for (_, s), r in found.items() if s == name)
            table.add_column(f"{name}\n({count:,} rows)", justify="right")
        for model in dict.fromkeys(row.model for row in self.rows):
            table.add_row(model, *(_cell(found[model, name]) for name in slices))
        return table


def build_report(
    predictions: Mapping[str, Floats],
    target: Floats,
    user: Ints,
    item: Ints,
    slices: Mapping[str, Bools],
    *,
    meta: dict[str, Any] | None = None,
    seed: int = 0,
) -> Report:
    """Measure every model on every slice.

    Args:
        predictions: Name -> ratings ``[R]``; the first is the model that the others are compared with.
        target: ``[R]`` ratings.
        user: ``[R]`` codes.
        item: ``[R]`` codes.
        slices: Name -> mask ``[R]``; on ``new_items`` items are drawn as well as users.
        meta: What the figures were measured on.
        seed: Seed of the draws.
    """
    errors = np.stack([prediction - target for prediction in predictions.values()])  # [M, R]
    rows: list[ReportRow] = []
    for name, mask in slices.items():
        drawn_items = item[mask] if name == "new_items" else None
        rows += _slice_rows(name, list(predictions), errors[:, mask], user[mask], drawn_items, seed)
    return Report(tuple(rows), dict(meta or {}))


def _slice_rows(
    name: str, models: list[str], errors: Floats, user: Ints, item: Ints | None, seed: int
) -> Iterator[ReportRow]:
    """Yield the figures of one slice, whose errors ``[M, n]`` are given."""
    count = errors.shape[1]
    losses = errors**2, np.abs(errors)
    values = _figures(*(loss.mean(1) for loss in losses)) if count else {}
    draws: dict[str, Floats] = {}
    if can_be_resampled(user, item):
        draws = _figures(*(bootstrap_means(loss, user, item, seed=seed) for loss in losses))
    for place, model in enumerate(models):
        for metric in _METRICS if place else _METRICS[:-1]:  # the first differs from none
            value = float(values[metric][place]) if values else None
            low, high = interval(draws[metric][place]) if draws else (None, None)
            yield ReportRow(model, name, metric, value, low, high, count)


def _figures(squared: Floats, absolute: Floats) -> dict[str, Floats]:
    """Return the metrics of mean squared and absolute errors, ``[M]`` or ``[M, draws]``."""
    rmse = np.sqrt(squared)
    return dict(zip(_METRICS, (rmse, absolute, rmse - rmse[0]), strict=True))


def _plain(row: ReportRow) -> dict[str, Any]:
    """Return the values of a row; JSON has no NaN."""
    values = asdict(row)
    return {k: None if isinstance(v, float) and isnan(v) else v for k, v in values.items()}


def _cell(row: ReportRow) -> str:
    """Return a figure with its interval, and dashes for what there is not."""
    if row.value is None:
        return "-"
    low, high = ("-" if bound is None else f"{bound:.4f}" for bound in (row.low, row.high))
    return f"{row.value:.4f} [{low}, {high}]"
