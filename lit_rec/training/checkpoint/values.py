"""Rules of plain values that a checkpoint's entry may hold, checked without Python loops over long lists."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from lit_rec.errors import CheckpointError

_REMEDY = "copy the file again, or use another checkpoint"
LARGEST = 2**53  # larger than any count; a float holds each whole number up to it
_DEEPEST = 40
_MOST = 1_000_000
_LONGEST = 10_000  # characters of an entry's full name
_SHOWN = 60

Rule = Callable[[Any, str], None]


class EntryError(Exception):
    """An entry that breaks its rule.

    Args:
        entry: Its name, such as ``catalogue.offsets``.
        problem: What it holds.
        rule: What it may hold.
        remedy: What to do.
    """

    def __init__(self, entry: str, problem: str, rule: str, remedy: str = _REMEDY) -> None:
        super().__init__(entry, problem, rule, remedy)
        self.entry, self.problem, self.rule, self.remedy = entry, problem, rule, remedy

    def error(self, where: str) -> CheckpointError:
        """Return the error for the user."""
        place = f"{where}, {self.entry[:120]}" if where else self.entry[:120]
        return CheckpointError(self.problem, where=place, rule=self.rule, remedy=self.remedy)


def shown(value: object) -> str:
    """Return a value for a message: at most 60 characters, and only type and size of containers and tensors.

    Example:
        >>> shown("x" * 99), shown([1, 2])
        ("'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...", 'a list of 2')
    """
    if isinstance(value, Tensor):
        return f"a tensor of {str(value.dtype).removeprefix('torch.')} {list(value.shape)}"
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, str | bytes):
        value = value[:_SHOWN]
    elif isinstance(value, int) and abs(value) > LARGEST:
        return f"a number of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def is_whole(value: object) -> bool:
    """Return whether a value is a whole number and no bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def text(value: Any, entry: str) -> None:
    """Check for a text that UTF-8 can hold."""
    if not isinstance(value, str) or not _is_unicode(value):
        raise EntryError(entry, shown(value), "a text")


def flag(value: Any, entry: str) -> None:
    """Check for true or false."""
    if not isinstance(value, bool):
        raise EntryError(entry, shown(value), "true or false")


def nothing(value: Any, entry: str) -> None:
    """Check for None."""
    if value is not None:
        raise EntryError(entry, shown(value), "none, for this checkpoint")


def whole(low: int = 0, high: int = LARGEST) -> Rule:
    """Return the rule of a whole number from ``low`` to ``high``."""
    rule = f"a whole number from {low:,} to {high:,}" if high < LARGEST else f"{low:,} or more"

    def check(value: Any, entry: str) -> None:
        if not is_whole(value) or not low <= value <= high:
            raise EntryError(entry, shown(value), rule)

    return check


