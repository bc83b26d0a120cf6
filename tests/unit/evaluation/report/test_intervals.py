"""The bootstrap against a loop that repeats drawn users row by row."""

import tracemalloc

import numpy as np
import pytest

from lit_rec.evaluation.report import intervals
from lit_rec.evaluation.report.intervals import (
    Drawn,
    bootstrap_counts,
    bootstrap_means,
    interval,
    row_weights,
)

USER = np.array([7, 3, 7, 9, 3, 7])
ITEM = np.array([1, 1, 4, 4, 8, 8])
LOSSES = np.random.default_rng(0).random((2, len(USER)))


def loop(losses, weights_of_row):
    means = []
    for weights in weights_of_row:
        total = count = 0.0
        for loss, weight in zip(losses, weights, strict=True):
            total += weight * loss
            count += weight
        means.append(total / count if count else np.nan)
    return means


def weights_of(groups, draws, seed):
    """How often each row is met in each draw."""
    return np.array(list(row_weights(Drawn(groups, draws=draws, seed=seed))))


def test_weights_draw_as_many_groups_as_there_are():
    per_row = weights_of(USER, 50, 0)
    for user in set(USER.tolist()):
        of_user = per_row[:, user == USER]
        assert (of_user == of_user[:, :1]).all(), "rows of one user are met together"
    weights = per_row[:, [0, 1, 3]]  # a row of each user
    assert (weights.sum(1) == 3).all()
    assert weights.mean(0) == pytest.approx([1, 1, 1], abs=0.3)


def test_draws_of_users_equal_the_loop():
    per_row = weights_of(USER, 20, 5)
    found = bootstrap_means(LOSSES, Drawn(USER, draws=20, seed=5))
    for model in range(2):
        assert found[model] == pytest.approx(loop(LOSSES[model], per_row))


def test_draws_of_users_and_items_equal_the_loop():
    per_row = weights_of(USER, 40, 5) * weights_of(ITEM, 40, 6)
    found = bootstrap_means(LOSSES, Drawn(USER, ITEM, draws=40, seed=5))
    for model in range(2):
        assert found[model] == pytest.approx(loop(LOSSES[model], per_row), nan_ok=True)


@pytest.mark.parametrize("item", [None, ITEM])
@pytest.mark.parametrize("block", [1, 7, 9])
def test_draws_do_not_depend_on_how_many_are_held_at_once(item, block, monkeypatch):
    whole = bootstrap_means(LOSSES, Drawn(USER, item, draws=25, seed=5))
    monkeypatch.setattr(intervals, "_BLOCK", block)
    parts = bootstrap_means(LOSSES, Drawn(USER, item, draws=25, seed=5))
    assert parts == pytest.approx(whole, nan_ok=True)


@pytest.mark.parametrize("both", [False, True])
def test_memory_does_not_grow_with_draws_times_users(both):
    """Of 20,000 users, 1,000 draws are 160 MB of weights, which never stand in memory together."""
    users = np.arange(20_000)
    losses = np.random.default_rng(0).random((1, len(users)))
    tracemalloc.start()
    bootstrap_means(losses, Drawn(users, users // 2 if both else None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


def test_all_models_meet_the_same_draws():
    paired = bootstrap_means(np.stack([LOSSES[0], LOSSES[0] + 0.25]), Drawn(USER, draws=30))
    assert paired[1] - paired[0] == pytest.approx([0.25] * 30)


LABELS = np.array([[0, 2, 0, 1, -1, 2], [2, 2, -1, -1, 0, 0], [0, 2, 0, 1, 2, 2]])


@pytest.mark.parametrize("item", [None, ITEM])
@pytest.mark.parametrize("table", [1, 20, 20_000_000])
def test_counts_of_labels_equal_the_loop(item, table, monkeypatch):
    """Whatever the number of labels whose counts per user are held at once."""
    monkeypatch.setattr(intervals, "_TABLE", table)
    drawn = Drawn(USER, item, draws=12, seed=5)
    found = bootstrap_counts(LABELS, 4, drawn)
    assert found.shape == (3, 4, 12)
    for draw, weight in enumerate(row_weights(drawn)):
        for place, labels in enumerate(LABELS):
            for label in range(4):
                count = sum(w for of, w in zip(labels, weight, strict=True) if of == label)
                assert found[place, label, draw] == count


@pytest.mark.parametrize("block", [1, 7, 2_000_000])
@pytest.mark.parametrize("item", [None, ITEM])
def test_weights_of_rows_are_those_of_the_means(item, block, monkeypatch):
    monkeypatch.setattr(intervals, "_BLOCK", block)
    drawn = Drawn(USER, item, draws=12, seed=5)
    with np.errstate(invalid="ignore"):
        by_hand = [(LOSSES @ weight) / weight.sum() for weight in row_weights(drawn)]
    means = bootstrap_means(LOSSES, drawn)
    assert means == pytest.approx(np.array(by_hand).T, nan_ok=True)


def test_one_user_leaves_no_chance():
    alone = bootstrap_means(LOSSES[:, :1], Drawn(USER[:1], ITEM[:1], draws=10))
    assert alone == pytest.approx(np.repeat(LOSSES[:, :1], 10, 1))


def test_interval_is_the_middle_of_the_draws():
    assert interval(np.arange(1001.0)) == pytest.approx((25.0, 975.0))


def test_interval_leaves_out_draws_without_rows():
    assert interval(np.array([np.nan, 2.0, 2.0])) == (2.0, 2.0)
