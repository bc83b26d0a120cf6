from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from lit_rec.data.prepared import PARTS, Prepared, prepare
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate


def test_columns_are_those_of_the_table(toy_prepared, toy_tables, toy_parts):
    data, table = toy_prepared, toy_tables.behaviors
    assert isinstance(data.user, np.memmap)
    assert data.user_ids == ["u", "v"]
    assert data.events == ["buy", "click", "share"]
    assert data.has_order
    assert data.has_given
    assert data.texts["text"].to_list() == ["one", "two", "one", "", "six"]
    assert sorted(data.row.tolist()) == list(range(7))
    for place, row in enumerate(data.row.tolist()):
        source = table.row(row, named=True)
        assert data.user_ids[data.user[place]] == source["user_id"]
        assert data.items["item_id"][int(data.item[place])] == source["item_id"]
        assert data.timestamp[place] == source["timestamp"]
        assert PARTS[data.part[place]] == toy_parts[row]
        rating = data.rating[place]
        assert np.isnan(rating) if source["rating"] is None else rating == source["rating"]
        event = data.event[place]
        assert (None if event < 0 else data.events[event]) == source["event"]
        start, end = data.given_offsets[data.given_index[place] :][:2]
        given = data.given_item[start:end]
        assert ["abcde"[code] for code in given] == (source["history"] or [])


def test_rows_are_sorted_and_owned(toy_prepared):
    data = toy_prepared
    keys = list(zip(data.user, data.timestamp, data.row, strict=True))
    assert keys == sorted(keys)
    for user in range(2):
        owned = range(data.offsets[user], data.offsets[user + 1])
        assert [place for place in range(len(data)) if data.user[place] == user] == list(owned)


def test_rows_of(toy_prepared):
    parts = [toy_prepared.rows_of(part) for part in PARTS]
    assert sorted(np.concatenate(parts)) == toy_prepared.rows_of("all").tolist()
    for code, rows in enumerate(parts):
        assert (toy_prepared.part[rows] == code).all()


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("impressions", [False, True])
def test_past_end_equals_a_loop(tmp_path, ordered, impressions):
    rng = np.random.default_rng(3)
    count = 120
    frame = pl.DataFrame(
        {
            "user_id": [f"u{n}" for n in rng.integers(0, 6, count)],
            "item_id": ["a"] * count,
            "timestamp": rng.integers(0, 9, count).astype(float),
            "impression_id": [None if n > 4 else str(n) for n in rng.integers(0, 9, count)],
            "row": range(count),
        }
    )
    frame = frame if impressions else frame.drop("impression_id")
    tables = Tables(frame, pl.DataFrame({"item_id": ["a"], "t": ["x"]}), ordered=ordered)
    prepare(tables, pl.Series(["train"] * count), TextTemplate(["t"]), tmp_path)
    data = Prepared.open(tmp_path)
    rows = [frame.row(row, named=True) for row in data.row.tolist()]

    def clock(row):
        return (row["timestamp"], row["row"] if ordered else 0)

    for place, row in enumerate(rows):
        mine = [(p, r) for p, r in enumerate(rows) if r["user_id"] == row["user_id"]]
        shown = row.get("impression_id")
        same = [r for _, r in mine if shown is not None and r["impression_id"] == shown]
        bound = min(clock(r) for r in [row, *same])
        assert data.past_end[place] == min(p for p, r in mine if clock(r) >= bound)


def test_a_table_with_ids_only(tmp_path, toy_tables):
    bare = replace(toy_tables, behaviors=toy_tables.behaviors.select("user_id", "item_id", "row"))
    prepare(bare, pl.Series(["train"] * 7), TextTemplate(["title"]), tmp_path)
    data = Prepared.open(tmp_path)
    assert not data.has_order
    assert not data.has_given
    assert np.isnan(data.rating).all()
    assert np.isnan(data.timestamp).all()
    assert (data.event == -1).all()
    assert data.events == []
    assert data.row.tolist() == [1, 2, 4, 5, 0, 3, 6]
    assert data.given_offsets.tolist() == [0, 0]
    assert data.given_index.tolist() == [0] * 7
