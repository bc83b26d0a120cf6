"""Rows as RecTools reads them, and its recommendations: every row is a user of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel

from tools.benchmarks.peers.exchange import Array
from tools.benchmarks.peers.fits.next_item import row_of_entry

_AT_ONCE = 512


def dataset(user: Array, item: Array) -> Dataset:
    """Return a dataset whose interactions are in the order of the arrays."""
    moment = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.arange(len(user)), unit="s")
    columns = {
        Columns.User: user,
        Columns.Item: item,
        Columns.Weight: 1.0,
        Columns.Datetime: moment,
    }
    return Dataset.construct(pd.DataFrame(columns))


def scores_of(model: SASRecModel, rows: dict[str, Array]) -> Array:
    """Return the scores of the test rows ``[R, I]``; what cannot be scored comes last."""
    items = int(rows["items"])
    scores = np.full((len(rows["test_offsets"]) - 1, items), -np.inf, np.float32)
    for found in recommended(model, rows, "test", k=items, filter_viewed=False):
        place = found[Columns.User].to_numpy(int), found[Columns.Item].to_numpy(int)
        scores[place] = found[Columns.Score].to_numpy()
    return scores


def recommended(
    model: SASRecModel, rows: dict[str, Array], part: str, *, k: int, filter_viewed: bool
) -> Iterator[pd.DataFrame]:
    """Yield recommendations, some rows at a time; each row is a user of its own."""
    offsets, history = rows[f"{part}_offsets"], rows[f"{part}_history"]
    for start in range(0, len(offsets) - 1, _AT_ONCE):
        some = offsets[start : start + _AT_ONCE + 1]
        user = start + row_of_entry(some)
        yield model.recommend(
            users=np.unique(user),
            dataset=dataset(user, history[some[0] : some[-1]]),
            k=k,
            filter_viewed=filter_viewed,
            on_unsupported_targets="ignore",
        )
