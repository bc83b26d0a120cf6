"""Which column of the behaviors holds their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lit_rec.init.column_names import STRONG, name_score
from lit_rec.init.columns import Column
from lit_rec.init.time_forms import UNKNOWN_UNIT, TimeForm, mostly_unknown


@dataclass(frozen=True)
class FoundTime:
    """The column of times.

    Args:
        column: The column.
        why: The reason for the guess.
        form: How its values are read.
    """

    column: Column
    why: str
    form: TimeForm


def find_time(left: Sequence[Column]) -> tuple[FoundTime | None, list[str]]:
    """Return the column of times, None where there is none, and what the user should know.

    Args:
        left: Columns without another meaning.
    """
    notes: list[str] = []
    candidates = [c for c in left if c.is_time and name_score(c.name, "timestamp")]
    rule = "by its name and values"
    if not candidates:
        candidates, rule = [c for c in left if c.is_time], "by its values"
    if not candidates:
        candidates, rule = _times_of_another_unit(left, notes), "by its name"
    if not candidates:
        return None, notes
    # a time that some rows lack is used only where there is no other
    column = max(candidates, key=lambda c: (c.filled > 0.999, c.distinct))
    form = column.time_form or UNKNOWN_UNIT
    others = [c.name for c in candidates if c is not column]
    rising = ", rising from row to row" if column.never_falls else ""
    also = f"; not used: {', '.join(others)}" if others else ""
    example = column.shown(1, without=form.unknown)
    why = f"{rule}: {form.said}{rising}, such as {example}{also}"
    return FoundTime(column, why, form), notes


def _times_of_another_unit(left: Sequence[Column], notes: list[str]) -> list[Column]:
    """Return columns that are called times and have an order, such as weeks; say what is wrong with others."""
    candidates = []
    for column in [c for c in left if name_score(c.name, "timestamp") == STRONG]:
        if not column.is_numeric:
            notes.append(
                f"Not used: `{column.name}`, since {column.shown(2)} are no times that can be read, "
                "such as seconds since 1970 or 2024-05-31"
            )
        elif not mostly_unknown(column.numbers):
            candidates.append(column)
        elif column.name == "timestamp":  # the reader takes it by its name
            notes.append(
                f"Most values of `{column.name}` are 0 or -1: these rows count as the oldest"
            )
            candidates.append(column)
        else:
            notes.append(
                f"Not used: `{column.name}`, since most of its values are 0 or -1, no times"
            )
    return candidates
