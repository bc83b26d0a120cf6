import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from lit_rec.models.items.shared_ridge import shared_components, shared_ridge


@pytest.mark.parametrize("lengths", [(3,), (2, 40), (5, 1, 3)])
def test_it_is_ridge_regression_on_groups_of_equal_size(lengths):
    """Beside scikit-learn's on inputs that are divided by hand; examples count by their weight."""
    chance = np.random.default_rng(0)
    inputs = [chance.normal(size=(20, v)) * 10**place for place, v in enumerate(lengths)]
    target, weights = chance.normal(size=20), chance.uniform(0.2, 3, 20)
    constant, found = shared_ridge(
        [torch.from_numpy(x).float() for x in inputs],
        torch.from_numpy(target).float(),
        torch.from_numpy(weights).float(),
        0.5,
    )
    sizes = [np.sqrt((x**2).sum(1).mean()) for x in inputs]
    design = np.hstack([np.ones((20, 1)), *(x / s for x, s in zip(inputs, sizes, strict=True))])
    known = Ridge(alpha=0.5 * (len(lengths) + 1), fit_intercept=False)
    known.fit(design, target, sample_weight=weights / weights.mean())
    wanted = np.split(known.coef_, np.cumsum([1, *lengths[:-1]]))
    assert float(constant) == pytest.approx(wanted[0].item(), abs=1e-4)
    for ours, theirs, size in zip(found, wanted[1:], sizes, strict=True):
        np.testing.assert_allclose(ours * size, theirs, atol=1e-4)


def test_components_are_those_of_the_joined_inputs():
    """Beside a singular value decomposition of the groups side by side, each divided by its size."""
    chance = np.random.default_rng(0)
    inputs = [chance.normal(size=(12, 3)), 100 * chance.normal(size=(12, 30))]
    found = shared_components([torch.from_numpy(x).float() for x in inputs], 4)
    sums = sum(x @ w.numpy() for x, w in zip(inputs, found, strict=True))
    joined = np.hstack([x / np.sqrt((x**2).sum(1).mean() * 2) for x in inputs])
    left, spread, _ = np.linalg.svd(joined)
    wanted = left[:, :4] * spread[:4]
    np.testing.assert_allclose(np.abs(sums), np.abs(wanted), atol=1e-4)


def test_components_that_are_not_there_are_zero():
    inputs = [torch.randn(2, 5)]
    (weights,) = shared_components(inputs, 6)
    assert weights.shape == (5, 6)
    assert weights[:, :2].any(0).all()
    assert not weights[:, 2:].any()


def test_an_empty_group_says_nothing():
    constant, found = shared_ridge([torch.zeros(4, 3)], torch.full((4,), 2.0), torch.ones(4), 1e-6)
    assert float(constant) == pytest.approx(2, abs=1e-4)
    assert not found[0].any()


def test_a_scale_of_the_weights_changes_nothing():
    inputs, target = [torch.randn(6, 2)], torch.randn(6)
    one = shared_ridge(inputs, target, torch.ones(6), 1.0)
    other = shared_ridge(inputs, target, torch.full((6,), 0.01), 1.0)
    torch.testing.assert_close(one, other)
