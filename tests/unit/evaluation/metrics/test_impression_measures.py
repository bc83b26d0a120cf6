"""Means over impressions, and users drawn with their impressions."""

from math import log2

import numpy as np
import pytest

from lit_rec.evaluation.metrics.impression_measures import ImpressionMeasures
from lit_rec.evaluation.metrics.impressions import RankedImpressions
from lit_rec.evaluation.metrics.label_measures import LabelMeasures
from lit_rec.evaluation.report.intervals import Drawn, row_weights
from lit_rec.evaluation.report.report import build_report

METRICS = ("impression_auc", "mrr", "mind_mrr", "ndcg@5", "ndcg@10", "impression_auc_difference")


def impression_report(scores, relevant, impression, slices, user, item):
    measures = [ImpressionMeasures(list(scores.values()), relevant, impression)]
    return build_report(list(scores), measures, slices, user, item)


def row_of(report, model, metric, slice="all"):
    return next(r for r in report.rows if (r.model, r.metric, r.slice) == (model, metric, slice))


def by_hand():
    """Four impressions and what was clicked in each, for figures by hand.

    Impression 0 of user 0: ranks 2 and 3 clicked; impression 1 of user 1: rank 1 of 2; impression 2, of user 1, without
    a click. The last row is in no impression, and all of impression 3 is clicked. The baseline knows nothing.
    """
    impression = np.array([0, 0, 0, 1, 1, 2, 2, -1, 3])
    score = np.array([3.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 9.0, 0.0])
    relevant = np.array([0, 1, 1, 1, 0, 0, 0, 1, 1], bool)
    user = np.array([0, 0, 0, 1, 1, 1, 1, 0, 1])
    scores = {"lit_rec": score, "constant": np.zeros(9)}
    return scores, relevant, impression, user


def test_figures_by_hand():
    scores, relevant, impression, user = by_hand()
    made = impression_report(
        scores, relevant, impression, {"all": np.ones(9, bool)}, user, np.arange(9)
    )
    assert [row.metric for row in made.rows] == [*METRICS[:-1], *METRICS]
    assert made.main == "impression_auc"
    assert made.value("lit_rec") == pytest.approx((0 + 1) / 2)
    assert made.value("lit_rec", "mrr") == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert made.value("lit_rec", "mind_mrr") == pytest.approx((5 / 12 + 1 + 1) / 3)
    ndcg = (1 / log2(3) + 1 / log2(4)) / (1 + 1 / log2(3))
    for metric in ("ndcg@5", "ndcg@10"):
        assert made.value("lit_rec", metric) == pytest.approx((ndcg + 1 + 1) / 3)
    assert made.value("constant") == 0.5
    assert made.value("constant", "impression_auc_difference") == 0
    # of four impressions one has no click, and one nothing but a click
    assert [row_of(made, "lit_rec", m).count for m in METRICS[:-1]] == [2, 3, 3, 3, 3]
    row = row_of(made, "lit_rec", "impression_auc")
    assert (row.low, row.high) == (0.0, 1.0)  # of user 0 alone, and of user 1 alone
    row = row_of(made, "constant", "impression_auc_difference")
    assert (row.low, row.high) == (-0.5, 0.5)


@pytest.mark.parametrize("slice", ["all", "new_items"])
def test_intervals_are_means_over_impressions_of_the_drawn_users(slice):
    """Items are not drawn, not even on new_items, whose impressions hold new items alone."""
    chance = np.random.default_rng(0)
    impression = np.sort(chance.integers(0, 25, 150))
    user = chance.integers(0, 6, 25)[impression]
    score, relevant = chance.normal(size=150).round(1), chance.random(150) < 0.3
    mask = chance.random(150) < 0.7
    made = impression_report(
        {"lit_rec": score}, relevant, impression, {slice: mask}, user, np.arange(150) % 9
    )
    ranked = RankedImpressions(impression[mask], score[mask], relevant[mask])
    for metric, values in (("impression_auc", ranked.auc()), ("mrr", ranked.mrr())):
        known = ~np.isnan(values)
        users = user[mask][ranked.row][known]
        draws = [np.average(values[known], weights=w) for w in row_weights(Drawn(users))]
        row = row_of(made, "lit_rec", metric, slice)
        assert row.value == pytest.approx(values[known].mean())
        assert (row.low, row.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))
        assert row.count == known.sum() < len(known)


def test_slice_in_which_no_impression_counts_has_no_value():
    scores, relevant, impression, user = by_hand()
    slices = {"new_users": impression == 2, "few_shot_users": impression > 9}
    made = impression_report(scores, relevant, impression, slices, user, np.arange(9))
    assert len(made.rows) == 2 * (5 + 6)
    assert {(r.value, r.low, r.high, r.count) for r in made.rows} == {(None, None, None, 0)}


def test_impressions_of_a_single_user_leave_no_interval():
    scores, relevant, impression, user = by_hand()
    made = impression_report(
        scores, relevant, impression, {"new_users": user == 1}, user, np.arange(9)
    )
    row = row_of(made, "lit_rec", "mrr", "new_users")
    assert (row.value, row.low, row.high, row.count) == (1.0, None, None, 2)


def test_table_shows_the_auc_within_impressions_beside_other_measures():
    scores, relevant, impression, user = by_hand()
    prob = scores["lit_rec"] / 10
    measures = [
        ImpressionMeasures(list(scores.values()), relevant, impression),
        LabelMeasures([np.stack([1 - prob, prob], 1), scores["constant"]], relevant * 1, 2),
    ]
    made = build_report(list(scores), measures, {"all": np.ones(9, bool)}, user, np.arange(9))
    assert made.value("lit_rec", "accuracy") == pytest.approx(4 / 9 + 1 / 9)
    shown = str(made)
    assert "AUC within test impressions [95 % interval]" in shown
    assert "(2 impressions)" in shown
    assert "0.5000 [0.0000, 1.0000]" in shown
