"""Items like one, by id or text, against cosines computed one by one."""

import math

import polars as pl
import pytest
import torch

from lit_rec.errors import DataError

WIDTH = 8  # of the network's item vectors; the ninth column is the bias
NEW = pl.DataFrame(
    {"item_id": ["new", "dark"], "title": ["red river", "night"], "genres": ["day", "night"]}
)


def vectors_of(rec):
    """Item vectors by id, without biases, as lists of numbers."""
    items, scores = rec._state.items, rec._state.scores
    table = scores._vectors.take(torch.arange(len(items)))
    return {id_: table[row, :WIDTH].tolist() for row, id_ in enumerate(items)}


def cosine(one, two):
    length = math.hypot(*one) * math.hypot(*two)
    return sum(a * b for a, b in zip(one, two, strict=True)) / length


def expected(rec, vector, without=()):
    """All other items, the most similar first."""
    found = {id_: cosine(vector, other) for id_, other in vectors_of(rec).items()}
    ids = [id_ for id_ in rec.item_ids if id_ not in without]
    return [
        (id_, pytest.approx(found[id_], abs=1e-6)) for id_ in sorted(ids, key=lambda i: -found[i])
    ]


def pairs(found):
    return [(one.item_id, one.score) for one in found]


@pytest.mark.parametrize("k", [1, 5, 100])
def test_the_most_similar_are_those_of_brute_force(rec, k):
    wanted = expected(rec, vectors_of(rec)["i3"], without=["i3"])
    assert len(wanted) == 17
    assert pairs(rec.similar("i3", k)) == wanted[:k]


def test_biases_do_not_count(rec):
    """A popular item is not more similar to others for it."""
    found = rec.similar("i3", 17)
    assert [one.item_id for one in found] != [one.item_id for one in rec.recommend(["i3"], 17)]
    assert all(-1 <= one.score <= 1 for one in found)
    assert found[0].fields["title"]


def test_items_that_were_added_and_removed(rec):
    rec.similar("i3")  # what it holds of the catalogue must not stay
    rec.add_items(NEW)
    assert "new" in [one.item_id for one in rec.similar("i3", 100)]
    assert pairs(rec.similar("new", 100)) == expected(rec, vectors_of(rec)["new"], without=["new"])
    own = vectors_of(rec)["dark"]
    rec.remove_items(["dark", "i0"])
    found = rec.similar("dark", 100)
    assert pairs(found) == expected(rec, own), "what was removed still names its vector"
    assert {"dark", "i0"}.isdisjoint(one.item_id for one in found)


def test_an_item_by_its_text(rec):
    rec.add_items(NEW)
    found = rec.similar({"title": "red river", "genres": "day"}, 100)
    assert pairs(found) == expected(rec, vectors_of(rec)["new"])
    assert (found[0].item_id, found[0].score) == ("new", pytest.approx(1.0, abs=1e-6))


def test_allow_and_deny(rec):
    some = rec.similar("i3", 100, allow=["i1", "i2", "i3", "i4"], deny=["i2"])
    assert {one.item_id for one in some} == {"i1", "i4"}
    whole = pairs(rec.similar("i3", 100))
    assert pairs(some) == [pair for pair in whole if pair[0] in ("i1", "i4")]
    assert rec.similar("i3", allow=[]) == []


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("i99", "item: 'i99' is not among the 18 items"),
        (99, "item: '99' is not among"),
        ({"title": " "}, "item: .* names no item"),
        (["i3"], "item: .* neither an id nor a mapping"),
        (None, "item: nothing is NoneType"),
    ],
)
def test_what_names_no_item(rec, item, said):
    with pytest.raises(DataError, match=said):
        rec.similar(item)
    with pytest.raises(DataError, match="k: 0"):
        rec.similar("i3", 0)


def test_what_scores_mean(rec):
    assert rec.score_meaning() == "predicted rating, 1 to 5"
    with pytest.raises(DataError, match="has no labels"):
        rec.score_meaning("click")


def test_a_clipped_rating_has_what_is_behind_it(rec, monkeypatch):
    """Where several items have the highest rating, they differ before the clip, and are sorted by that."""
    inside = rec.recommend([], 18)
    assert [one.unclipped for one in inside] == [one.score for one in inside]
    monkeypatch.setattr(rec._module.built().head, "start", 5.0)
    found = rec.recommend([], 18)
    equal = [one for one in found if one.score == 5.0]
    assert len(equal) > 3
    behind = [one.unclipped for one in equal]
    assert len(set(behind)) > 3
    assert behind == sorted(behind, reverse=True)
    assert min(behind) >= 5.0
