"""Recommender: its lists against brute force, and its scores against the module's on batches of the data."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from lit_rec.data.batches.collator import BatchRows
from lit_rec.errors import CheckpointError, DataError
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.scores.catalogue_scores import Asker, CatalogueScores
from lit_rec.training.checkpoint.content import KEY

from .conftest import DAY

HISTORY = [
    {"item_id": "i3", "rating": 5.0, "event": "buy", "timestamp": 110 * DAY},
    {"item_id": "i7", "rating": 1.0, "event": "view", "timestamp": 111 * DAY},
    "i9",
]


@pytest.fixture
def raw(rec):
    """Scores before they are cut to the range of ratings, by item."""

    def of(history):
        seen, extra = rec._seen(history, rec._state)
        rows = np.arange(len(rec.item_ids))
        scores, _ = rec._state.scores.of(Asker(seen, extra), rows)
        return dict(zip(rec.item_ids, scores, strict=True))

    return of


def best(scores, k):
    """The k best by one comparison after another; equal ones in the catalogue's order."""
    left, found = list(scores), []
    while left and len(found) < k:
        top = max(left, key=lambda id_: (scores[id_], -list(scores).index(id_)))
        found.append(top)
        left.remove(top)
    return found


def ids(recommendations):
    return [one.item_id for one in recommendations]


def test_the_k_best_are_those_of_brute_force(rec, raw):
    scores = raw(HISTORY)
    assert len(set(scores.values())) > 10, "scores that differ"
    for k in (1, 5, 100):
        found = rec.recommend(HISTORY, k, exclude_seen=False)
        assert ids(found) == best(scores, k)
        expected = rec.score(HISTORY, ids(found))
        assert [one.score for one in found] == pytest.approx(expected, abs=1e-6)


def test_equal_scores_stand_in_the_order_of_the_catalogue(rec):
    scores = CatalogueScores(rec._module, rec._facts, torch.zeros(18, 9))
    rec._state = replace(rec._state, scores=scores)
    assert ids(rec.recommend(HISTORY, 5, exclude_seen=False)) == ["i0", "i1", "i2", "i3", "i4"]


def test_what_was_seen_is_left_out_unless_asked_for(rec):
    everything = set(rec.item_ids)
    assert set(ids(rec.recommend(HISTORY, 100))) == everything - {"i3", "i7", "i9"}
    assert set(ids(rec.recommend(HISTORY, 100, exclude_seen=False))) == everything
    assert set(ids(rec.recommend([], 100))) == everything


def test_allow_and_deny(rec):
    assert set(ids(rec.recommend(HISTORY, 9, allow=["i1", "i2", "i3"]))) == {"i1", "i2"}
    assert ids(rec.recommend(HISTORY, 9, allow=["i1", "i2"], deny=["i2"])) == ["i1"]
    assert rec.recommend(HISTORY, 9, allow=[]) == []
    assert rec.recommend(HISTORY, 9, allow=["i3"]) == []
    assert "i5" not in ids(rec.recommend(HISTORY, 100, deny=iter(["i5"])))


def test_the_rest_is_not_changed_by_what_is_left_out(rec):
    whole = ids(rec.recommend(HISTORY, 100))
    part = ids(rec.recommend(HISTORY, 100, deny=whole[::2]))
    assert part == whole[1::2]


def test_a_recommendation_shows_the_columns_of_the_items(rec):
    (one,) = rec.recommend(HISTORY, 1, allow=["i4"])
    assert one.fields == {"title": "red river", "genres": "red", "year": "1984"}


def test_scores_are_those_of_the_module_on_the_data(rec, data, checkpoint):
    """Each row of the data by itself, against all rows in one batch: histories, users, events and ages agree."""
    module, _ = checkpoint
    rows = data.prepared.rows_of("all")
    with torch.no_grad():
        expected = module.predict_step(data.collator(with_texts=True)(BatchRows(rows)), 0)
    inside = expected[(expected > 1.0) & (expected < 5.0)]
    assert inside.std() > 0.1, "scores that differ, and are not cut"
    assert len(inside) == len(rows)
    prepared = data.prepared
    for row in rows:
        user = prepared.user_ids[prepared.user[row]]
        now = prepared.timestamp[row]
        past = [entry for entry in rec.history_of(user) if entry["timestamp"] < now]
        item = prepared.items["item_id"][int(prepared.item[row])]
        found = rec.score(past, [item], user=user, timestamp=now)
        assert found == pytest.approx([float(expected[row, 0])], abs=1e-5)


