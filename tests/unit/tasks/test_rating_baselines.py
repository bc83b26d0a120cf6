"""The baselines of a report of ratings on real histories: which there are, what they chose, and that nothing leaks."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from lit_rec.data.history.histories import NoHistory, PastHistory, TrainingHistory
from lit_rec.data.prepared import Prepared, prepare
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate
from lit_rec.tasks import rating as rating_task
from lit_rec.tasks.rating import baselines, ragged_history, rating_report, rating_trial

USERS, ITEMS, EACH = 24, 15, 10
VECTORS = np.random.default_rng(0).normal(size=(ITEMS, 4))
CLOCK = {"clock", "clock_blend"}


def data_of(folder, rule, ratings=None, with_times=True):
    """Of each user's ten behaviors seven train, one validates and two test; ``ratings`` replaces all of them."""
    chance = np.random.default_rng(1)
    user = np.repeat(np.arange(USERS), EACH)
    item = np.concatenate([chance.permutation(ITEMS)[:EACH] for _ in range(USERS)])
    taste = chance.normal(size=(USERS, 2)) @ chance.normal(size=(2, ITEMS))
    plain = (3 + taste[user, item]).clip(1, 5).round()
    frame = pl.DataFrame(
        {
            "user_id": [f"u{code:02}" for code in user],
            "item_id": [f"i{code:02}" for code in item],
            "rating": plain if ratings is None else ratings,
            "row": range(len(user)),
        }
    )
    if with_times:
        frame = frame.with_columns(timestamp=pl.Series(np.arange(len(user)) * 7.0))
    parts = np.tile(["train"] * 4 + ["test", "val"] + ["train"] * 3 + ["test"], USERS)
    names = [f"i{code:02}" for code in range(ITEMS)]
    items = pl.DataFrame({"item_id": names, "title": names})
    prepare(Tables(frame, items), pl.Series("part", parts), TextTemplate(["title"]), folder)
    prepared = Prepared.open(folder)
    facts = SimpleNamespace(user_ids=prepared.user_ids, rating_range=(1.0, 5.0))
    return SimpleNamespace(prepared=prepared, facts=facts, history=rule), plain


def names_of(data):
    return {baseline.name for baseline in baselines(data, VECTORS, rating_trial(data))}


def test_the_clock_stands_where_histories_look_at_both_sides_in_time(tmp_path):
    for place, (rule, with_times, expected) in enumerate(
        [
            (TrainingHistory(), True, True),
            (TrainingHistory(), False, False),
            (PastHistory(), True, False),
            (NoHistory(), True, False),
        ]
    ):
        folder = tmp_path / str(place)
        folder.mkdir()
        data, _ = data_of(folder, rule, with_times=with_times)
        assert (names_of(data) >= CLOCK) == expected
        assert expected or not names_of(data) & CLOCK


def test_a_tenth_is_held_out_with_the_history_that_the_model_sees(tmp_path, monkeypatch):
    """Each is without the row itself; its other training rows are there, those held out as well."""
    data, _ = data_of(tmp_path, TrainingHistory())
    trial = rating_trial(data)
    assert (len(trial.rest.rating), len(trial.held.rating)) == (152, 16)
    assert np.diff(trial.history.offsets).tolist() == [6] * 16
    for row, (user, item) in enumerate(zip(trial.held.user, trial.held.item, strict=True)):
        seen = trial.history.item[trial.history.offsets[row] : trial.history.offsets[row + 1]]
        train = data.prepared.rows_of("train")
        own = train[data.prepared.user[train] == user]
        assert sorted([*seen, item]) == sorted(data.prepared.item[own])
    monkeypatch.setattr(rating_task, "_HELD", 5)
    assert len(rating_trial(data).held.rating) == 5


@pytest.mark.parametrize("rule", [TrainingHistory(), PastHistory()])
def test_blocks_of_rows_change_nothing(tmp_path, rule, monkeypatch):
    data, _ = data_of(tmp_path, rule)
    rows = data.prepared.rows_of("test")
    whole, report = ragged_history(data, rows), rating_report(data, rows, np.ones(48), VECTORS)
    monkeypatch.setattr(rating_task, "_ROWS", 7)
    parts = ragged_history(data, rows)
    for name in ("offsets", "item", "rating", "age"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name), equal_nan=name == "age")
    assert rating_report(data, rows, np.ones(48), VECTORS).rows == report.rows


def test_ages_are_seconds_before_the_row(tmp_path):
    data, _ = data_of(tmp_path, TrainingHistory())
    history = ragged_history(data, data.prepared.rows_of("test")[:1])  # the fifth of ten
    assert history.age.tolist() == [28.0, 21.0, 14.0, 7.0, -14.0, -21.0, -28.0]


def scores_of(data):
    """What each baseline says of each test row, and what it chose."""
    prepared, trial = data.prepared, rating_trial(data)
    train, test = (rating_task._rating_rows(data, prepared.rows_of(p)) for p in ("train", "test"))
    history = ragged_history(data, prepared.rows_of("test"))
    scores, chosen = {}, {}
    for baseline in baselines(data, VECTORS, trial):
        baseline.fit(train, USERS, ITEMS)
        scores[baseline.name] = baseline.predict(test.user, test.item, history)
        chosen[baseline.name] = baseline.chosen()
    return scores, chosen


@pytest.mark.parametrize("rule", [TrainingHistory(), PastHistory()])
def test_a_test_row_changes_no_option_and_no_row_but_later_ones_of_its_user(tmp_path, rule):
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    data, plain = data_of(folders[0], rule)
    scores, chosen = scores_of(data)
    for folder, place in zip(folders[1:], (4, 9), strict=True):  # the first user's test rows
        other = plain.copy()
        other[place] = 6 - other[place] if other[place] != 3 else 5.0
        after, options = scores_of(data_of(folder, rule, other)[0])
        assert options == chosen
        for name, before in scores.items():
            changed = np.flatnonzero(after[name] != before)
            later = [1] if place == 4 and isinstance(rule, PastHistory) else []
            assert set(changed) <= set(later), name


def test_the_report_says_what_was_chosen(tmp_path):
    data, _ = data_of(tmp_path, TrainingHistory())
    report = rating_report(data, data.prepared.rows_of("test"), np.full(48, 3.0), VECTORS)
    chosen = report.meta["chosen"]
    assert set(chosen) == names_of(data) - {"mean"}
    assert set(chosen["clock"]) >= {"seconds", "shrinkage", "share"}
    assert set(chosen["clock_blend"]["weights"]) == {"item_knn", "matrix_factorisation", "clock"}
    report.write(tmp_path / "report.json")  # plain values
