"""What goes between lit_rec and a peer, as files: rows without the targets of test rows, and predictions.

It needs nothing but NumPy, because peers run in environments that do not hold lit_rec.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_ROWS = "rows.npz"
_LINES = "lines.json"


@dataclass
class Line:
    """One way to fit a peer, and what it predicts for the test rows.

    Args:
        name: Its name in the table.
        predicted: ``[R, I]`` scores of the catalogue, ``[R]`` ratings, or ``[R, K]`` probabilities.
        fit_seconds: Fitting it; choosing its options is in ``choice_seconds``.
        predict_seconds: Predicting the test rows.
        choice_seconds: Choosing its options; 0 if none is chosen.
        options: Those that were chosen or are not the library's defaults.
    """

    name: str
    predicted: Array
    fit_seconds: float
    predict_seconds: float
    choice_seconds: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)


class Timed:
    """A block of code that is timed, in seconds of a core: peers use one thread, and others may use the machine.

    Example:
        >>> with Timed() as fit:
        ...     _ = sum(range(10))
        >>> fit.seconds >= 0
        True
    """

    seconds = 0.0

    def __enter__(self) -> Timed:
        """Start."""
        self._started = time.process_time()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; several blocks add up."""
        self.seconds += time.process_time() - self._started


def write_rows(folder: Path, **arrays: Array) -> None:
    """Write the rows of a case."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / _ROWS, **arrays)


def read_rows(folder: Path) -> dict[str, Array]:
    """Read what ``write_rows`` wrote."""
    with np.load(folder / _ROWS) as found:
        return dict(found)


def write_lines(folder: Path, lines: Iterator[Line]) -> None:
    """Write a peer's lines, the list of them last: without it the peer has not finished."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for line in lines:
        np.save(folder / f"{len(written)}.npy", line.predicted)
        line.predicted = np.empty(0)  # the next one needs the memory
        written.append({key: value for key, value in asdict(line).items() if key != "predicted"})
    (folder / _LINES).write_text(json.dumps(written, indent=1) + "\n")


def read_lines(folder: Path) -> list[Line]:
    """Read what ``write_lines`` wrote; predictions stay on the disk until they are used."""
    return [
        Line(predicted=np.load(folder / f"{place}.npy", mmap_mode="r"), **content)
        for place, content in enumerate(json.loads((folder / _LINES).read_text()))
    ]


def is_finished(folder: Path) -> bool:
    """Return whether a peer has written all its lines."""
    return (folder / _LINES).is_file()


def answer(lines: Callable[[dict[str, Array]], Iterator[Line]], words: list[str]) -> None:
    """Run a peer: read the rows of one folder, write the lines into another.

    Args:
        lines: The peer.
        words: Folder of the rows, folder of the lines.
    """
    rows, folder = map(Path, words)
    write_lines(folder, lines(read_rows(rows)))