def test_one_item_at_a_time_or_all_at_once(rec):
    together = rec.score(HISTORY, rec.item_ids)
    alone = [rec.score(HISTORY, [id_])[0] for id_ in rec.item_ids]
    assert alone == pytest.approx(together, abs=1e-6)
    assert rec.score(HISTORY, ["i2", "i1", "i2"]) == pytest.approx(
        [together[2], together[1], together[2]], abs=1e-6
    )
    assert rec.score(HISTORY, []) == []


def test_scores_are_cut_to_the_range_of_ratings_after_sorting(rec, raw, monkeypatch):
    monkeypatch.setattr(rec._module.built().head, "start", 5.0)
    scores = raw(HISTORY)
    assert sum(score > 5.0 for score in scores.values()) > 3, "scores out of range"
    found = rec.recommend(HISTORY, 100, exclude_seen=False)
    assert ids(found) == best(scores, 100)
    assert max(one.score for one in found) == 5.0
    assert max(rec.score(HISTORY, rec.item_ids)) == 5.0
    assert min(rec.score(HISTORY, rec.item_ids)) >= 1.0


def test_the_time_of_asking_decides_ages(rec):
    soon = rec.score(HISTORY[:2], ["i1"], timestamp=111 * DAY)
    later = rec.score(HISTORY[:2], ["i1"], timestamp=114 * DAY)
    never = rec.score(HISTORY[:2], ["i1"])
    assert len({round(s[0], 6) for s in (soon, later, never)}) == 3
    shifted = [{**entry, "timestamp": entry["timestamp"] - 3 * DAY} for entry in HISTORY[:2]]
    assert rec.score(shifted, ["i1"], timestamp=111 * DAY) == pytest.approx(later, abs=1e-6)
    untimed = [{**entry, "timestamp": None} for entry in HISTORY[:2]]
    assert rec.score(untimed, ["i1"], timestamp=114 * DAY) == never


def test_the_time_of_asking_decides_the_list(rec):
    everything = {"k": 100, "exclude_seen": False}
    scores = {}
    for now in (111 * DAY, 114 * DAY, None):
        found = rec.recommend(HISTORY[:2], timestamp=now, **everything)
        scores[now] = {one.item_id: one.score for one in found}
        expected = rec.score(HISTORY[:2], rec.item_ids, timestamp=now)
        assert [scores[now][id_] for id_ in rec.item_ids] == pytest.approx(expected, abs=1e-6)
    assert scores[111 * DAY] != scores[114 * DAY]
    # whoever does not say when is answered as if nothing had an age
    default = rec.recommend(HISTORY[:2], **everything)
    assert {one.item_id: one.score for one in default} == scores[None]


@pytest.mark.parametrize("when", ["today", float("inf")])
def test_a_time_of_asking_that_is_none(rec, when):
    for ask in (rec.recommend, lambda *words, **more: rec.score(*words, ["i1"], **more)):
        with pytest.raises(DataError, match=f"timestamp: .*{when}.* is not usable"):
            ask(HISTORY, timestamp=when)


def test_a_behavior_without_a_rating_counts_as_liked(rec):
    for entry in ("i3", {"item_id": "i3"}, {"item_id": "i3", "rating": float("nan")}):
        assert rec.score([entry], ["i1"]) == rec.score([{"item_id": "i3", "rating": 5}], ["i1"])


def test_only_as_much_history_as_the_network_was_trained_with(rec, checkpoint):
    assert checkpoint[1]["history_length"] == 50
    mixed = [{"item_id": "i7", "rating": 4}, {"item_id": "i9", "rating": 2}]
    long = [{"item_id": "i3", "rating": 3}, *mixed * 25]
    assert rec.score(long, ["i1"]) == rec.score(long[1:], ["i1"])
    assert rec.score(long[1:], ["i1"]) != rec.score(long[2:], ["i1"])


