import math
from types import SimpleNamespace

import polars as pl
import pytest

from lit_rec.errors import DataError
from lit_rec.inference.index.stored_items import StoredItems
from lit_rec.inference.requests.entries import (
    event_place,
    item_row,
    label_place,
    listed,
    rating_of,
    record_of,
)


def test_a_lone_id_is_not_read_letter_by_letter():
    assert listed(["50"], where="history") == ["50"]
    for lone in ("50", 50, {"item_id": "50"}):
        with pytest.raises(DataError, match=r"history: .*50.* is one entry[\s\S]*write \["):
            listed(lone, where="history")


def test_rows_of_a_table_are_entries_without_their_empty_cells():
    table = pl.DataFrame({"item_id": [7, None], "title": [None, "Heat"], "rating": [4.0, math.nan]})
    assert listed(table, where="history") == [{"item_id": 7, "rating": 4.0}, {"title": "Heat"}]


def test_entries_are_ids_or_mappings():
    assert record_of("50") == {"item_id": "50"}
    assert record_of(50) == record_of(50.0) == {"item_id": "50"}
    assert record_of({"title": "Heat"}) == {"title": "Heat"}
    for wrong in (None, ["50"], True, float("nan")):
        with pytest.raises(DataError, match="neither an id nor a mapping"):
            record_of(wrong)


def test_rows_of_ids_and_near_misses():
    items = StoredItems.of(["alpha", "beta"], {})
    assert item_row("beta", items, where="allow") == 1
    assert item_row(7, StoredItems.of(["x", "7"], {}), where="allow") == 1
    with pytest.raises(DataError, match=r"allow: 'alfa' is not among the 2 items") as found:
        item_row("alfa", items, where="allow")
    assert "did you mean 'alpha'?" in str(found.value)


def test_places_of_events():
    assert [event_place(name, ("view", "buy")) for name in (None, "view", "buy")] == [0, 1, 2]
    with pytest.raises(DataError, match=r"'sell' .*\n.*one of view, buy"):
        event_place("sell", ("view", "buy"))
    with pytest.raises(DataError, match="the data had no events"):
        event_place("sell", ())


@pytest.mark.parametrize("value", [1, 5, "3", 2.5, "4.5"])
def test_ratings_within_the_range(value):
    assert rating_of(value, 1.0, 5.0) == float(value)


@pytest.mark.parametrize("value", [0.9, 5.1, "good", "nan", "inf", None, [3]])
def test_ratings_that_are_not_usable(value):
    with pytest.raises(DataError, match=r"a number from 1 to 5"):
        rating_of(value, 1.0, 5.0)


def test_a_rating_for_a_model_of_something_else():
    with pytest.raises(DataError, match=r"rating 4 has no meaning for a model .* without ratings"):
        rating_of(4, 0.0, 0.0)


def test_places_of_labels():
    """An entry without a label counts as the positive one of two; where histories tell none, nothing counts."""

    def facts(*labels, tells=True):
        return SimpleNamespace(labels=labels, history_labels=tells)

    two, three = facts("0", "1"), facts("bad", "so-so", "good")
    assert [label_place(label, two) for label in (None, "0", 1, "1")] == [2, 1, 2, 2]
    assert [label_place(label, three) for label in (None, "bad", "good")] == [0, 1, 3]
    assert [label_place(label, facts("0", "1", tells=False)) for label in (None, "1", "x")] == [
        0
    ] * 3
    with pytest.raises(DataError, match=r"the label 'great' is not one of[\s\S]*bad, so-so, good"):
        label_place("great", three)
