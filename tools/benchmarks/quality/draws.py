"""A row of a table: the mean of draws or seeds, with Student's interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any

from scipy.stats import t as t_distribution


def row_of_draws(name: str, metric: str, values: Sequence[float], seconds: float) -> dict[str, Any]:
    """Return a row of the table; one value alone has no interval.

    Args:
        name: Of what was measured.
        metric: The figure.
        values: Of each draw.
        seconds: Of all draws together.
    """
    value, count = fmean(values), len(values)
    away = None
    if count > 1:
        away = float(t_distribution.ppf(0.975, count - 1)) * stdev(values) / math.sqrt(count)
    return {
        "name": name,
        "metric": metric,
        "value": value,
        "low": None if away is None else value - away,
        "high": None if away is None else value + away,
        "seeds": count,
        "seconds": seconds,
    }
