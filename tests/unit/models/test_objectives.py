import torch

from lit_rec.data.batches import Target
from lit_rec.models.objectives import SquaredError


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
    assert (SquaredError.task, SquaredError.consumes) == ("rating", "scores")
