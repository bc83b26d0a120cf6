"""BaselineLines: what a report is at, a line for each baseline with its seconds."""

from __future__ import annotations

from time import perf_counter

from lit_rec.progress import say


class BaselineLines:
    """Print a line when a baseline is done, and keep the seconds it took.

    Args:
        rows: The number of rows that are tested.

    Example:
        >>> lines = BaselineLines(20)
        baselines, fitted on the training rows and tested on 20 rows:
        >>> lines.done("mean")  # doctest: +SKIP
          mean                       0.0 s
    """

    def __init__(self, rows: int) -> None:
        say(f"baselines, fitted on the training rows and tested on {rows:,} rows:")
        self.seconds: dict[str, float] = {}
        self._since = perf_counter()

    def done(self, name: str) -> None:
        """Print the line of a baseline that was fitted, and ranked or predicted, since the last line."""
        self.seconds[name] = round(self.say_time(name), 3)

    def say_time(self, what: str) -> float:
        """Print a line of what was done since the last line, and return its seconds."""
        now = perf_counter()
        took, self._since = now - self._since, now
        say(f"  {what:<22}{took:8.1f} s")
        return took

    def measure(self, models: int) -> None:
        """Say that intervals of so many models are computed now."""
        say(f"intervals of {models} models")
