"""The report: a model and baselines, per slice, with intervals; of one form for every task."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isnan
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from lit_rec.data.arrays import Bools, Int64s
from lit_rec.errors import DataError
from lit_rec.evaluation.report.intervals import Drawn, interval
from lit_rec.evaluation.report.measures import DIFFERENCE, Figure, Measures
from lit_rec.evaluation.report.table import report_tables
from lit_rec.files.atomic import replace_file


@dataclass(frozen=True)
class ReportRow:
    """One figure.

    For ratings ``rmse`` and ``mae``; for labels ``accuracy``, ``macro_f1``, ``log_loss`` and, of two, ``auc``; for
    impressions ``impression_auc``, ``mrr``, ``mind_mrr``, ``ndcg@5`` and ``ndcg@10``. For the next item ``recall@k``,
    ``ndcg@k`` and ``mrr@k`` for k of 1, 5, 10 and 50 among all items, and ``masked_...`` among those that are not in
    the row's history.

    ``rmse_difference``, ``accuracy_difference``, ``impression_auc_difference``, ``ndcg@10_difference`` and similar ones
    compare a baseline with the first model, in pairs: above 0 the first model is better.

    ``count`` is the number of rows, or of impressions that have the metric. Empty slices have count 0 and no value. A
    model without probabilities has no value of metrics that need them. There is no interval for a slice of a single
    user (on ``new_items``, also of a single item), and for ``auc`` of more than 200,000 rows. Impressions are drawn
    with their users, on ``new_items``, too.

    Example:
        >>> row = ReportRow("mean", "new_users", "rmse", value=1.02, low=0.98, high=1.07, count=310)
        >>> row.low <= row.value <= row.high
        True
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
    """Rows, with the main metric first in each slice, and what they were measured on.

    Example:
        >>> figures = ("model", "all", "rmse", 0.91, 0.89, 0.93, 1000), ("mean", "all", "rmse", 1.12, 1.1, 1.14, 1000)
        >>> report = Report(tuple(ReportRow(*figure) for figure in figures))
        >>> report.main, report.value("mean"), "0.9100 ±0.0200" in str(report)
        ('rmse', 1.12, True)
    """

    rows: tuple[ReportRow, ...]
    meta: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write JSON, whole or not at all; NaN becomes null.

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

    @property
    def main(self) -> str:
        """The main metric: ``rmse``, ``accuracy``, ``impression_auc``, ``masked_ndcg@10``, or that of your own task."""
        return self.rows[0].metric if self.rows else "rmse"

    def value(self, model: str, metric: str | None = None, slice: str = "all") -> float | None:
        """Return one figure, by default of the main metric.

        Raises:
            KeyError: If the report has no such figure.
        """
        values = {(r.model, r.metric, r.slice): r.value for r in self.rows}
        return values[model, metric or self.main, slice]

    def __str__(self) -> str:
        """Return the table as plain text, without colours, in full width."""
        console = Console(width=1000, color_system=None)
        with console.capture() as captured:
            console.print(self.table())
        return captured.get().rstrip()

    def table(self) -> RenderableType:
        """Return the main metric of all models on all rows, and of the model and the best baseline on each slice."""
        return report_tables(self.rows)


def build_report(
    models: Sequence[str],
    measures: Sequence[Measures],
    slices: Mapping[str, Bools],
    user: Int64s,
    item: Int64s,
    *,
    meta: dict[str, Any] | None = None,
    seed: int = 0,
) -> Report:
    """Measure every model on every slice.

    Args:
        models: Names; the others are compared with the first.
        measures: Their metrics, the main one first.
        slices: Name -> mask ``[R]``; on ``new_items`` items are drawn as well as users.
        user: ``[R]`` codes, which are drawn for intervals; without users, each row has its own code.
        item: ``[R]`` codes.
        meta: What the figures were measured on.
        seed: Seed of the draws.
    """
    rows: list[ReportRow] = []
    for name, mask in slices.items():
        drawn = Drawn(user[mask], item[mask] if name == "new_items" else None, seed=seed)
        figures: dict[str, Figure] = {}
        for measure in measures:
            figures |= measure.on(mask, drawn)
        for place, model in enumerate(models):
            rows += [
                ReportRow(model, name, metric, *_numbers(figure, place), figure.count)
                for metric, figure in figures.items()
                if place or not metric.endswith(DIFFERENCE)  # the first is not compared with itself
            ]
    return Report(tuple(rows), dict(meta or {}))


def _numbers(figure: Figure, place: int) -> tuple[float | None, float | None, float | None]:
    """Return the value and the interval of one model, None for what is missing."""
    value = float(figure.value[place])
    if isnan(value):
        return None, None, None
    return value, *(interval(figure.draws[place]) if figure.draws is not None else (None, None))


def _plain(row: ReportRow) -> dict[str, Any]:
    """Return the values of a row; JSON has no NaN."""
    values = asdict(row)
    return {k: None if isinstance(v, float) and isnan(v) else v for k, v in values.items()}
