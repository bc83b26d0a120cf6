"""Remedies of errors, followed: wrong input, what the remedy says, and no error after it.

``follow`` runs both, and notes which ``remedy=`` of lit_rec made the error. Each file of this folder ends with
``test_each_remedy_was_followed``, which holds that every ``remedy=`` of its part of lit_rec is one of them.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest

from lit_rec.errors import LitRecError

ROOT = Path(__file__).parents[3]


class Remedy(NamedTuple):
    """A call with ``remedy=`` in the code."""

    path: str  # as lit_rec/data/datamodule.py
    first: int  # lines of the call
    last: int
    text: str  # the remedy as the code has it


FOLLOWED: set[Remedy] = set()


def follow(
    broken: Callable[[], object],
    mended: Callable[[], Any],
    *,
    says: str,
    then: type[BaseException] | None = None,
) -> Any:
    """Run wrong input, and what its remedy says.

    Args:
        broken: Ends with an error of lit_rec; a command of the command line ends with exit code 2 and prints it.
        mended: The same, after the remedy was followed.
        says: What the remedy has to hold: the words that ``mended`` follows.
        then: The error that ``mended`` ends with, where another mistake is found further on.

    Returns:
        What ``mended`` returned.
    """
    error, remedies = refused(broken)
    assert says in error.remedy, f"the remedy is {error.remedy!r}"
    assert remedies, f"no remedy= of lit_rec made this error:\n{error}"
    result = None
    if then is None:
        result = mended()
    else:
        _, others = refused(mended)
        assert remedies != others, "the remedy leads to the same error"
    FOLLOWED.update(remedies)
    return result


def refused(broken: Callable[[], object]) -> tuple[LitRecError, set[Remedy]]:
    """Run wrong input; return the error that it is refused with, and the places of the code that made it."""
    made: list[LitRecError] = []
    begin = LitRecError.__init__

    def noting(error: LitRecError, *args: Any, **kwargs: Any) -> None:
        begin(error, *args, **kwargs)
        error.made_at = set(_of_stack(sys._getframe(1)))  # type: ignore[attr-defined]
        made.append(error)

    said = io.StringIO()
    with (
        mock.patch.object(LitRecError, "__init__", noting),
        contextlib.redirect_stderr(said),
        pytest.raises((LitRecError, SystemExit)) as stop,
    ):
        broken()
    error: BaseException = stop.value
    if isinstance(error, SystemExit):
        assert error.code == 2, said.getvalue()
        error = next(one for one in reversed(made) if str(one) in said.getvalue())
    assert isinstance(error, LitRecError)
    return error, getattr(error, "made_at", set())


def each_remedy_of(*places: str) -> Callable[[pytest.FixtureRequest], None]:
    """Return the last test of a file: every ``remedy=`` in these files and folders of lit_rec was followed.

    Args:
        places: As ``data/tables``, ``data/datamodule.py``.
    """

    def test_each_remedy_was_followed(request: pytest.FixtureRequest) -> None:
        if request.config.option.keyword or any("::" in word for word in request.config.args):
            pytest.skip("only some tests of this file run")
        left = [remedy for remedy in remedies() if _within(remedy, places)]
        assert left, "no remedy there"
        left = [remedy for remedy in left if remedy not in FOLLOWED]
        assert not left, "\n".join(f"{r.path}:{r.first} {r.text}" for r in left)

    test_each_remedy_was_followed.places = places  # type: ignore[attr-defined]
    return test_each_remedy_was_followed


def _within(remedy: Remedy, places: tuple[str, ...]) -> bool:
    return any(f"{remedy.path}/".startswith(f"lit_rec/{place}/") for place in places)


@functools.cache
def remedies() -> list[Remedy]:
    """All calls with ``remedy=`` in lit_rec."""
    found = []
    for path in sorted((ROOT / "lit_rec").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.end_lineno:
                found += [
                    Remedy(
                        str(path.relative_to(ROOT)),
                        node.lineno,
                        node.end_lineno,
                        ast.unparse(keyword.value),
                    )
                    for keyword in node.keywords
                    if keyword.arg == "remedy"
                ]
    return found


@functools.cache
def _by_file() -> dict[str, list[Remedy]]:
    found: dict[str, list[Remedy]] = {}
    for remedy in remedies():
        found.setdefault(str(ROOT / remedy.path), []).append(remedy)
    return found


def _of_stack(frame: Any) -> Iterator[Remedy]:
    """The calls with ``remedy=`` that are under way; an error that is worded anew is the first one."""
    while frame is not None:
        before = frame.f_locals.get("self") if frame.f_code.co_name == "reworded" else None
        yield from getattr(before, "made_at", ())
        for remedy in _by_file().get(frame.f_code.co_filename, ()):
            if remedy.first <= frame.f_lineno <= remedy.last:
                yield remedy
        frame = frame.f_back
