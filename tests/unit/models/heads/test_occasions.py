"""OccasionNeighborhoodHead: ratings of the candidate's occasion, against sums written out and properties."""

import math
from dataclasses import replace

import pytest
import torch

from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.occasions import OccasionNeighborhoodHead

SECOND = 1 / 86_400


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


def test_terms_are_the_sums_written_out(facts, head, make_batch, vectors):
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


def test_unknown_ages_learn_finite(head, batch, vectors):
    users, items = vectors
    items.requires_grad_()
    head(users, items, aged(batch, torch.tensor(torch.nan))).sum().backward()
    assert torch.isfinite(items.grad).all()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in head.parameters())


def test_before_and_after_are_alike(head, batch, vectors):
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
        told = replace(history, age_days=torch.tensor([seconds]) * SECOND)
        return head.neighbours(users, items, replace(batch, history=told))[..., 1]

    assert (term(600.0, 1.0) > 0).all()
    assert (term(1.0, 600.0) < 0).all()
