from dataclasses import replace

import pytest
import torch
from torch import nn

from lit_rec.data.batches.batch import Target
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.errors import ConfigError
from lit_rec.models.objectives.score import BinaryCrossEntropy, CrossEntropy, SquaredError


@pytest.fixture
def click_facts(facts):
    return replace(facts, task="label", labels=("no", "yes"), label_counts=(30, 10))


@pytest.fixture
def topic_facts(facts):
    return replace(facts, task="label", labels=("a", "b", "c"), label_counts=(10, 20, 30))


def test_squared_error_by_hand():
    scores = torch.tensor([[3.0, 1.0], [4.5, 9.0]])
    target = Target(
        torch.tensor([[4.0, 3.0], [4.0, 0.0]]), torch.tensor([[True, True], [True, False]])
    )
    total, count = SquaredError()(scores, target)
    assert (float(total), int(count)) == (1.0 + 4.0 + 0.25, 3)


def test_squared_error_of_no_known_rating():
    total, count = SquaredError()(
        torch.ones(2, 1), Target(torch.zeros(2, 1), torch.zeros(2, 1) > 0)
    )
    assert (float(total), int(count)) == (0.0, 0)


def test_squared_error_gives_no_gradient_where_the_answer_is_unknown():
    scores = torch.tensor([[3.0, 9.0]], requires_grad=True)
    SquaredError()(scores, Target(torch.tensor([[1.0, 0.0]]), torch.tensor([[True, False]])))[
        0
    ].backward()
    assert scores.grad.tolist() == [[4.0, 0.0]]


def test_squared_error_says_what_it_trains_and_takes():
    assert (SquaredError.predicts.name, SquaredError.consumes) == ("rating", "scores")


@pytest.mark.parametrize("says", [{}, {"consumes": "scores"}, {"predicts": RatingTarget}])
def test_an_objective_that_does_not_say_what_it_is_for(facts, says):
    """As one of version 0.1.0, which named its task; what the remedy says is enough."""
    own = type("Own", (SquaredError.__mro__[1],), {"forward": SquaredError.forward, **says})
    with pytest.raises(ConfigError, match="Own does not say what it trains for") as error:
        own().bind(facts, "scores")
    assert 'predicts, consumes = RatingTarget, "scores"' in error.value.remedy
    own.predicts, own.consumes = RatingTarget, "scores"
    own().bind(facts, "scores")


def test_binary_cross_entropy_is_that_of_torch_over_the_known(click_facts):
    objective = BinaryCrossEntropy()
    objective.bind(click_facts, "scores")
    scores = torch.tensor([[0.3], [-1.2], [9.0]])
    target = Target(torch.tensor([[1], [0], [0]]), torch.tensor([[True], [True], [False]]))
    total, count = objective(scores, target)
    wanted = nn.BCEWithLogitsLoss()(scores[:2, 0], torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(total / count, wanted)


@pytest.mark.parametrize("weights", [None, "balanced", [1.0, 0.5, 2.0]])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_is_that_of_torch_over_the_known(topic_facts, weights, smoothing):
    torch.manual_seed(0)
    objective = CrossEntropy(weights, smoothing)
    objective.bind(topic_facts, "class_scores")
    scores = torch.randn(5, 1, 3)
    value = torch.tensor([[0], [2], [1], [1], [0]])
    mask = torch.tensor([[True], [True], [True], [False], [True]])
    # balanced: 60 rows / (3 labels * rows of the label)
    by_hand = [2.0, 1.0, 2 / 3] if weights == "balanced" else weights
    torch_loss = nn.CrossEntropyLoss(
        None if by_hand is None else torch.tensor(by_hand), label_smoothing=smoothing
    )
    total, count = objective(scores, Target(value, mask))
    torch.testing.assert_close(total / count, torch_loss(scores[mask], value[mask]))


def test_cross_entropy_of_no_known_label(topic_facts):
    objective = CrossEntropy("balanced")
    objective.bind(topic_facts, "class_scores")
    nothing = Target(torch.zeros(2, 1).long(), torch.zeros(2, 1).bool())
    total, count = objective(torch.randn(2, 1, 3), nothing)
    assert (float(total), float(count)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("make", "task", "gives", "says"),
    [
        (SquaredError, "topics", "scores", "trains for a rating, the data asks for a label"),
        (BinaryCrossEntropy, "ratings", "scores", "trains for a label"),
        (BinaryCrossEntropy, "topics", "scores", "has 3 labels: a, b, c"),
        (BinaryCrossEntropy, "clicks", "class_scores", "the network gives class_scores"),
        (CrossEntropy, "topics", "scores", "takes class_scores, the network gives scores"),
        (lambda: CrossEntropy([1.0, 2.0]), "topics", "class_scores", r"\[1.0, 2.0\] cannot"),
    ],
)
def test_an_objective_of_another_kind_is_refused(
    facts, click_facts, topic_facts, make, task, gives, says
):
    data = {"ratings": facts, "clicks": click_facts, "topics": topic_facts}[task]
    with pytest.raises(ConfigError, match=says):
        make().bind(data, gives)


@pytest.mark.parametrize("options", [{"label_smoothing": 2.0}, {"class_weights": [1.0, -1.0]}])
def test_options_out_of_range(options):
    with pytest.raises(ConfigError, match="cannot be used"):
        CrossEntropy(**options)
