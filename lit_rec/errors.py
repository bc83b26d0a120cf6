"""Errors that a user can correct: each says where, what was seen, the rule and the remedy.

The command line prints them without a traceback and exits with code 2 (``LIT_REC_DEBUG=1`` shows the traceback).
A mistake in calling code, as opposed to input, is a plain ``ValueError``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import islice
from typing import Self

_SHOWN = 3
_NAMES = 12
_COMPARED, _LETTERS = (
    20_000,
    200,
)  # names, and letters of a name: the time to compare grows with their product
_LONGEST = 1000  # characters of a part: keeps a message short where a value in it is very long
# a full stop after a command would be copied with it, as a part of its last value
_COMMAND_LAST = re.compile(r"(^|: |\bor )(lit-rec |pip |ulimit |--\w)((?![,;] ).)*$")


class LitRecError(Exception):
    """What is wrong with the input, and how to correct it.

    Args:
        problem: What is wrong, with the value that was seen, without a full stop.
        where: File, line, column, part or option (see ``option_of``).
        rule: What must hold.
        remedy: What to do.
        details: Further problems of the same place; the first three are shown and the rest counted.

    Example:
        >>> print(LitRecError("holds 'x'", where="a.csv, line 2", rule="a number", remedy="correct the line"))
        a.csv, line 2: holds 'x'.
          Rule: a number.
          Try:  correct the line.
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
        """Rebuild from the parts, so that the error reaches another process unchanged."""
        return _rebuild, (
            type(self),
            self.problem,
            self.where,
            self.rule,
            self.remedy,
            self.details,
        )

    def reworded(self, change: Callable[[str], str]) -> Self:
        """Return the same error with its texts changed, for example where a caller names an option differently.

        Example:
            >>> error = ConfigError("0 is too small", where="Inner.size", remedy="set Inner.size to 1")
            >>> print(error.reworded(lambda text: text.replace("Inner.size", "Outer.length")))
            Outer.length: 0 is too small.
              Try:  set Outer.length to 1.
        """
        return type(self)(
            self.problem,
            where=change(self.where),
            rule=change(self.rule),
            remedy=change(self.remedy),
            details=[change(detail) for detail in self.details],
        )

    def __str__(self) -> str:
        """Return the message as the command line shows it: at most eight short lines without control characters."""
        where, problem, rule, remedy = map(
            _line, (self.where, self.problem, self.rule, self.remedy)
        )
        lines = [f"{where}: {problem}." if where else f"{problem}."]
        lines += [f"  {_line(detail)}" for detail in self.details[:_SHOWN]]
        if len(self.details) > _SHOWN:
            lines.append(f"  ... and {len(self.details) - _SHOWN} more")
        if rule:
            lines.append(f"  Rule: {rule}.")
        if remedy:
            bare = remedy.endswith("?") or _COMMAND_LAST.search(remedy)
            lines.append(f"  Try:  {remedy}" + ("" if bare else "."))
        return "\n".join(lines)


def option_of(part: object, name: str) -> str:
    """Return how an error names an option: the class of the part that takes it, and the parameter.

    A caller in Python gave both. The command line shows the option's path in the configuration instead.

    Args:
        part: The part, its class, or the name of its class.
        name: The parameter.

    Example:
        >>> option_of(ConfigError("x"), "where"), option_of("BehaviorDataModule", "max_tokens")
        ('ConfigError.where', 'BehaviorDataModule.max_tokens')
    """
    if not isinstance(part, str):
        part = (part if isinstance(part, type) else type(part)).__name__
    return f"{part}.{name}"


def excerpt(value: object) -> str:
    r"""Return a value as errors show it: its first 60 characters, texts in quotes, control characters as escapes.

    Example:
        >>> excerpt("red\x1b[31m\n"), len(excerpt("a" * 10**6)), excerpt(4.5), excerpt(None)
        ("'red\\x1b[31m\\n'", 62, '4.5', 'nothing')
    """
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else str(value)
    cut = text if len(text) <= 60 else f"{text[:57]}..."
    return repr(cut) if isinstance(value, str) else cut


def some_of(names: Iterable[object]) -> str:
    """Return the first dozen of many names, for an error.

    Example:
        >>> some_of(["title", "year"]), some_of(range(10**5))
        ('title, year', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...')
    """
    first = [str(name) for name in islice(names, _NAMES + 1)]
    shown = [name if len(name) <= 60 else f"{name[:57]}..." for name in first[:_NAMES]]
    return ", ".join(shown) + ", ..." * (len(first) > _NAMES)


def _line(text: str) -> str:
    """Return a part of a message as one line of limited length."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 4 :]}"
    return printable(text)


def printable(text: str) -> str:
    r"""Return a text as errors show it, with control characters and signs that cannot be seen as escapes.

    Example:
        >>> print(printable("user\xa0id"))
        user\xa0id
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def did_you_mean(
    name: str, names: Iterable[str], otherwise: str = "", *, count: int = 1, shown: str = "'{}'"
) -> str:
    """Return a remedy that asks for the nearest of the names.

    Args:
        name: What was given.
        names: The names that exist.
        otherwise: The remedy where no name is near.
        count: How many near names are shown.
        shown: How each is written.

    Example:
        >>> did_you_mean("titel", ["title", "year"]), did_you_mean("x", ["title"], "name a column")
        ("did you mean 'title'?", 'name a column')
    """
    near = near_names(name, names, count=count)
    return f"did you mean {' or '.join(map(shown.format, near))}?" if near else otherwise


def near_names(
    name: str, names: Iterable[str], *, count: int = 1, cutoff: float = 0.6
) -> list[str]:
    """Return the names that are most similar to a name, the nearest first.

    Where there are very many names, only those with the same first letters are compared.

    Example:
        >>> near_names("titel", ["title", "year"]), near_names("c7x", [f"c{n}" for n in range(10**5)])
        (['title'], ['c7'])
    """
    if len(name) > _LETTERS:
        return []
    left = [other for other in names if len(other) <= 2 * len(name) + 1]
    if len(left) > _COMPARED:
        left = [other for other in left if other[:2] == name[:2]][:_COMPARED]
    return get_close_matches(name, left, n=count, cutoff=cutoff)


def _rebuild(
    kind: type[LitRecError],
    problem: str,
    where: str,
    rule: str,
    remedy: str,
    details: tuple[str, ...],
) -> LitRecError:
    return kind(problem, where=where, rule=rule, remedy=remedy, details=details)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the errors that it was raised from, each once: a chain may contain a circle.

    Example:
        >>> try:
        ...     raise KeyError("a") from ValueError("b")
        ... except KeyError as error:
        ...     [type(one).__name__ for one in causes(error)]
        ['KeyError', 'ValueError']
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


class ConfigError(LitRecError):
    """An option is wrong, or two options contradict each other.

    Example:
        >>> print(ConfigError("1.5 is not a usable share", where="TimeSplit.test", remedy="0.1 is a tenth"))
        TimeSplit.test: 1.5 is not a usable share.
          Try:  0.1 is a tenth.
    """


class DataError(LitRecError):
    """A table holds something that cannot be trusted.

    Example:
        >>> details = ["'a' in line 3", "'b' in line 9"]
        >>> print(DataError("2 ids are repeated", where="items.csv", details=details, rule="each id once"))
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
