"""Errors a user can mend: each says where, what was seen, the rule and the remedy.

The command line prints them without a traceback and exits with code 2 (``LIT_REC_DEBUG=1`` shows the traceback).
A mistake in calling code, as opposed to input, is a plain ``ValueError``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_SHOWN = 3


class LitRecError(Exception):
    """What is wrong with the input, and how to mend it.

    Args:
        problem: What is wrong, with the value that was seen, without a full stop.
        where: File, line, column or option, as the user wrote it.
        rule: What must hold.
        remedy: What to do.
        details: Further problems of the same place; the first three are shown and the rest counted.

    Example:
        >>> print(LitRecError("holds 'x'", where="a.csv, line 2", rule="a number", remedy="mend the line"))
        a.csv, line 2: holds 'x'.
          Rule: a number.
          Try:  mend the line.
    """

    def __init__(
        self,
        problem: str,
        *,
        where: str = "",
        rule: str = "",
        remedy: str = "",
        details: Sequence[str] = (),
    ) -> None:
        self.problem, self.where, self.rule, self.remedy = problem, where, rule, remedy
        self.details = tuple(details)
        super().__init__(str(self))

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the parts, so that the error crosses a process border whole."""
        return _rebuild, (
            type(self),
            self.problem,
            self.where,
            self.rule,
            self.remedy,
            self.details,
        )

    def __str__(self) -> str:
        """Return the message as the command line shows it, eight lines at most."""
        lines = [f"{self.where}: {self.problem}." if self.where else f"{self.problem}."]
        lines += [f"  {detail}" for detail in self.details[:_SHOWN]]
        if len(self.details) > _SHOWN:
            lines.append(f"  ... and {len(self.details) - _SHOWN} more")
        if self.rule:
            lines.append(f"  Rule: {self.rule}.")
        if self.remedy:
            lines.append(f"  Try:  {self.remedy}" + ("" if self.remedy.endswith("?") else "."))
        return "\n".join(lines)


def did_you_mean(
    name: str, names: Iterable[str], otherwise: str = "", *, count: int = 1, shown: str = "'{}'"
) -> str:
    """Return a remedy that asks for the nearest of the names.

    Args:
        name: What was given.
        names: What is there.
        otherwise: The remedy where none is near.
        count: How many of the near ones are named.
        shown: How each is written.

    Example:
        >>> did_you_mean("titel", ["title", "year"]), did_you_mean("x", ["title"], "name a column")
        ("did you mean 'title'?", 'name a column')
    """
    near = get_close_matches(name, list(names), n=count)
    return f"did you mean {' or '.join(map(shown.format, near))}?" if near else otherwise


def _rebuild(
    kind: type[LitRecError],
    problem: str,
    where: str,
    rule: str,
    remedy: str,
    details: tuple[str, ...],
) -> LitRecError:
    return kind(problem, where=where, rule=rule, remedy=remedy, details=details)


class ConfigError(LitRecError):
    """An option is wrong, or two options contradict each other.

    Example:
        >>> print(ConfigError("1.5 is not a usable share", where="data.split.init_args.test", remedy="0.1 is a tenth"))
        data.split.init_args.test: 1.5 is not a usable share.
          Try:  0.1 is a tenth.
    """


class DataError(LitRecError):
    """A table holds something that cannot be trusted.

    Example:
        >>> print(DataError("2 ids are repeated", where="items.csv", details=["'a' in line 3", "'b' in line 9"], rule="each id once"))
        items.csv: 2 ids are repeated.
          'a' in line 3
          'b' in line 9
          Rule: each id once.
    """


class CheckpointError(LitRecError):
    """A checkpoint is absent, damaged, or was not written by lit_rec.

    Example:
        >>> try:
        ...     raise CheckpointError("there is no such file", where="best.ckpt")
        ... except LitRecError as error:  # the class of all three
        ...     print(error)
        best.ckpt: there is no such file.
    """
