"""Random behaviors with tied times, shared by the property tests of this folder."""

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import settings
from hypothesis import strategies as st

from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.collator import RowCollator
from lit_rec.data.history.histories import (
    History,
    Where,
)
from lit_rec.data.prepared import ALL_PARTS, Prepared, prepare
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate
from lit_rec.data.texts.tokens import TokenStore

ITEMS = 5
EVENTS = ("buy", "click")
LABELS = ("no", "yes")


@dataclass(frozen=True)
class Row:
    """One behavior, as the brute-force loops see it."""

    user: int
    item: int
    rating: float | None
    time: int
    part: int
    impression: int | None = None
    event: str | None = None
    history: tuple[int, ...] = ()
    label: str | None = None


FEW = settings(max_examples=25, deadline=None)
SOME = settings(max_examples=50, deadline=None)
one_row = st.builds(
    Row,
    user=st.integers(0, 2),
    item=st.integers(0, ITEMS - 1),
    rating=st.none() | st.integers(1, 5).map(float),
    time=st.integers(0, 4),
    part=st.integers(0, 3),
    impression=st.none() | st.integers(0, 2),
    event=st.none() | st.sampled_from(EVENTS),
    history=st.lists(st.integers(0, ITEMS - 1), max_size=4).map(tuple),
    label=st.none() | st.sampled_from(LABELS),
)
rows_strategy = st.lists(one_row, min_size=1, max_size=20)
few_rows = st.lists(one_row, min_size=1, max_size=8)
lengths = st.integers(1, 6)
wheres = st.builds(
    Where,
    events=st.none(),
    min_rating=st.none() | st.integers(1, 5).map(float),
)


def prepared_of(rows: list[Row], *, ordered: bool = False, with_time: bool = True) -> Prepared:
    columns: dict[str, Any] = {
        "user_id": [f"u{r.user}" for r in rows],
        "item_id": [f"i{r.item}" for r in rows],
        "rating": pl.Series([r.rating for r in rows], dtype=pl.Float64),
        "label": pl.Series([r.label for r in rows], dtype=pl.String),
        "event": pl.Series([r.event for r in rows], dtype=pl.String),
        "impression_id": pl.Series(
            [None if r.impression is None else str(r.impression) for r in rows], dtype=pl.String
        ),
        "history": pl.Series(
            [[f"i{i}" for i in r.history] for r in rows], dtype=pl.List(pl.String)
        ),
        "row": pl.Series(range(len(rows)), dtype=pl.Int64),
    }
    if with_time:
        columns["timestamp"] = [float(r.time) for r in rows]
    ids = [f"i{i}" for i in range(ITEMS)]
    items = pl.DataFrame({"item_id": ids, "title": [f"title {i}" for i in ids]})
    split = pl.Series("part", [ALL_PARTS[r.part] for r in rows])
    with tempfile.TemporaryDirectory() as folder:
        tables = Tables(pl.DataFrame(columns), items, ordered=ordered)
        prepare(tables, split, TextTemplate(["title"]), Path(folder))
        prepared = Prepared.open(Path(folder))
    # as a network knows them, whichever of them a table has
    codes = np.array([*map(LABELS.index, prepared.labels), -1])
    return replace(prepared, label=codes[prepared.label], labels=list(LABELS))


def collator_of(prepared: Prepared, history: History) -> RowCollator:
    store = TokenStore(np.arange(ITEMS, dtype=np.int32), np.arange(ITEMS + 1, dtype=np.int64))
    places = np.arange(ITEMS, dtype=np.int64)
    catalogue = Catalogue(store, places[:, None], places + 1)
    users = np.arange(len(prepared.user_ids), dtype=np.int64)
    return RowCollator(
        prepared,
        history.bind(prepared),
        catalogue,
        users,
        np.array(prepared.rating),
        with_texts=True,
    )


def may_see(row: Row, other: Row, *, past: bool) -> bool:
    """Whether a row of one part may see one of another, written out: places are those in ``ALL_PARTS``."""
    if row.part == 0:
        return other.part == 0
    if past and row.part < 3:
        return other.part in (*range(row.part + 1), 3)
    return other.part in (0, 3)


def counts(row: Row, where: Where) -> bool:
    if where.events is not None and row.event not in where.events:
        return False
    return where.min_rating is None or (row.rating is not None and row.rating >= where.min_rating)


TIED = [
    Row(0, 0, 3.0, 0, 0),
    Row(0, 1, 4.0, 1, 1),
    Row(0, 2, 2.0, 1, 2),
    Row(0, 3, 2.0, 2, 0),
    Row(1, 3, 2.0, 1, 0),
]
