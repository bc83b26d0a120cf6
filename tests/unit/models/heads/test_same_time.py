"""Heads of what was rated at about the same time: sums written out, properties, and the heads that they add to."""

import math
from dataclasses import replace

import pytest
import torch

from lit_rec.errors import ConfigError
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.same_time import OccasionNeighborhoodHead, SessionHead
from lit_rec.models.heads.value_heads import DotHead

SECOND = 1 / 86_400  # in days
MINUTE = 60 * SECOND


@pytest.fixture
def head(facts):
    torch.manual_seed(0)
    return OccasionNeighborhoodHead(facts, 8).eval()


@pytest.fixture
def vectors():
    torch.manual_seed(1)
    return torch.randn(5, 9), torch.randn(6, 9)


def aged(batch, days):
    age = torch.where(batch.history.mask, days, torch.nan)
    return replace(batch, history=replace(batch.history, age_days=age))


def test_occasion_terms_are_the_sums_written_out(facts, head, make_batch, vectors):
    users, items = vectors
    chance = torch.Generator().manual_seed(2)
    batch = make_batch()
    batch = aged(batch, torch.rand(batch.history.mask.shape, generator=chance) * 60 * SECOND)
    found = head.neighbours(users, items, batch)
    history = batch.history
    s, c = head.occasion_sharpness.exp().item(), head.occasion_shrinkage.exp().item()
    keys = (items[:, :-1] @ head.occasion_keys).tolist()
    for row, own in enumerate(batch.candidates.item_index.tolist()):
        for place, candidate in enumerate(own):
            above, below = 0.0, c
            for slot, item in enumerate(history.item_index[row].tolist()):
                rating = history.rating[row, slot].item()
                if not history.mask[row, slot] or math.isnan(rating):
                    continue
                one, other = keys[candidate], keys[item]
                inner = sum(a * b for a, b in zip(one, other, strict=True))
                cosine = inner / (math.hypot(*one) * math.hypot(*other))
                seconds = history.age_days[row, slot].item() / SECOND
                weight = math.exp(s * (cosine - 1)) / (1 + seconds / 10)
                bias = users[row, -1] + items[item, -1]
                above += weight * (rating - facts.rating_mean - bias.item())
                below += weight
            assert found[row, place, 1].item() == pytest.approx(above / below, abs=1e-4)


def test_first_term_is_that_of_the_neighborhood_head(facts, head, batch, vectors):
    """Its parameters have the same names: a checkpoint of one can begin the other."""
    plain = NeighborhoodHead(facts, 8).eval()
    own = plain.state_dict()
    own.update({n: w for n, w in head.state_dict().items() if n in own and not n.startswith("hid")})
    plain.load_state_dict(own)
    expected = plain.neighbours(*vectors, batch)
    torch.testing.assert_close(head.neighbours(*vectors, batch)[..., :1], expected)


@pytest.mark.parametrize("days", [torch.nan, 30.0])
def test_unknown_and_distant_times_are_of_no_occasion(head, batch, vectors, days):
    near = head.neighbours(*vectors, aged(batch, torch.tensor(days)))
    assert near[..., 1].abs().max() < 1e-4
    assert near[1:, :, 0].abs().max() > 1e-2  # similar items are as ever


def test_occasions_of_unknown_age_learn_finite(head, batch, vectors):
    users, items = vectors
    items.requires_grad_()
    head(users, items, aged(batch, torch.tensor(torch.nan))).sum().backward()
    assert torch.isfinite(items.grad).all()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in head.parameters())


def test_before_and_after_are_one_occasion(head, batch, vectors):
    """Under TrainingHistory a row of the same sitting may be later than the target."""
    one, other = (aged(batch, torch.tensor(sign * 30 * SECOND)) for sign in (1, -1))
    torch.testing.assert_close(head(*vectors, one), head(*vectors, other))


def test_what_was_rated_seconds_ago_counts_more(head, make_batch, vectors):
    """A 1 and a 5 of one item: the nearer in time decides."""
    batch = make_batch(rows=1, longest=2)
    history = replace(
        batch.history,
        item_index=torch.tensor([[2, 2]]),
        mask=torch.ones(1, 2, dtype=torch.bool),
        rating=torch.tensor([[1.0, 5.0]]),
    )
    users, items = vectors
    users, items = torch.zeros(1, 9), torch.cat([items[:, :-1], torch.zeros(6, 1)], 1)

    def term(*seconds):
        timed = replace(history, age_days=torch.tensor([seconds]) * SECOND)
        return head.neighbours(users, items, replace(batch, history=timed))[..., 1]

    assert (term(600.0, 1.0) > 0).all()
    assert (term(1.0, 600.0) < 0).all()


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


def test_sessions_of_unknown_time_learn_finite(facts, rated):
    head = SessionHead(facts, 2)
    head(USERS, ITEMS, rated).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite() for p in head.parameters())
    assert head.log_minutes.grad != 0


def test_an_index_finds_the_same_order_as_session_head(facts, rated):
    head = SessionHead(facts, 2, scale=0.5)
    scores = head(USERS, ITEMS, rated)
    products = head.queries(USERS) @ head.keys(ITEMS).T
    torch.testing.assert_close(scores.diff(dim=1), products.diff(dim=1))


@pytest.mark.parametrize("option", ["minutes", "shrinkage"])
def test_session_head_checks_its_options(facts, option):
    with pytest.raises(ConfigError, match=r"0\.0 cannot be used") as error:
        SessionHead(facts, 2, **{option: 0.0})
    assert error.value.where == f"SessionHead.{option}"


def test_session_head_reads_ratings_alone(facts):
    with pytest.raises(ConfigError, match="SessionHead predicts a rating"):
        SessionHead(replace(facts, task="label"), 2)
