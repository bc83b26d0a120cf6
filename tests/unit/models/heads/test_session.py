import math
from dataclasses import replace

import pytest
import torch

from lit_rec.errors import ConfigError
from lit_rec.models.heads.session import SessionHead
from lit_rec.models.heads.value_heads import DotHead

MINUTE = 1 / (24 * 60)  # in days


@pytest.fixture
def rated(facts, make_batch):
    """Two rows with items 0 and 1 rated 5 and 2; of the second row nobody knows when."""
    batch = make_batch(rows=2, items=2, candidates=2, longest=2)
    history = batch.history
    history.item_index.copy_(torch.tensor([[0, 1], [0, 1]]))
    history.mask.fill_(True)
    history.rating.copy_(torch.tensor([[5.0, 2.0], [5.0, 2.0]]))
    history.age_days.copy_(torch.tensor([[2 * MINUTE, -6 * MINUTE], [torch.nan, torch.nan]]))
    batch.candidates.item_index.copy_(torch.tensor([[0, 1], [0, 1]]))
    return batch


USERS = torch.tensor([[1.0, 2.0, 0.25], [3.0, -1.0, -0.5]])
ITEMS = torch.tensor([[1.0, 1.0, 0.5], [2.0, 0.0, -0.5]])


def test_what_stands_minutes_apart_tells_the_mood(facts, rated):
    """Beyond 3.5, the items' biases and the user's 0.25 the ratings lie 0.75 and -1.25; before or after is alike."""
    head = SessionHead(facts, 2, minutes=2.0, shrinkage=4.0)
    near, far = math.exp(-1), math.exp(-3)
    mood = (0.75 * near - 1.25 * far) / (near + far + 4)
    plain = DotHead(facts, 2)(USERS, ITEMS, rated)
    found = head(USERS, ITEMS, rated) - plain
    torch.testing.assert_close(found, torch.tensor([[mood, mood], [0.0, 0.0]]))


def test_gradients_are_finite_beside_unknown_times(facts, rated):
    head = SessionHead(facts, 2)
    head(USERS, ITEMS, rated).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite() for p in head.parameters())
    assert head.log_minutes.grad != 0


def test_an_index_finds_the_same_order(facts, rated):
    head = SessionHead(facts, 2, scale=0.5)
    scores = head(USERS, ITEMS, rated)
    products = head.queries(USERS) @ head.keys(ITEMS).T
    torch.testing.assert_close(scores.diff(dim=1), products.diff(dim=1))


@pytest.mark.parametrize("option", ["minutes", "shrinkage"])
def test_options_are_checked(facts, option):
    with pytest.raises(ConfigError, match=r"0\.0 cannot be used") as error:
        SessionHead(facts, 2, **{option: 0.0})
    assert error.value.where == f"model...head.init_args.{option}"


def test_it_reads_ratings_alone(facts):
    with pytest.raises(ConfigError, match="SessionHead predicts a rating"):
        SessionHead(replace(facts, task="label"), 2)
