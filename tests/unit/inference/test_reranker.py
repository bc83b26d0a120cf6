"""Reranker: its scores against the module's on batches of the data, its order against brute force."""

import numpy as np
import pytest
import torch

from lit_rec.data.batches.collator import BatchRows
from lit_rec.errors import DataError
from lit_rec.inference.reranker import Reranker

from .conftest import DAY

HISTORY = [
    {"item_id": "i3", "rating": 5.0, "event": "buy", "timestamp": 110 * DAY},
    {"item_id": "i7", "rating": 1.0, "event": "view"},
    "i9",
]
ITEMS = ["i5", "i0", "i12", "i3"]


@pytest.fixture
def cross(cross_checkpoint):
    return Reranker(*cross_checkpoint)


def test_scores_are_those_of_the_module_on_the_data(cross, data, cross_checkpoint, rec):
    """Each row of the data by itself, against all rows in one batch."""
    module, _ = cross_checkpoint
    rows = data.prepared.rows_of("all")
    with torch.no_grad():
        expected = module.predict_step(data.collator(with_texts=True)(BatchRows(rows)), 0)
    inside = expected[(expected > 1.0) & (expected < 5.0)]
    assert inside.std() > 1e-3, "scores that differ, and are not cut"
    assert len(inside) == len(rows)
    prepared = data.prepared
    for row in rows:
        user = prepared.user_ids[prepared.user[row]]
        past = [e for e in rec.history_of(user) if e["timestamp"] < prepared.timestamp[row]]
        item = prepared.items["item_id"][int(prepared.item[row])]
        assert cross.score(past, [item]) == pytest.approx([float(expected[row, 0])], abs=1e-5)


def test_one_item_at_a_time_or_all_at_once(cross):
    together = cross.score(HISTORY, cross.item_ids)
    assert np.std(together) > 1e-4
    alone = [cross.score(HISTORY, [id_])[0] for id_ in cross.item_ids]
    assert alone == pytest.approx(together, abs=1e-5)
    again = cross.score(HISTORY, ["i2", "i1", "i2"])
    assert again == pytest.approx([together[2], together[1], together[2]], abs=1e-5)
    assert again[0] == again[2]
    assert cross.score(HISTORY, []) == []
    assert cross.rerank(HISTORY, []) == []


def test_the_order_is_that_of_the_scores(cross):
    scores = cross.score(HISTORY, ITEMS)
    assert len(set(scores)) == len(ITEMS)
    order = sorted(range(len(ITEMS)), key=lambda place: -scores[place])
    found = cross.rerank(HISTORY, ITEMS)
    assert [one.place for one in found] == order
    assert [one.item_id for one in found] == [ITEMS[place] for place in order]
    assert [one.score for one in found] == [scores[place] for place in order]
    assert cross.rerank(HISTORY, ITEMS, 2) == found[:2]


def test_equal_scores_stand_in_the_order_asked(cross, monkeypatch):
    network = cross._module.built()
    monkeypatch.setattr(network, "score", lambda u, v, b: torch.zeros(b.candidates.mask.shape))
    assert [one.item_id for one in cross.rerank(HISTORY, ITEMS)] == ITEMS


def test_items_and_histories_by_text(cross):
    """The text of an item that has no training row gives the item's own score."""
    texts = {"title": "night night", "genres": "night"}  # those of i14
    assert "i14" not in cross._facts.item_ids
    known = cross.score(HISTORY, ["i14", "i2"])
    assert cross.score(HISTORY, [texts, "i2"]) == pytest.approx(known, abs=1e-5)
    by_text = [{**texts, "rating": 4.0}, *HISTORY]
    by_id = [{"item_id": "i14", "rating": 4.0}, *HISTORY]
    items = [{"title": "river"}, "i2", {"title": "city", "genres": ["day", "night"]}]
    assert cross.score(by_text, items) == pytest.approx(cross.score(by_id, items), abs=1e-5)
    assert cross.score(by_text, items) != pytest.approx(cross.score(HISTORY, items), abs=1e-5)
    found = {one.place: one for one in cross.rerank(HISTORY, items)}
    assert [found[place].item_id for place in range(3)] == [None, "i2", None]
    assert found[0].fields == {"title": "river", "genres": None}
    assert found[1].fields == {"title": "red night", "genres": "night", "year": "1982"}
    assert found[2].fields == {"title": "city", "genres": "day, night"}


def test_what_was_done_with_the_history_counts(cross):
    before = cross.score(HISTORY[:2], ["i1"])
    for change in ({"rating": 1.0}, {"event": "view"}):
        changed = [{**HISTORY[0], **change}, HISTORY[1]]
        assert cross.score(changed, ["i1"]) != pytest.approx(before, abs=1e-6)
    unrated = {name: value for name, value in HISTORY[0].items() if name != "rating"}
    assert cross.score([unrated, HISTORY[1]], ["i1"]) == before  # liked: 5 of 5


def test_only_as_much_history_as_the_network_was_trained_with(cross, cross_checkpoint):
    module, content = cross_checkpoint
    short = Reranker(module, {**content, "history_length": 2})
    assert short.score(HISTORY, ["i1"]) == short.score(HISTORY[1:], ["i1"])
    assert short.score(HISTORY[:1], ["i1"]) == cross.score(HISTORY[:1], ["i1"])


def test_what_a_recommender_finds_can_be_put_in_order(rec, cross):
    pool = rec.recommend(HISTORY, 6)
    found = cross.rerank(HISTORY, [one.item_id for one in pool], 3)
    assert len(found) == 3
    assert {one.item_id for one in found} <= {one.item_id for one in pool}
    assert [pool[one.place].item_id for one in found] == [one.item_id for one in found]
    assert [one.fields for one in found] == [pool[one.place].fields for one in found]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"items": ["i99"]}, "items: 'i99' is not among the 18 items"),
        ({"items": "i1"}, "items: 'i1' is one entry"),
        ({"items": [["i5"]]}, r"items: \['i5'\] is list, neither an id nor a mapping"),
        ({"items": [{"titel": "red"}]}, "items: .* names no item"),
        ({"items": [{"title": " "}]}, r"items: .* names no item[\s\S]*one of title, genres"),
        ({"history": ["i99"]}, "history: 'i99'"),
        ({"history": [{"title": ""}]}, "history: .* names no item"),
        ({"history": [{"item_id": "i1", "rating": 9}]}, "the rating 9"),
        ({"history": [{"item_id": "i1", "event": "sell"}]}, "'sell' is not an event"),
        ({"k": 0}, "k: 0 is too small"),
    ],
)
def test_requests_that_are_wrong(cross, options, said):
    with pytest.raises(DataError, match=said):
        cross.rerank(**{"history": HISTORY, "items": ITEMS, **options})


def test_a_label_of_ratings(cross):
    with pytest.raises(DataError, match="label: 'good' is not usable"):
        cross.score(HISTORY, ITEMS, label="good")


def test_a_request_of_texts_alone(cross, rec):
    assert cross.entry_of_text("red") == {"title": "red"} == rec.entry_of_text("red")
    found = cross.rerank([], [cross.entry_of_text("red"), {"title": "city"}])
    assert [one.item_id for one in found] == [None, None]
    beside = cross.score([], ["i0", {"title": "red"}, {"title": "city"}])[1:]
    assert {one.place: one.score for one in found} == pytest.approx(dict(enumerate(beside)))
