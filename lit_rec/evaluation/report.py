"""The report: a model beside baselines, per slice, with intervals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from lit_rec.data.atomic import replace_file
from lit_rec.errors import DataError
from lit_rec.evaluation.intervals import bootstrap_means, interval
from lit_rec.evaluation.rows import Bools, Floats, Ints


@dataclass(frozen=True)
class ReportRow:
    """One figure. ``rmse_difference`` is a baseline's RMSE minus the first model's, in pairs; empty slices have count 0 and no value."""

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
    names = list(predictions)
    errors = np.stack([predictions[name] - target for name in names])  # [M, R]
    rows: list[ReportRow] = []
    for name, mask in slices.items():
        count = int(mask.sum())
        if not count:
            rows += [
                ReportRow(m, name, k, None, None, None, 0) for m in names for k in ("rmse", "mae")
            ]
            rows += [ReportRow(m, name, "rmse_difference", None, None, None, 0) for m in names[1:]]
            continue
        part = errors[:, mask]
        drawn_items = item[mask] if name == "new_items" else None
        squared = np.sqrt(bootstrap_means(part**2, user[mask], drawn_items, seed=seed))
        absolute = bootstrap_means(np.abs(part), user[mask], drawn_items, seed=seed)
        rmse = np.sqrt((part**2).mean(1))
        mae = np.abs(part).mean(1)
        for place, model in enumerate(names):
            rows.append(
                ReportRow(model, name, "rmse", float(rmse[place]), *interval(squared[place]), count)
            )
            rows.append(
                ReportRow(model, name, "mae", float(mae[place]), *interval(absolute[place]), count)
            )
            if place:
                difference = float(rmse[place] - rmse[0])
                low, high = interval(squared[place] - squared[0])
                rows.append(ReportRow(model, name, "rmse_difference", difference, low, high, count))
    return Report(tuple(rows), dict(meta or {}))


def _plain(row: ReportRow) -> dict[str, Any]:
    """Return the values of a row; JSON has no NaN."""
    values = asdict(row)
    return {k: None if isinstance(v, float) and isnan(v) else v for k, v in values.items()}


def _cell(row: ReportRow) -> str:
    return "-" if row.value is None else f"{row.value:.4f} [{row.low:.4f}, {row.high:.4f}]"
