"""What answers say beyond expectation, by hand and by counting rows that are put in."""

import math
from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import HistorySlots
from lit_rec.models.answers import CountedBehaviors, LabelAnswers, RatingAnswers, answers_of

# three items of width 2; the last coordinate is the item's bias
ITEMS = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, -0.5], [2.0, 2.0, 0.0]])
NAN = torch.nan


@pytest.fixture
def history():
    """Rows: nothing; items 0 and 1 rated 5 and 2, labelled yes and no; item 2 without an answer."""
    return HistorySlots(
        item_index=torch.tensor([[0, 0], [0, 1], [2, 0]]),
        mask=torch.tensor([[False, False], [True, True], [True, False]]),
        rating=torch.tensor([[NAN, NAN], [5.0, 2.0], [NAN, NAN]]),
        event=torch.zeros(3, 2, dtype=torch.int64),
        age_days=torch.full((3, 2), NAN),
        label=torch.tensor([[0, 0], [2, 1], [0, 0]]),
    )


def test_ratings(facts, history):
    """5 and 2 around a mean of 3.5 with biases of 0.5 and -0.5."""
    answers = answers_of(facts)
    assert isinstance(answers, RatingAnswers)
    residuals = answers.residuals(ITEMS, history)
    assert residuals.residual.tolist() == [[0.0, 0.0], [1.0, -1.0], [0.0, 0.0]]
    assert residuals.known.tolist() == [[False, False], [True, True], [False, False]]
    beyond = answers.residuals(ITEMS, history, torch.tensor([[9.0], [0.25], [9.0]]))
    assert beyond.residual.tolist() == [[0.0, 0.0], [0.75, -1.25], [0.0, 0.0]]
    level = answers.level(torch.tensor([3.0, 2.0]), torch.tensor(4.0))
    assert float(level) == 3 / (2 + 4)


def test_labels(clicks, history):
    """Log odds of 10 to 30 at the start; biases as for ratings."""
    answers = answers_of(clicks)
    assert isinstance(answers, LabelAnswers)
    expected = [1 / (1 + math.exp(-math.log(1 / 3) - bias)) for bias in (0.5, -0.5)]
    residuals = answers.residuals(ITEMS, history)
    assert residuals.known.tolist() == [[False, False], [True, True], [False, False]]
    wanted = torch.tensor([[0.0, 0.0], [1 - expected[0], -expected[1]], [0.0, 0.0]])
    torch.testing.assert_close(residuals.residual, wanted)
    beyond = answers.residuals(ITEMS, history, torch.tensor([[9.0], [-0.5], [9.0]]))
    assert float(beyond.residual[1, 0]) == pytest.approx(1 - 1 / 4)
    assert answers.spread == pytest.approx((1 / 4 * 3 / 4) ** 0.5)


@pytest.mark.parametrize("positive", [0, 1, 5, 7])
def test_level_of_labels_is_the_log_odds_ratio_of_rows_with_some_put_in(clicks, positive):
    """Seven rows where two were to be expected; eight put in, of which a quarter is positive."""
    level = LabelAnswers(clicks).level(torch.tensor([positive, 2.0, 7.0]), torch.tensor(8.0))
    found = (positive + 2) / (7 - positive + 6)
    usual = (2 + 2) / (7 - 2 + 6)
    assert float(level) == pytest.approx(math.log(found / usual), rel=1e-5)


def test_history_without_answers_has_no_level(clicks, history):
    for answers in (LabelAnswers(clicks), CountedBehaviors()):
        residuals = answers.residuals(ITEMS, replace(history, mask=torch.zeros_like(history.mask)))
        assert not residuals.residual.any()
        assert not answers.level(residuals.parts.sum(1), torch.tensor(5.0)).any()


def test_deeds_count(history):
    answers = CountedBehaviors()
    residuals = answers.residuals(ITEMS, history)
    assert residuals.residual.tolist() == [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]]
    level = answers.level(residuals.parts.sum(1), torch.tensor(2.0))
    torch.testing.assert_close(level, torch.tensor([0.0, 2 / 4, 1 / 3]))


def test_labels_that_say_nothing_are_not_answers(clicks):
    for other in (
        replace(clicks, history_labels=False),
        replace(clicks, labels=("a", "b", "c"), label_counts=(1, 1, 1)),
    ):
        assert isinstance(answers_of(other), RatingAnswers)
