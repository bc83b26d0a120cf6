"""Problems of a table's rows: all of them are collected, then raised once, or their rows are left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

from lit_rec.data.tables.cleaning_step import BrokenLineError, CleaningStep
from lit_rec.data.tables.source import LOST, Source
from lit_rec.errors import DataError, excerpt

SHOWN = 3  # rows shown for each problem; all are counted
InvalidRows = Literal["error", "drop"]


def first_of(count: int, places: Sequence[str], values: Sequence[str]) -> str:
    """Return the first places of a problem with the values seen there, and how many more there are.

    Example:
        >>> first_of(5, ["line 2", "line 7"], ["'x'", "nothing"])
        "line 2 ('x'), line 7 (nothing) and 3 more"
    """
    shown = ", ".join(f"{place} ({value})" for place, value in zip(places, values, strict=True))
    return shown + (f" and {count - len(places):,} more" if count > len(places) else "")


@dataclass
class Dropping:
    """What happens to invalid rows, and what has been left out so far.

    Args:
        choice: ``error``, or ``drop`` to leave them out.
        option: The option that says so, for errors; empty where there is none.
        decimal: The option for decimal commas, for errors; empty where there is none.
        steps: What was left out.
    """

    choice: InvalidRows = "error"
    option: str = ""
    decimal: str = ""
    steps: list[CleaningStep] = field(default_factory=list)

    @property
    def drops(self) -> bool:
        """Whether invalid rows are left out."""
        return self.choice == "drop"

    @property
    def remedy(self) -> str:
        """How to go on in spite of invalid rows, for the end of a remedy."""
        return f", or set {self.option} to drop to leave them out" if self.option else ""

    def named(self, error: BrokenLineError) -> BrokenLineError:
        """Return an error about a line with the remedy that leaves such lines out."""
        if error.alike:
            return error
        way = self.remedy.replace("leave them", "leave such lines")
        return error.reworded(lambda text: f"{text}{way}" if text == error.remedy else text)

    def settle_bytes(
        self, damaged: Mapping[str, int], frame: pl.DataFrame, source: Source, needed: Iterable[str]
    ) -> None:
        """Refuse bytes that are not UTF-8 in needed columns, and note those in others.

        Args:
            damaged: Columns that have such bytes, and the first line of each.
            frame: The table.
            source: The file.
            needed: Columns that are read.

        Raises:
            DataError: If a needed column has such bytes.
        """
        asked = [damaged[name] for name in needed if name in damaged]
        if asked:
            raise source.undecoded(min(asked))
        if damaged:
            texts = [frame[name] for name in damaged if frame.schema.get(name) == pl.String]
            count = sum(int(text.str.contains(LOST, literal=True).sum()) for text in texts)
            rule = f"bytes that are not UTF-8 became U+FFFD ({source.path.name})"
            shown = f"column {excerpt(next(iter(damaged)))}"
            step = CleaningStep(rule, max(count, 1), len(frame), shown, "texts", "changed")
            self.steps.append(step)


class Problems:
    """The problems of one file's table: a line for each kind.

    Args:
        source: The file.
        dropping: What happens to rows with a problem.
    """

    def __init__(self, source: Source, dropping: Dropping | None = None) -> None:
        self._source, self._dropping = source, dropping or Dropping()
        self._found: list[str] = []
        self._rows: list[tuple[str, pl.Series, pl.Series]] = []
        self._count = 0
        self._instead: list[str] = []
        self._others = False

    def add(self, column: pl.Series, bad: pl.Series, says: str, *, instead: str = "") -> None:
        """Add the rows of ``column`` where ``bad`` is True.

        Args:
            column: ``[R]`` values.
            bad: ``[R]`` bool; null is not bad.
            says: What is wrong with such a value.
            instead: What to do, where it is not to correct the lines.
        """
        rows = bad.fill_null(False).arg_true()
        if rows.is_empty():
            return
        self._count += len(rows)
        self._found.append(f"{column.name} {says}: {self._shown(column, rows)}")
        self._rows.append((f"{column.name} {says}", bad.fill_null(False), column))
        self._others |= not instead
        if instead and instead not in self._instead:
            self._instead.append(instead)

    def _shown(self, column: pl.Series, rows: pl.Series) -> str:
        first = rows.head(SHOWN).to_list()
        values = [excerpt(value) for value in column.gather(first).to_list()]
        return first_of(len(rows), self._source.places(first), values)

    def add_repeated(self, column: pl.Series) -> None:
        """Add the values that occur more than once; empty ones do not count."""
        groups = (
            pl.DataFrame({"id": column, "row": pl.int_range(len(column), eager=True)})
            .filter(pl.col("id").is_not_null() & (pl.col("id") != ""))
            .group_by("id", maintain_order=True)
            .agg("row")
            .filter(pl.col("row").list.len() > 1)
        )
        if groups.is_empty():
            return
        self._count += len(groups)
        self._others = True
        shown = [
            f"{excerpt(id_)} on {', '.join(self._source.places(rows[:SHOWN]))}{', ...' * (len(rows) > SHOWN)}"
            for id_, rows in groups.head(SHOWN).iter_rows()
        ]
        more = f" and {len(groups) - len(shown):,} more" if len(groups) > len(shown) else ""
        self._found.append(f"{column.name} is repeated: {'; '.join(shown)}{more}")
        again = column.is_not_null() & ~column.is_first_distinct()
        self._rows.append((f"{column.name} is repeated", again, column))

    def settle(self, rule: str, of_what: str = "behaviors") -> pl.Series | None:
        """Raise one DataError for all problems; or return which rows have none ``[R]``, None for all.

        Args:
            rule: What must hold.
            of_what: What the rows are, for the report on what was left out.

        Raises:
            DataError: If there is a problem and rows are not left out, or they are and more than half have one.
        """
        if not self._found:
            return None
        remedy = self._remedy()
        problem = f"{self._count:,} problem{'s' if self._count > 1 else ''}"
        keep = ~pl.Series([False]).new_from_index(0, len(self._rows[0][1]))
        steps = []
        for says, bad, column in self._rows:
            rows = (bad & keep).arg_true()
            keep &= ~bad
            example = f"{self._source.path.name}, {self._shown(column, rows)}" if len(rows) else ""
            steps.append(CleaningStep(says, len(rows), len(bad), example, of_what))
        if self._dropping.drops and 2 * keep.sum() >= len(keep):
            self._dropping.steps += steps
            return keep
        if self._dropping.drops:
            problem = f"{int((~keep).sum()):,} of {len(keep):,} rows are invalid"
            rule += f"; {self._dropping.option} drop leaves out at most half of the rows"
        elif 2 * keep.sum() >= len(keep):
            remedy += self._dropping.remedy
        raise DataError(
            problem, where=self._source.where, details=self._found, rule=rule, remedy=remedy
        )

    def _remedy(self) -> str:
        rows = "rows" if self._source.ending == ".parquet" else "lines"
        which = "the other" if self._instead else "these"
        others = [f"correct or remove {which} {rows}"] if self._others else []
        return "; ".join([*self._instead, *others])
