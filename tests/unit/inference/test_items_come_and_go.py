"""Recommender: items that are added and removed without a rebuild."""

import polars as pl
import pytest

from lit_rec.errors import ConfigError, DataError
from lit_rec.inference.recommender import Recommender

from .test_recommender import HISTORY, ids

NEW = pl.DataFrame({"item_id": ["n1", "n2"], "title": ["red river", "blue"], "genres": ["day", ""]})


def test_new_items_are_found(rec):
    before = rec.score(HISTORY, rec.item_ids)
    rec.add_items(NEW)
    assert rec.item_ids[-2:] == ["n1", "n2"]
    assert {"n1", "n2"} <= set(ids(rec.recommend(HISTORY, 100)))
    (one,) = rec.recommend(HISTORY, 1, allow=["n1"])
    assert one.fields == {"title": "red river", "genres": "day", "year": None}
    assert rec.score(HISTORY, rec.item_ids[:-2]) == pytest.approx(before, abs=1e-6)
    assert "n1" not in ids(rec.recommend(["n1"], 100))
    rec.add_items(NEW.clear())
    assert len(rec.item_ids) == 20


def test_ids_that_pandas_made_floats_are_those_of_the_other_tables(rec):
    rec.add_items(NEW.with_columns(item_id=pl.Series([7.0, 8.5])))
    assert rec.item_ids[-2:] == ["7", "8.5"]


def test_new_items_do_not_depend_on_each_other(rec, checkpoint):
    rec.add_items(NEW)
    apart = Recommender(*checkpoint)
    apart.add_items(NEW[1:])
    apart.add_items(NEW[:1])
    expected = rec.score(HISTORY, ["n1", "n2"])
    assert apart.score(HISTORY, ["n1", "n2"]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (NEW.rename({"item_id": "id"}), "no column 'item_id'; the table has id, title, genres"),
        (pl.concat([NEW, NEW[:1]]), "row 3: has the item_id 'n1', which is there twice"),
        (NEW.with_columns(item_id=pl.Series(["n1", "i4"])), "row 2: .*'i4', which is already"),
        (NEW.with_columns(item_id=pl.Series(["n1", None])), "row 2: has no item_id"),
        (NEW.with_columns(item_id=pl.Series([True, False])), "'item_id' holds true and false"),
        (NEW.with_columns(item_id=pl.Series([2.0**53, 1.0])), "9007199254740992 as Float64"),
        (NEW.drop("genres"), "no column 'genres'"),
    ],
)
def test_items_that_cannot_be_added(rec, frame, said):
    with pytest.raises((DataError, ConfigError), match=said):
        rec.add_items(frame)
    assert len(rec.item_ids) == 18
    assert len(rec.recommend(HISTORY, 100)) == 15


@pytest.mark.parametrize("column", ["genres", "year"])
def test_new_items_with_other_kinds_of_columns(rec, column):
    rec.add_items(NEW.with_columns(pl.Series(column, [["day", "night"], ["city"]])))
    (one,) = rec.recommend(HISTORY, 1, allow=["n1"])
    assert one.fields[column] == "day, night"


def test_removed_items_are_never_recommended(rec):
    before = rec.recommend(HISTORY, 100)
    scores = rec.score(HISTORY, ["i1", "i3", "i17"])
    rec.remove_items(iter(["i1", "i3"]))
    rec.remove_items(["i1", "i17", "i17"])
    left = [f"i{place}" for place in range(18) if place not in (1, 3, 17)]
    assert rec.item_ids == left
    assert rec.recommend(HISTORY, 100) == [
        one for one in before if one.item_id not in ("i1", "i17")
    ]
    assert set(ids(rec.recommend([], 100, exclude_seen=False))) == set(left)
    assert ids(rec.recommend(HISTORY, 9, allow=["i1", "i2"], deny=["i17"])) == ["i2"]
    assert rec.score(HISTORY, ["i1", "i3", "i17"]) == pytest.approx(scores, abs=1e-6)
    assert len(rec.recommend([*HISTORY, {"title": "red river"}], 100)) == 13, "seen: i7 and i9"


def test_all_that_is_named_is_removed_or_nothing(rec):
    for names, said in (
        (["i1", "i99"], "remove_items: 'i99' is not among"),
        ("i1", "is one entry"),
    ):
        with pytest.raises(DataError, match=said):
            rec.remove_items(names)
    assert len(rec.item_ids) == 18


def test_a_removed_item_that_is_added_again_is_a_new_one(rec):
    rec.add_items(NEW)
    rec.remove_items(["i4", "n1"])
    rec.add_items(NEW.with_columns(item_id=pl.Series(["i4", "n3"])))
    assert rec.item_ids[-3:] == ["n2", "i4", "n3"]
    assert len(rec.item_ids) == 20
    (one,) = rec.recommend(HISTORY, 9, allow=["i4"])
    assert one.fields == {"title": "red river", "genres": "day", "year": None}
    assert rec.score(HISTORY, ["i4"]) == pytest.approx(rec.score(HISTORY, ["n1"]), abs=1e-6)
    assert rec.score(["i4"], ["i1"]) == pytest.approx(rec.score(["n1"], ["i1"]), abs=1e-6)
    assert "i4" not in ids(rec.recommend(["i4"], 100))
    with pytest.raises(DataError, match="'i4', which is already"):
        rec.add_items(NEW.with_columns(item_id=pl.Series(["i4", "n5"])))
