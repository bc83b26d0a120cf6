"""Join rows of a list and the next item into one sequence for each user."""

from __future__ import annotations

import numpy as np
import polars as pl


def collapse(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Join the rows of each user into one sequence: the shortest list, then the next items.

    Files have a row for each beginning of a sequence, the longest or the shortest first. Lists may be cut to their
    newest items.

    Args:
        rows: file (int, increasing with time), user_id, before (a list of item ids, oldest first) and item_id.

    Returns:
        Behaviors, sorted by file, then the user's first row, then time: user_id, item_id, ``row`` (the row of ``rows``
        that it is from) and ``listed`` (whether it was only in a list). And for each row whether its list does *not*
        equal the user's last items before its item: then the rows are not of one sequence.

    Example:
        >>> before = [["a", "b"], ["a"], ["b", "c"]]
        >>> rows = pl.DataFrame({"file": [0, 0, 1], "user_id": "u", "before": before, "item_id": ["c", "b", "d"]})
        >>> behaviors, wrong = collapse(rows)
        >>> behaviors["item_id"].to_list(), behaviors["row"].to_list(), wrong.any()
        (['a', 'b', 'c', 'd'], [1, 1, 0, 2], False)
    """
    frame = _in_time_order(rows)
    first = frame.filter(pl.col("user").is_first_distinct())
    listed = first.select("file", "user", "row", item_id="before").explode("item_id").drop_nulls()
    listed = listed.with_columns(
        place=pl.int_range(pl.len(), dtype=pl.Int64).over("user"), listed=True
    )
    came = frame.select("file", "user", "row", "item_id", "place", listed=False)
    sequences = pl.concat([listed, came]).sort("user", "place")
    wrong = pl.DataFrame({"row": frame["row"], "wrong": _strays(frame, sequences)}).sort("row")
    behaviors = sequences.sort("file", "user", "place")
    users = rows["user_id"].unique(maintain_order=True)
    user_id = users.gather(behaviors["user"])
    return behaviors.select(user_id, "item_id", "row", "listed"), wrong["wrong"]


def _in_time_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Add row, user (a number), length (of the list) and place (of the item in the user's sequence)."""
    users = rows.select(pl.col("user_id").unique(maintain_order=True)).with_row_index("user")
    frame = rows.with_row_index("row").join(users, on="user_id", maintain_order="left")
    frame = frame.with_columns(length=pl.col("before").list.len().cast(pl.Int64))
    # cut lists have equal lengths: then the order of the file decides
    length = pl.col("length")
    newest_first = (length.first() > length.last()).over("user", "file")
    row = pl.col("row").cast(pl.Int64)
    frame = frame.with_columns(turn=pl.when(newest_first).then(-row).otherwise(row))
    rank = pl.int_range(pl.len(), dtype=pl.Int64).over("user")
    return frame.sort("user", "file", "length", "turn").with_columns(
        place=pl.col("length").first().over("user") + rank
    )


def _strays(frame: pl.DataFrame, sequences: pl.DataFrame) -> pl.Series:
    """Return which lists differ from the items before the row's item in its user's sequence."""
    starts = sequences["user"].search_sorted(frame["user"]).to_numpy().astype(np.int64)
    length = frame["length"].to_numpy()
    low = starts + frame["place"].to_numpy() - length
    ends = np.cumsum(length)
    within = np.arange(length.sum()) - np.repeat(ends - length, length)
    expected = np.maximum(np.repeat(low, length) + within, 0)
    found = frame["before"].filter(frame["length"] > 0).explode()
    differs = (found != sequences["item_id"].gather(expected)).to_numpy()
    owner = np.repeat(np.arange(len(frame)), length)
    differing = np.bincount(owner, weights=differs, minlength=len(frame)) > 0
    return pl.Series(differing | (low < starts))
