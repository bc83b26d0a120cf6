"""What a command may do with wrong input: run, or end with code 2 and a short message; anything else is a failure."""

from __future__ import annotations

import re
import signal
from collections.abc import Collection, Iterator
from pathlib import Path

from attacks.forks import Ending

Finding = tuple[str, str]  # the kind, and what was seen

_LINES = 8  # of a message
_WIDTH = 600  # characters of one line of it
_OWN = re.compile(r'File "([^"]*/lit_rec/[^"]+)", line (\d+)')
_ANY = re.compile(r'File "([^"]+)", line (\d+)')


def judge(
    ending: Ending, usual: Collection[str] = (), *, refusing: bool = True
) -> Iterator[Finding]:
    """Yield what is wrong with how a command ended.

    Args:
        ending: How it ended.
        usual: What the watch sees in commands that are not attacked.
        refusing: Whether the command may refuse its input.
    """
    for line in dict.fromkeys(ending.seen):
        if line not in usual:
            kind, _, what = line.partition(": ")
            yield kind, what
    yield from _judge_end(ending, refusing)


def _judge_end(ending: Ending, refusing: bool) -> Iterator[Finding]:
    text = ending.err + ending.out
    if ending.timed_out:
        yield "hang", f"not done after {ending.seconds:.0f} s"
    elif ending.code < 0:
        yield "crash", f"died of {signal.Signals(-ending.code).name}: {_last(text)}"
    elif "Traceback (most recent call last)" in text:
        yield "traceback", shown_traceback(text)
    elif ending.code == 2:
        yield from _message(ending.err)
        if not refusing:
            yield "refused", _last(ending.err)
    elif ending.code != 0:
        yield "exit code", f"{ending.code}: {_last(text)}"


def shown_traceback(text: str) -> str:
    """Return the error of a traceback, and the last place of lit_rec in it, else the last place."""
    errors = [
        line
        for line in text.splitlines()
        if re.match(r"[\w.]+(Error|Exception|Exit|Stop|Interrupt|\w*Warning)?(: |$)", line)
    ]
    places = _OWN.findall(text) or _ANY.findall(text)
    path, line = places[-1] if places else ("?", "?")
    where = path.partition("/lit_rec/")[2] or Path(path).name
    return f"{(errors or [_last(text)])[-1][:200]} at {where}:{line}"


def ended(ending: Ending) -> str:
    """Return how a command ended, in a word."""
    if ending.timed_out or ending.code < 0:
        return "stopped"
    return {0: "ran", 2: "refused"}.get(ending.code, "failed")


def _message(err: str) -> Iterator[Finding]:
    lines = [line for line in err.splitlines() if not line.startswith("Seed set")]
    start = next((n for n, line in enumerate(lines) if line.startswith("lit_rec: ")), None)
    if start is None:
        yield "message", f"no line starts with 'lit_rec: ': {_last(err)}"
        return
    shown = lines[start:]
    if len(shown) > _LINES:
        yield "message", f"{len(shown)} lines: {shown[0][:200]}"
    if max(map(len, shown)) > _WIDTH:
        yield "message", f"a line of {max(map(len, shown))} characters: {shown[0][:200]}"
    if not any(line.startswith("  Try:") for line in shown):
        yield "message", f"no remedy: {shown[0][:200]}"


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "no word"