def test_a_known_user_adds_what_was_learned_of_them(rec):
    without = rec.score(HISTORY, ["i1"])
    assert rec.score(HISTORY, ["i1"], user="u1") != without
    assert rec.score(HISTORY, ["i1"], user="nobody") == without


def test_history_of_a_user_is_in_the_order_of_time(rec, data):
    history = rec.history_of("u4")
    times = [entry["timestamp"] for entry in history]
    assert len(history) == 6
    assert times == sorted(times)
    assert history[0]["item_id"] == "i1"
    assert history[0]["event"] == "view"
    with pytest.raises(DataError, match=r"user: 'u9' is not among the 6 users"):
        rec.history_of("u9")


def test_history_by_text(rec):
    """A text of the catalogue has its item's vector, but for what the item's id adds."""
    known = {"title": "red river", "genres": "day"}
    rec.add_items(pl.DataFrame({"item_id": ["twin"], **{k: [v] for k, v in known.items()}}))
    assert rec.score([known], ["i1"]) == pytest.approx(rec.score(["twin"], ["i1"]), abs=1e-6)
    assert rec.score([{**known, "title": "blue night"}], ["i1"]) != rec.score([known], ["i1"])
    assert len(rec.recommend([known], 100)) == len(rec.item_ids), "nothing of the catalogue is seen"
    mixed = [HISTORY[0], known, HISTORY[1], {"title": "city"}]
    twice = [HISTORY[0], "twin", HISTORY[1], {"title": "city"}]
    assert rec.score(mixed, ["i1"]) == pytest.approx(rec.score(twice, ["i1"]), abs=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"history": ["i99"]}, "history: 'i99' is not among the 18 items"),
        ({"history": HISTORY, "allow": ["i99"]}, "allow: 'i99'"),
        ({"history": HISTORY, "deny": ["i99"]}, "deny: 'i99'"),
        ({"history": HISTORY, "deny": [99]}, "deny: '99' is not among"),
        ({"history": HISTORY, "deny": "i1"}, "deny: 'i1' is one entry"),
        ({"history": "i1"}, "history: 'i1' is one entry"),
        ({"history": [5]}, "history: '5' is not among"),
        ({"history": [{"rating": 3}]}, "names no item"),
        ({"history": [{"item_id": "i1", "rating": 6}]}, "the rating 6"),
        ({"history": [{"item_id": "i1", "event": "sell"}]}, "'sell' is not an event"),
        ({"history": [{"item_id": "i1", "timestamp": "today"}]}, "the timestamp 'today'"),
        ({"history": HISTORY, "k": 0}, "k: 0"),
    ],
)
def test_requests_that_are_wrong(rec, options, said):
    with pytest.raises(DataError, match=said):
        rec.recommend(**options)


def test_scores_of_unknown_items(rec):
    with pytest.raises(DataError, match=r"items: 'i1x' .*\n.*\n.*did you mean 'i1'"):
        rec.score(HISTORY, ["i1x"])
    with pytest.raises(DataError, match="items: 'i1' is one entry"):
        rec.score(HISTORY, "i1")


def test_a_checkpoint_of_python_loads_with_its_network(rec, checkpoint, network, tmp_path):
    module, content = checkpoint
    path = tmp_path / "own.ckpt"
    torch.save({"state_dict": module.state_dict(), KEY: content}, path)
    loaded = Recommender.from_checkpoint(path, network=network)
    assert loaded.recommend(HISTORY, 100) == rec.recommend(HISTORY, 100)
    with pytest.raises(CheckpointError, match=r"no configuration[\s\S]*network=FACTORY"):
        Recommender.from_checkpoint(path)
    torch.save({"state_dict": {}, KEY: content}, path)
    with pytest.raises(CheckpointError, match=r"own\.ckpt: its weights"):
        Recommender.from_checkpoint(path, network=network)


def test_a_tokenizer_with_words_that_its_encoder_does_not_know(checkpoint):
    module, content = checkpoint
    backbone = content["facts"]["backbone"] | {"vocab_size": 3}
    rec = Recommender(module, content | {"facts": content["facts"] | {"backbone": backbone}})
    with pytest.raises(CheckpointError, match="and its encoder knows 3"):
        rec.recommend([{"title": "red river"}])
