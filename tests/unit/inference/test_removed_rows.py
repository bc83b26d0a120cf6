"""Recommender: rows of removed items are given back, lists stay as they are, and histories go on."""

import functools

import polars as pl
import pytest
import torch

from lit_rec.errors import DataError
from lit_rec.inference.index import stored_items
from lit_rec.inference.index.approximate_index import ApproximateIndex
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.stored_items import StoredItems
from lit_rec.inference.recommender import Recommender

from .scores.test_catalogue_scores import HISTORIES, MORE, TOWERS, recommender
from .test_recommender import ids

LISTS = functools.partial(ApproximateIndex, exact_below=10, share=1.0)


@pytest.fixture
def few(monkeypatch):
    """Rows are given back early, and little is remembered."""

    def few(dropped, remembered=10_000):
        monkeypatch.setattr(stored_items, "_LEAST_DROPPED", dropped)
        monkeypatch.setattr(stored_items, "LEAST_REMEMBERED", remembered)

    return few


def batch(name, count):
    """New items of the texts of MORE."""
    return MORE[:count].with_columns(item_id=pl.Series([f"{name}{n}" for n in range(count)]))


def rows_of(rec):
    """How many rows the ids, the vectors and the index have, and how many items are remembered."""
    state = rec._state
    held = (len(state.items), len(state.scores._vectors), len(state.scores._index.vectors))
    return held, (len(state.items.remembered), len(state.scores._remembered))


@pytest.mark.parametrize("towers", TOWERS)
@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_answers_are_the_same_before_and_after(data, few, towers, history):
    """Ties stand in the catalogue's order, whatever was between them."""
    rec = recommender(data, data.facts, *TOWERS[towers])
    few(10_000)
    gone = [id_ for id_ in rec.item_ids if id_[-1] in "0248"]
    assert "n70" in gone
    rec.remove_items(gone)
    items = ["i1", "n70", gone[3], "n33"]

    def answers():
        return (
            rec.recommend(history, 400),
            rec.recommend(history, 7, allow=[*gone, *rec.item_ids[:50]], deny=[*gone[:3], "i1"]),
            rec.recommend(["n70", "n70", "i3"], 20, exclude_seen=False),
            rec.score([*history, gone[5]], items),
            rec.item_ids,
        )

    before = answers()
    size = len(MORE) + 18
    assert rows_of(rec) == ((size,) * 3, (0, 0))
    few(1)
    rec.remove_items([gone[0]])
    assert rows_of(rec) == ((size - len(gone),) * 3, (len(gone),) * 2)
    for found, expected in zip(answers(), before, strict=True):
        if isinstance(found[0], float):
            assert found == pytest.approx(expected, abs=1e-6)
        elif isinstance(found[0], str):
            assert found == expected
        else:
            assert ids(found) == ids(expected)
            scores = [one.score for one in expected]
            assert [one.score for one in found] == pytest.approx(scores, abs=1e-6)
            assert [one.fields for one in found] == [one.fields for one in expected]


def test_cycles_take_no_more_memory(rec, few):
    few(30, remembered=50)
    held = []
    for cycle in range(30):
        rec.add_items(batch(f"c{cycle} ", 20))
        rec.remove_items([f"c{cycle} {n}" for n in range(20)])
        held.append(rows_of(rec))
    assert max(rows for (rows, *_), _ in held) < 18 + 2 * 30 + 20
    assert max(remembered for _, (remembered, _) in held) == 50
    assert all(len(set(rows)) == 1 and len(set(r)) == 1 for rows, r in held)
    assert rec.item_ids == [f"i{n}" for n in range(18)]


def test_what_is_remembered_and_what_is_forgotten(rec, few):
    """Items of the data's histories for good, and the last that were removed, in the order of their going."""
    few(3, remembered=6)
    expected = rec.score(["i3"], ["i1", "i7"])
    rec.remove_items([f"i{n}" for n in range(16)])
    rec.add_items(batch("a", 4))
    rec.add_items(batch("b", 4))
    of_b2 = rec.score(["b2"], ["i17"])
    rec.remove_items(["b2", "b1"])
    rec.remove_items(["a0", "a1", "a2", "a3"])
    rec.remove_items(["b0"])
    rec.add_items(batch("c", 9))
    rec.remove_items([f"c{n}" for n in range(4)])
    assert len(rec.item_ids) < 9
    for forgotten in ("b2", "b1", "a0"):
        with pytest.raises(DataError, match=f"history: '{forgotten}' is not among the 8 items"):
            rec.recommend([forgotten])
    assert rec.score(["a3", "b0", "c3"], ["i17"]) != of_b2
    assert rec.score(["i3"], ["i1", "i7"]) == pytest.approx(expected, abs=1e-6)
    for user in range(6):
        assert len(rec.recommend(rec.history_of(f"u{user}"), exclude_seen=False)) == 8


