"""What holds of metrics, draws and baselines whatever the ratings, and of rankings whatever the impressions."""

from itertools import permutations
from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import ndcg_score, roc_auc_score

from lit_rec.evaluation.arrays import RaggedHistory, RatingRows
from lit_rec.evaluation.baselines.ratings import (
    HistoryBiasBaseline,
    UserItemBiasBaseline,
    shrunk_mean,
)
from lit_rec.evaluation.metrics.impressions import RankedImpressions
from lit_rec.evaluation.report.intervals import Drawn, bootstrap_means
from lit_rec.evaluation.report.slices import rating_slices

ours = settings(derandomize=True, deadline=None, max_examples=50)
RATINGS = st.floats(1, 5)


@st.composite
def rating_rows(draw):
    rows = draw(st.integers(1, 30))
    codes = arrays(np.int64, rows, elements=st.integers(0, 6))
    return RatingRows(draw(codes), draw(codes), draw(arrays(float, rows, elements=RATINGS)))


@ours
@given(rating_rows())
def test_draws_stay_between_the_best_and_the_worst_row(rows):
    draws = bootstrap_means(rows.rating[None], Drawn(rows.user, draws=20))
    assert draws.min() >= rows.rating.min() - 1e-9
    assert draws.max() <= rows.rating.max() + 1e-9
    both = bootstrap_means(rows.rating[None], Drawn(rows.user, rows.item, draws=20))
    both = both[~np.isnan(both)]
    assert ((both >= rows.rating.min() - 1e-9) & (both <= rows.rating.max() + 1e-9)).all()


@ours
@given(rating_rows())
def test_draws_do_not_depend_on_how_users_are_numbered(rows):
    drawn, renumbered = Drawn(rows.user, draws=10), Drawn(rows.user * 100 + 7, draws=10)
    means = bootstrap_means(rows.rating[None], drawn)
    assert bootstrap_means(rows.rating[None], renumbered) == pytest.approx(means)


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


@st.composite
def impressions(draw):
    """Rows of up to four impressions and of none, with tied scores."""
    rows = draw(st.integers(1, 20))
    return (
        draw(arrays(np.int64, rows, elements=st.integers(-1, 3))),
        draw(arrays(float, rows, elements=st.sampled_from([0.0, 0.25, 0.5, 0.75]))),
        draw(arrays(bool, rows)),
    )


def parts_of(rows):
    """Each impression's number, scores and relevance, one at a time."""
    impression, score, relevant = rows
    for number in sorted(set(impression[impression >= 0].tolist())):
        yield number, score[impression == number].tolist(), relevant[impression == number].tolist()


def mean_rank(score, of):
    """1 for the best; tied rows share the mean of their ranks."""
    return 1 + sum(s > of for s in score) + (sum(s == of for s in score) - 1) / 2


def loop_auc(score, relevant):
    wins = [
        (s > other) + (s == other) / 2
        for s, r in zip(score, relevant, strict=True)
        for other, o in zip(score, relevant, strict=True)
        if r and not o
    ]
    return sum(wins) / len(wins) if wins else np.nan


def loop_reciprocal_ranks(score, relevant):
    return [1 / mean_rank(score, s) for s, r in zip(score, relevant, strict=True) if r]


@ours
@given(impressions())
def test_auc_and_both_mrr_equal_the_loops(rows):
    ranked = RankedImpressions(*rows)
    parts = list(parts_of(rows))
    assert ranked.impression.tolist() == [number for number, _, _ in parts]
    assert ranked.auc() == pytest.approx([loop_auc(s, r) for _, s, r in parts], nan_ok=True)
    reciprocal = [loop_reciprocal_ranks(s, r) for _, s, r in parts]
    first = [max(found, default=np.nan) for found in reciprocal]
    mean = [sum(found) / len(found) if found else np.nan for found in reciprocal]
    assert ranked.mrr() == pytest.approx(first, nan_ok=True)
    assert ranked.mind_mrr() == pytest.approx(mean, nan_ok=True)


@ours
@given(impressions(), st.integers(1, 12))
def test_auc_and_ndcg_equal_those_of_scikit_learn(rows, k):
    ranked = RankedImpressions(*rows)
    for place, (_, score, relevant) in enumerate(parts_of(rows)):
        if any(relevant) and len(score) > 1:
            assert ranked.ndcg(k)[place] == pytest.approx(ndcg_score([relevant], [score], k=k))
        if 0 < sum(relevant) < len(relevant):
            assert ranked.auc()[place] == pytest.approx(roc_auc_score(relevant, score))


@ours
@given(arrays(float, 5, elements=st.sampled_from([0.0, 0.5, 1.0])), st.integers(1, 6))
def test_ndcg_is_the_mean_over_all_orders_that_the_scores_allow(score, k):
    relevant = [True, False, True, False, False]
    gains = []
    for order in permutations(range(5)):
        ordered = score[list(order)]
        if (ordered[:-1] >= ordered[1:]).all():
            gains.append(sum(1 / log2(p + 2) for p, row in enumerate(order[:k]) if relevant[row]))
    best = sum(1 / log2(place + 2) for place in range(min(2, k)))
    ranked = RankedImpressions(np.zeros(5, np.int64), score, np.array(relevant))
    assert ranked.ndcg(k) == pytest.approx([np.mean(gains) / best])


@ours
@given(impressions(), st.randoms(use_true_random=False))
def test_ranking_metrics_do_not_depend_on_the_order_of_rows(rows, chance):
    order = list(range(len(rows[0])))
    chance.shuffle(order)
    ranked = RankedImpressions(*rows)
    shuffled = RankedImpressions(*(column[order] for column in rows))
    for metric in ("auc", "mrr", "mind_mrr"):
        values = getattr(ranked, metric)()
        assert getattr(shuffled, metric)() == pytest.approx(values, nan_ok=True)
        assert ((values >= 0) & (values <= 1) | np.isnan(values)).all()
    assert shuffled.ndcg(3) == pytest.approx(ranked.ndcg(3), nan_ok=True)
