"""Metrics within impressions by numbers worked out by hand, their means, and users drawn with their impressions.

tests/property compares the metrics with loops over made-up impressions.
"""

from math import log2

import numpy as np
import pytest

from lit_rec.evaluation.metrics.impressions import ImpressionMeasures, RankedImpressions
from lit_rec.evaluation.metrics.labels import LabelMeasures
from lit_rec.evaluation.report.intervals import Drawn, row_weights
from lit_rec.evaluation.report.report import build_report


def ranked(score, relevant, impression=None):
    score = np.array(score, float)
    given = np.zeros(len(score), np.int64) if impression is None else np.array(impression, np.int64)
    return RankedImpressions(given, score, np.array(relevant, bool))


def test_one_impression_by_hand():
    """Relevant at ranks 2 and 4 of four: of the pairs with ranks 1 and 3 only (2, 3) is right."""
    found = ranked([0.6, 0.9, 0.8, 0.7], [1, 0, 1, 0])
    assert found.auc() == pytest.approx([1 / 4])
    assert found.mrr() == pytest.approx([1 / 2])
    assert found.mind_mrr() == pytest.approx([(1 / 2 + 1 / 4) / 2])
    ideal = 1 + 1 / log2(3)
    assert found.ndcg(5) == pytest.approx([(1 / log2(3) + 1 / log2(5)) / ideal])
    assert found.ndcg(3) == pytest.approx([1 / log2(3) / ideal])
    assert found.ndcg(1) == [0.0]


def test_perfect_order_is_1_but_for_mind_mrr():
    found = ranked([3, 2, 1], [1, 1, 0])
    assert [found.auc(), found.mrr(), found.ndcg(10)] == [[1.0], [1.0], [1.0]]
    assert found.mind_mrr() == pytest.approx([(1 + 1 / 2) / 2])


def test_ties_count_as_the_mean_of_their_ranks():
    """Ranks 2, 3 and 4 are one tie, the relevant row among them: rank 3, and a third of each discount."""
    found = ranked([9, 5, 5, 5, 1], [0, 0, 1, 0, 0])
    assert found.mrr() == found.mind_mrr() == pytest.approx([1 / 3])
    assert found.auc() == pytest.approx([(1 + 2 * 0.5) / 4])  # above one, level with two, below one
    discounts = [1 / log2(rank + 1) for rank in (2, 3, 4)]
    assert found.ndcg(5) == pytest.approx([sum(discounts) / 3])
    assert found.ndcg(2) == pytest.approx([discounts[0] / 3])


@pytest.mark.parametrize("relevant", [[1, 0, 0, 0], [0, 0, 0, 1]])
def test_order_of_the_input_says_nothing_where_all_scores_are_equal(relevant):
    found = ranked([0, 0, 0, 0], relevant)
    assert found.auc() == [0.5]
    assert found.mrr() == [0.4]
    assert found.ndcg(1) == [0.25]


def test_impressions_stand_apart_in_the_order_of_their_numbers():
    found = ranked([1, 4, 2, 3], [1, 1, 0, 0], [9, 5, 9, 5])
    assert found.impression.tolist() == [5, 9]
    assert found.auc().tolist() == [1.0, 0.0]
    assert found.mrr().tolist() == [1.0, 0.5]


def test_each_impression_names_a_row_of_its_own():
    impression = np.array([9, 5, -1, 9, 5])
    found = ranked([1, 4, 2, 3, 0], [1, 1, 0, 0, 0], impression)
    assert impression[found.row].tolist() == found.impression.tolist() == [5, 9]


def test_impressions_without_an_answer_do_not_count():
    """Impression 1 has nothing relevant; of impression 2, all relevant, only AUC knows nothing."""
    found = ranked([2, 1, 2, 1], [0, 0, 1, 1], [1, 1, 2, 2])
    assert np.isnan(found.auc()).all()
    for values in (found.mrr(), found.mind_mrr(), found.ndcg(5)):
        assert np.isnan(values).tolist() == [True, False]
    assert found.mind_mrr()[1] == pytest.approx(0.75)


@pytest.mark.parametrize("impression", [[], [-1, -1]])
def test_rows_outside_impressions_are_not_ranked(impression):
    found = ranked(np.ones(len(impression)), np.ones(len(impression)), impression)
    assert len(found.impression) == len(found.row) == 0
    for values in (found.auc(), found.mrr(), found.mind_mrr(), found.ndcg(5)):
        assert len(values) == 0


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
    assert "AUC within impressions, 2 test impressions" in shown
    assert "0.5000 ±0.5000" in shown
