"""The search for the best value of an option whose figure rises to one place and falls from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence


def climb(values: Sequence[float], start: float, figure: Callable[[float], float]) -> float:
    """Return where a figure is best: neighbors of the best value are tried until none is better.

    Args:
        values: What can be chosen, in order.
        start: One of them, the first that is tried; it is kept where no other is better.
        figure: From a value to what should be large.

    Example:
        >>> climb((1.0, 2.0, 3.0, 4.0), 2.0, lambda value: -abs(value - 3.5))
        3.0
    """
    tried = {start: figure(start)}
    while True:
        best = max(tried, key=tried.__getitem__)
        place = values.index(best)
        near = [value for value in values[max(place - 1, 0) : place + 2] if value not in tried]
        if not near:
            return best
        tried |= {value: figure(value) for value in near}
