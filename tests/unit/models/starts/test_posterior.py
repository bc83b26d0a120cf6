"""Posterior means against systems solved one by one."""

import numpy as np
import pytest
import torch

from lit_rec.models.starts.covariance import Covariance, Points
from lit_rec.models.starts.posterior import by_first, by_past, weights, with_noise, without_itself


@pytest.fixture
def system():
    """Two rows of six ratings, the second with two that are unknown; all numbers in double."""
    chance = torch.Generator().manual_seed(0)
    covariance = Covariance((10.0, 1000.0), 2, 1.27).double()
    texts = torch.nn.functional.normalize(torch.randn(2, 6, 2, 3, generator=chance).double(), dim=3)
    seconds = torch.rand(2, 6, generator=chance).double() * 100
    seconds[0, 3] = torch.nan
    points = Points(torch.randn(2, 6, 4, generator=chance).double(), texts, seconds)
    known = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    total = with_noise(covariance, points, torch.rand(2, 6, generator=chance).double(), known)
    residual = torch.where(known, torch.randn(2, 6, generator=chance).double(), 0.0)
    return total, residual, known


def said(total, residual, target, others):
    """What some ratings of one row say of another, by solving their own system."""
    if not others:
        return 0.0
    own = total.numpy()
    inner = own[np.ix_(others, others)]
    return own[target, others] @ np.linalg.solve(inner, residual.numpy()[others])


def test_each_rating_by_the_others_of_its_row(system):
    total, residual, known = system
    found = without_itself(total, residual)
    for row, length in ((0, 6), (1, 4)):
        for target in range(length):
            others = [place for place in range(length) if place != target]
            expected = said(total[row], residual[row], target, others)
            assert found[row, target].item() == pytest.approx(expected)
    assert not found[~known].any()


def test_each_rating_by_the_first_ones(system):
    total, residual, _ = system
    past = torch.tensor([[0, 1, 1, 3, 0, 5], [0, 0, 2, 3, 0, 0]])
    found = by_past(total, residual, past)
    for row in range(2):
        for target, first in enumerate(past[row].tolist()):
            expected = said(total[row], residual[row], target, list(range(first)))
            assert found[row, target].item() == pytest.approx(expected)


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 6, 100])
def test_each_rating_by_the_first_others(system, count):
    total, residual, known = system
    found = by_first(total, residual, count)
    for row, length in ((0, 6), (1, 4)):
        for target in range(length):
            others = [place for place in range(length) if place != target][:count]
            expected = said(total[row], residual[row], target, others)
            assert found[row, target].item() == pytest.approx(expected)
    assert not found[~known].any()


def test_weights_solve_the_system(system):
    total, residual, known = system
    found = weights(total, residual)
    torch.testing.assert_close((total @ found.unsqueeze(2)).squeeze(2), residual)
    assert not found[~known].any()


def test_it_is_a_covariance(system):
    total, _, _ = system
    torch.testing.assert_close(total, total.transpose(1, 2))
    assert float(torch.linalg.eigvalsh(total).min()) > 0


def test_terms_are_written_out():
    covariance = Covariance((10.0,), 1, 1.27)
    texts = torch.tensor([[[[1.0, 0.0]], [[0.6, 0.8]]]])
    regressors = torch.tensor([[[1.0, 2.0], [0.5, -1.0]]])
    points = Points(regressors, texts, torch.tensor([[100.0, 105.0]]))
    value = {name: log.exp().squeeze().item() for name, log in covariance.log.items()}
    inner, cosine, fade = 0.5 - 2.0, 0.6, np.exp(-0.5)
    alike = np.exp(value["sharpness"] * (cosine - 1))
    expected = value["constant"] + (value["taste"] + value["taste_then"] * fade) * inner
    expected += (value["mood"] + value["alike_then"] * alike) * fade
    expected += (value["alike"] + value["alike_field"]) * alike + value["taste_field"] * cosine
    assert covariance(points, points)[0, 0, 1].item() == pytest.approx(expected, rel=1e-5)