def test_an_id_that_comes_again_names_the_new_item(rec, few):
    few(0)
    old = rec.score(["i4"], ["i1"])
    rec.remove_items(["i4"])
    assert rec.score(["i4"], ["i1"]) == pytest.approx(old, abs=1e-6)
    rec.add_items(
        batch("x", 30).with_columns(item_id=pl.Series(["i4", *[f"x{n}" for n in range(29)]]))
    )
    new = rec.score(["i4"], ["i1"])
    assert new != pytest.approx(old, abs=1e-6)
    rec.remove_items(["i5"])
    assert rec.score(["i4"], ["i1"]) == pytest.approx(new, abs=1e-6)
    assert "i4" not in rec._state.items.remembered
    rec.remove_items(["i4", "i5"])
    assert rec.score(["i4"], ["i1"]) == pytest.approx(new, abs=1e-6)
    assert rec.recommend(["i1"], 50, allow=["i4", "i5"]) == []


def test_an_index_that_cannot_give_rows_back_goes_on(few, checkpoint):
    """One of somebody's own, which knows neither ``drop_removed`` nor ``copy``."""

    class Own(ExactIndex):
        def drop_removed(self):
            return False

        def copy(self):
            return super(ExactIndex, self).copy()

    few(3)
    rec, plain = Recommender(*checkpoint, index=Own), Recommender(*checkpoint)
    for one in (rec, plain):
        one.add_items(batch("a", 20))
        one.remove_items([f"a{n}" for n in range(10)])
    assert len(rec._state.items) == 38
    assert len(plain._state.items) == 28
    assert rec.recommend(["a3", "i3"], 50) == plain.recommend(["a3", "i3"], 50)


@pytest.mark.parametrize("make", [ExactIndex, LISTS])
def test_rows_of_an_index_move_up(make):
    if make is LISTS:
        pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")
    chance = torch.Generator().manual_seed(0)
    vectors = torch.randn(600, 12, generator=chance)
    queries = torch.randn(5, 12, generator=chance)
    index = make(vectors)
    index.remove_items(range(0, 600, 3))
    kept = torch.tensor([row for row in range(600) if row % 3])
    before, whole = index.search(queries, 20), index.copy()
    assert index.drop_removed()
    after = index.search(queries, 20)
    assert torch.equal(kept[after.rows], before.rows)
    assert torch.equal(after.scores, before.scores)
    assert (len(index), len(index.vectors), len(whole.vectors)) == (400, 400, 600)
    assert torch.equal(whole.search(queries, 20).rows, before.rows), "a copy changes apart"
    queries = 10 * queries  # the nearest to itself
    assert index.add_items(queries) == range(400, 405)
    assert index.search(queries, 1).rows[:, 0].tolist() == list(range(400, 405))
    index.remove_items([0, 404])
    fresh = make(torch.cat([vectors[kept][1:], queries[:4]]))
    found = index.search(queries, 30, deny=[1])
    assert torch.equal(found.rows - 1, fresh.search(queries, 30, deny=[0]).rows)


def test_an_index_is_written_as_its_rows_are(tmp_path):
    pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")
    vectors = torch.randn(300, 8, generator=torch.Generator().manual_seed(0))
    index = LISTS(vectors)
    index.remove_items(range(100))
    index.drop_removed()
    index.save(tmp_path / "a.index")
    again = ApproximateIndex.load(tmp_path / "a.index", vectors[100:], share=1.0)
    queries = torch.randn(4, 8)
    assert torch.equal(again.search(queries, 9).rows, index.search(queries, 9).rows)


def test_many_small_additions_are_few_parts():
    items = StoredItems.of([], {"title": []})
    for step in range(300):
        new = [f"{step} {n}" for n in range(100)]
        items = items.with_more(new, {"title": new})
    assert len(items.parts) <= 3
    assert items.row("7 3") == 703
    assert items.fields(29_999) == {"title": "299 99"}
    assert items.present()[12_345] == "123 45"
