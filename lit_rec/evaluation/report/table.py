"""The report's tables for a screen of 80 columns: all models on all rows, then the slices as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lit_rec.evaluation.report.measures import DIFFERENCE

# main metric -> how a title names it, and what is counted; for any other metric the title is its name
_TITLES = {
    "rmse": ("RMSE", "rows"),
    "accuracy": ("Accuracy", "rows"),
    "impression_auc": ("AUC within impressions", "impressions"),
    "masked_ndcg@10": ("nDCG@10 in the whole catalogue", "rows"),
}
# main metric -> its heading, another metric that is shown next to it, and the heading of that
_BESIDE = {
    "masked_ndcg@10": ("seen items left out,\nas `recommend` does", "ndcg@10", "all items\nranked")
}


class Figures(Protocol):
    """One figure; a ``ReportRow`` is one."""

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def slice(self) -> str: ...  # noqa: D102
    @property
    def metric(self) -> str: ...  # noqa: D102
    @property
    def value(self) -> float | None: ...  # noqa: D102
    @property
    def low(self) -> float | None: ...  # noqa: D102
    @property
    def high(self) -> float | None: ...  # noqa: D102
    @property
    def count(self) -> int: ...  # noqa: D102


def report_tables(rows: Sequence[Figures]) -> RenderableType:
    """Return the main metric of every model on all rows, and of the model and the best baseline on each slice.

    Args:
        rows: The figures, with the main metric first in each slice.
    """
    if not rows:
        return Text("the report is empty")
    main, first = rows[0].metric, rows[0].slice
    name, counted = _TITLES.get(main, (main, "rows"))
    half = "\n± half the width of the 95 % interval" if any(r.low is not None for r in rows) else ""
    title = Text(f"{name}, {rows[0].count:,} test {counted}{half}")
    parts: list[RenderableType] = [title, Text(), _models(rows, main, first)]
    if any(row.slice != first for row in rows):
        parts += [Text(), _slices(rows, main, counted)]
    return Group(*parts)


def _models(rows: Sequence[Figures], main: str, slice_name: str) -> Table:
    """Return a row for each model, measured on one slice."""
    of_slice = {(row.model, row.metric): row for row in rows if row.slice == slice_name}
    own, other, heading = _BESIDE.get(main, (main, "", ""))
    model, difference = rows[0].model, main + DIFFERENCE
    columns = [(own, main)]
    columns += [(heading, other)] if any(row.metric == other for row in rows) else []
    if any(row.metric == difference for row in rows):
        columns.append((f"{model} is\nbetter by", difference))
    table = _plain_table("model", *(heading for heading, _ in columns))
    for name in dict.fromkeys(row.model for row in rows):
        found = (of_slice.get((name, metric)) for _, metric in columns)
        cells = ("" if row is None else _cell(row) for row in found)
        table.add_row(name, *cells)
    return table


def _slices(rows: Sequence[Figures], main: str, counted: str) -> Table:
    """Return a row for each slice, with the model and the baseline that is best there."""
    found = {(row.slice, row.model): row for row in rows if row.metric == main}
    behind = {
        (row.slice, row.model): row.value
        for row in rows
        if row.metric == main + DIFFERENCE and row.value is not None
    }
    model = rows[0].model
    table = _plain_table("slice", counted, model, *(["best baseline"] if behind else []))
    for name in dict.fromkeys(row.slice for row in rows):
        own = found[name, model]
        cells = [f"{own.count:,}", _cell(own)]
        of_slice = {other: value for (of, other), value in behind.items() if of == name}
        if of_slice:
            best = min(of_slice, key=lambda other: of_slice[other])
            cells.append(f"{_cell(found[name, best])}  {best}")
        table.add_row(name, *cells)
    return table


def _plain_table(first: str, *headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    # whole names: what is too wide for a narrow screen goes on in the next line
    table.add_column(first, overflow="fold")
    for heading in headings:
        right = heading in ("rows", "impressions")
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    return table


def _cell(row: Figures) -> str:
    """Return a figure with half the width of its interval, or a dash where there is none."""
    if row.value is None:
        return "-"
    value = f"{row.value:+.4f}" if row.metric.endswith(DIFFERENCE) else f"{row.value:.4f}"
    half = "" if row.low is None or row.high is None else f" ±{(row.high - row.low) / 2:.4f}"
    return value + half
