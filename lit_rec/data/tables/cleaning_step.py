"""CleaningStep: one reason why rows were left out; and lines that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from lit_rec.errors import DataError


@dataclass(frozen=True)
class CleaningStep:
    """One rule: how many rows it dropped or changed, of how many, with an example.

    Args:
        rule: What is true of the dropped rows.
        dropped: The number of dropped rows.
        of: The number of all rows.
        example: One of them and its place.
        of_what: What was counted.
        done: What was done with them: ``dropped`` or ``changed``.
    """

    rule: str
    dropped: int
    of: int
    example: str = ""
    of_what: str = "behaviors"
    done: str = "dropped"


class BrokenLineError(DataError):
    """A line of a file cannot be read; a reader may leave such lines out, unless all are ``alike``.

    Example:
        >>> print(BrokenLineError("1 column", where="a.csv, line 3", rule="every line has 2 columns"))
        a.csv, line 3: 1 column.
          Rule: every line has 2 columns.
    """

    alike: bool = False


@dataclass
class BrokenLines:
    """Lines of a file that cannot be read, where they are left out.

    Args:
        found: Number of each such line, and what it holds.
        lines: ``[R]`` the first line of each row that was read; empty where every line was read.
    """

    found: list[tuple[int, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
