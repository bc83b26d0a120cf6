"""What holds of metrics, draws and baselines whatever the ratings."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lit_rec.evaluation.baselines import HistoryBiasBaseline, UserItemBiasBaseline, shrunk_mean
from lit_rec.evaluation.intervals import bootstrap_means
from lit_rec.evaluation.metrics import mae, rmse
from lit_rec.evaluation.rows import RaggedHistory, RatingRows
from lit_rec.evaluation.slices import rating_slices

ours = settings(derandomize=True, deadline=None, max_examples=50)
RATINGS = st.floats(1, 5)


@st.composite
def pairs(draw):
    rows = draw(st.integers(1, 30))
    return draw(arrays(float, rows, elements=RATINGS)), draw(arrays(float, rows, elements=RATINGS))


@st.composite
def rating_rows(draw):
    rows = draw(st.integers(1, 30))
    codes = arrays(np.int64, rows, elements=st.integers(0, 6))
    return RatingRows(draw(codes), draw(codes), draw(arrays(float, rows, elements=RATINGS)))


@ours
@given(pairs())
def test_mean_absolute_error_never_exceeds_rmse(pair):
    assert 0 <= mae(*pair) <= rmse(*pair) + 1e-12
    assert rmse(*pair) <= np.abs(pair[0] - pair[1]).max() + 1e-12


@ours
@given(pairs(), st.randoms(use_true_random=False))
def test_metrics_do_not_depend_on_the_order_of_rows(pair, chance):
    order = list(range(len(pair[0])))
    chance.shuffle(order)
    for metric in (rmse, mae):
        assert metric(pair[0][order], pair[1][order]) == pytest.approx(metric(*pair))


@ours
@given(rating_rows())
def test_draws_stay_between_the_best_and_the_worst_row(rows):
    draws = bootstrap_means(rows.rating[None], rows.user, draws=20)
    assert draws.min() >= rows.rating.min() - 1e-9
    assert draws.max() <= rows.rating.max() + 1e-9
    both = bootstrap_means(rows.rating[None], rows.user, rows.item, draws=20)
    both = both[~np.isnan(both)]
    assert ((both >= rows.rating.min() - 1e-9) & (both <= rows.rating.max() + 1e-9)).all()


@ours
@given(rating_rows())
def test_draws_do_not_depend_on_how_users_are_numbered(rows):
    renumbered = bootstrap_means(rows.rating[None], rows.user * 100 + 7, draws=10)
    assert renumbered == pytest.approx(bootstrap_means(rows.rating[None], rows.user, draws=10))


@ours
@given(rating_rows(), st.floats(0.1, 50))
def test_shrinking_never_leaves_the_range_of_the_values(rows, shrinkage):
    shrunk = shrunk_mean(rows.user, rows.rating, 9, shrinkage)
    assert (shrunk >= 0).all()
    assert (shrunk <= rows.rating.max()).all()
    assert shrunk[8] == 0


@ours
@given(rating_rows(), rating_rows())
def test_slices_part_the_rows(train, tested):
    slices = rating_slices(train, tested.user, tested.item)
    assert slices["all"].all()
    assert not (slices["new_users"] & slices["few_shot_users"]).any()
    for row, (user, item) in enumerate(zip(tested.user, tested.item, strict=True)):
        count = int((train.user == user).sum())
        assert slices["new_users"][row] == (count == 0)
        assert slices["few_shot_users"][row] == (1 <= count <= 10)
        assert slices["new_items"][row] == (item not in train.item)


@ours
@given(rating_rows())
def test_history_of_the_training_rows_gives_the_user_bias_of_training(train):
    """Where each user's history is that user's training rows, the two bias baselines agree."""
    user, item = np.arange(7), np.arange(7)
    order = np.argsort(train.user, kind="stable")
    offsets = np.searchsorted(train.user[order], np.arange(8))
    history = RaggedHistory(offsets.astype(np.int64), train.item[order], train.rating[order])
    predictions = []
    for baseline in (UserItemBiasBaseline(), HistoryBiasBaseline()):
        baseline.fit(train, 7, 7)
        predictions.append(baseline.predict(user, item, history))
    assert predictions[0] == pytest.approx(predictions[1])
