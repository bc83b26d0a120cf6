import pytest
import torch

from lit_rec.training.collected import CollectedScores


def test_no_batches_give_no_rows():
    rows, scores = CollectedScores().gather()
    assert len(rows) == len(scores) == 0


def test_a_row_scored_twice_is_a_mistake():
    collected = CollectedScores()
    collected.add(torch.tensor([1, 2]), torch.zeros(2, 1))
    collected.add(torch.tensor([2]), torch.zeros(1, 1))
    with pytest.raises(ValueError, match="twice"):
        collected.gather()
