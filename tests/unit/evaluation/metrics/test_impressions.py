"""Metrics within impressions by numbers worked out by hand.

tests/property compares them with loops over made-up impressions.
"""

from math import log2

import numpy as np
import pytest

from lit_rec.evaluation.metrics.impressions import RankedImpressions


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