def number(value: Any, entry: str) -> None:
    """Check for a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        raise EntryError(entry, shown(value), "a finite number")


def one_of(*values: object) -> Rule:
    """Return the rule of a few values."""

    def check(value: Any, entry: str) -> None:
        if not any(type(value) is type(one) and value == one for one in values):
            raise EntryError(entry, shown(value), f"one of {', '.join(map(str, values))}")

    return check


def optional(rule: Rule) -> Rule:
    """Return a rule that also accepts None."""

    def check(value: Any, entry: str) -> None:
        if value is not None:
            rule(value, entry)

    return check


def entries(needed: Mapping[str, Rule], further: Mapping[str, Rule] | None = None) -> Rule:
    """Return the rule of a mapping with the ``needed`` entries, optional ``further`` ones, and no others."""
    known = {**needed, **(further or {})}

    def check(value: Any, entry: str) -> None:
        mapping(value, entry)
        for name in needed:
            if name not in value:
                raise EntryError(_inside(entry, name), "absent", f"the entries {', '.join(needed)}")
        for name, held in value.items():
            if name not in known:
                raise EntryError(
                    entry, f"an entry {shown(name)}", f"no others than {', '.join(known)}"
                )
            known[name](held, _inside(entry, name))

    return check


def mapping(value: Any, entry: str) -> None:
    """Check for a mapping with texts as keys."""
    if not isinstance(value, dict):
        raise EntryError(entry, shown(value), "a mapping")
    for name in value:
        text(name, entry)


def mapping_of(rule: Rule, names: Collection[str] | None = None) -> Rule:
    """Return the rule of a mapping whose values follow ``rule``; ``names``, if given, are its only keys."""

    def check(value: Any, entry: str) -> None:
        mapping(value, entry)
        if names is not None and set(value) != set(names):
            odd = sorted(set(value) ^ set(names))[0]
            state = "absent" if odd in names else "there"
            raise EntryError(
                _inside(entry, odd), state, f"entries {sorted(names)[:5]}, as in facts"
            )
        for name, held in value.items():
            rule(held, _inside(entry, name))

    return check


def list_of(rule: Rule, low: int = 0, high: int = LARGEST) -> Rule:
    """Return the rule of a list whose values follow ``rule``; it loops, so lists must be short."""

    def check(value: Any, entry: str) -> None:
        _sequence(value, entry, low, high)
        for place, held in enumerate(value):
            rule(held, f"{entry}[{place}]")

    return check


def texts(
    *, low: int = 0, size: int | None = None, unique: bool = False, gaps: bool = False
) -> Rule:
    """Return the rule of a list of texts.

    Args:
        low: Smallest number of texts.
        size: Exact number of texts; None: any number.
        unique: Whether no text may be repeated.
        gaps: Whether values may be None.
    """
    rule = f"{'different ' if unique else ''}texts{' or none' if gaps else ''}"

    def check(value: Any, entry: str) -> None:
        _sequence(value, entry, *(low, LARGEST) if size is None else (size, size))
        kinds = set(map(type, value))
        if kinds - ({str, type(None)} if gaps else {str}):
            place = next(
                p for p, v in enumerate(value) if not (isinstance(v, str) or (gaps and v is None))
            )
            raise EntryError(f"{entry}[{place}]", shown(value[place]), rule)
        if not _is_unicode("".join(filter(None, value) if gaps else value)):
            place = next(p for p, v in enumerate(value) if v and not _is_unicode(v))
            raise EntryError(f"{entry}[{place}]", shown(value[place]), "texts that UTF-8 can hold")
        if unique and len(set(value)) < len(value):
            first = dict(zip(reversed(value), range(len(value) - 1, -1, -1), strict=True))
            place = next(place for place, name in enumerate(value) if first[name] != place)
            raise EntryError(f"{entry}[{place}]", f"{shown(value[place])} again", rule)

    return check


def numbers(*, sizes: Collection[int] | None = None, low: int = 0, counts: bool = False) -> Rule:
    """Return the rule of a list of finite numbers.

    Args:
        sizes: Allowed numbers of values; None: any number from ``low``.
        low: Smallest number of values.
        counts: Whether values must be whole numbers, 0 or more.
    """
    kinds = {int} if counts else {int, float}
    rule = "whole numbers, 0 or more" if counts else "finite numbers"

    def check(value: Any, entry: str) -> None:
        _sequence(value, entry, low, LARGEST)
        if sizes is not None and len(value) not in sizes:
            raise EntryError(
                entry, f"a list of {len(value)}", f"{_either(sizes)} of them, as in facts"
            )
        found = set(map(type, value))
        fits = found <= kinds
        if fits and found == {float}:  # long lists are of floats: a loop would be slow
            fits = bool(np.isfinite(np.array(value)).all())
        elif fits:
            fits = all(map(_is_finite, value)) and not (counts and min(value, default=0) < 0)
        if not fits:
            place = next(
                p
                for p, v in enumerate(value)
                if type(v) not in kinds or not _is_finite(v) or (counts and v < 0)
            )
            raise EntryError(f"{entry}[{place}]", shown(value[place]), rule)

    return check


def plain(value: Any, entry: str) -> None:
    """Check for values that YAML and JSON can hold, with limits on depth and number."""
    waiting, count = [(value, entry, 0)], 0
    while waiting:
        held, name, depth = waiting.pop()
        count += len(held) if isinstance(held, dict | list | tuple) else 0
        if depth > _DEEPEST or count > _MOST or len(name) > _LONGEST:
            limits = f"{_DEEPEST} levels and {_MOST:,} values at most, with short names"
            raise EntryError(entry, f"too much, at {shown(name)}", limits)
        if isinstance(held, dict):
            mapping(held, name)
            waiting += [(v, _inside(name, k), depth + 1) for k, v in held.items()]
        elif isinstance(held, list | tuple):
            waiting += [(v, f"{name}[{place}]", depth + 1) for place, v in enumerate(held)]
        elif isinstance(held, str):
            text(held, name)
        elif is_whole(held):
            whole(-LARGEST)(held, name)
        elif not (held is None or isinstance(held, bool | float)):
            raise EntryError(name, shown(held), "a text, a number, true, false or none")


def _sequence(value: Any, entry: str, low: int, high: int) -> None:
    if not isinstance(value, list | tuple):
        raise EntryError(entry, shown(value), "a list")
    if not low <= len(value) <= high:
        wanted = (
            str(low) if low == high else f"{low} or more" if high == LARGEST else f"{low} to {high}"
        )
        raise EntryError(entry, f"a list of {len(value)}", f"{wanted} of them")


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def _is_finite(value: float) -> bool:
    return abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value)


def _either(sizes: Collection[int]) -> str:
    return " or ".join(map(str, sorted(set(sizes))))


def _inside(entry: str, name: str) -> str:
    return f"{entry}.{name}" if entry else name
