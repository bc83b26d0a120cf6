"""Levels by texts, against ridge regression of scikit-learn on the same ratings."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from lit_rec.models.starts import text_quality
from lit_rec.models.starts.text_quality import directions, levels_by_text, principal_axes

ITEMS, FIELDS, WIDTH = 60, 2, 6


def _texts() -> torch.Tensor:
    return torch.randn(ITEMS, FIELDS, WIDTH, generator=torch.Generator().manual_seed(0)) + 2


def _ratings(texts: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A hundred users rate six items each, by a direction of the first field; items are rows 1 and on."""
    chance = np.random.default_rng(1)
    item = np.concatenate([chance.permutation(ITEMS)[:6] for _ in range(100)])
    good = directions(texts, texts.mean(0))[:, 0, 0].numpy()
    return np.repeat(np.arange(100), 6), item + 1, 3 + good[item] + chance.normal(0, 0.2, len(item))


def test_the_levels_are_those_of_ridge_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_quality, "_PENALTIES", (10.0,))
    texts = _texts()
    user, item, rating = _ratings(texts)
    centre, vocab_row = texts.mean(0), torch.arange(1, ITEMS + 1)
    found = levels_by_text([(user, item, rating)], texts, centre, vocab_row, ITEMS + 1)
    levels, weights = found
    read = (
        directions(texts, centre).flatten(1).double().numpy()
    )  # axes turn it, which ridge ignores
    from_mean = rating - rating.mean()
    of_user = np.bincount(user, from_mean) / (6 + 5)
    expected = Ridge(alpha=10.0, fit_intercept=False).fit(read[item - 1], from_mean - of_user[user])
    np.testing.assert_allclose(weights.flatten(), expected.coef_, atol=1e-5)
    np.testing.assert_allclose(levels[0, 1:], read @ expected.coef_, atol=1e-5)
    assert levels[0, 0] == 0


def test_of_many_items_some_are_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = _texts()
    ratings, rows = _ratings(texts), torch.arange(1, ITEMS + 1)
    whole, _ = levels_by_text([ratings], texts, texts.mean(0), rows, ITEMS + 1)
    monkeypatch.setattr(text_quality, "_ITEMS", 40)
    some, _ = levels_by_text([ratings], texts, texts.mean(0), rows, ITEMS + 1)
    assert not torch.equal(some, whole)
    assert np.corrcoef(some[0, 1:], whole[0, 1:])[0, 1] > 0.95


def test_each_set_of_ratings_has_its_levels() -> None:
    texts = _texts()
    user, item, rating = _ratings(texts)
    given = texts, texts.mean(0), torch.arange(1, ITEMS + 1), ITEMS + 1
    half = user < 50
    both, _ = levels_by_text([(user, item, rating), (user[half], item[half], rating[half])], *given)
    alone, _ = levels_by_text([(user[half], item[half], rating[half])], *given)
    torch.testing.assert_close(both[1], alone[0])
    assert (both[0] - both[1]).abs().max() > 0.01


def test_chance_is_seldom_taken_for_what_texts_say() -> None:
    texts, found = _texts(), 0
    for seed in range(40):
        user, item, _ = _ratings(texts)
        noise = np.random.default_rng(seed).normal(3, 1, len(item))
        given = texts, texts.mean(0), torch.arange(1, ITEMS + 1), ITEMS + 1
        found += bool(levels_by_text([(user, item, noise)], *given)[1].any())
    assert found <= 8


def test_axes_are_those_of_the_singular_value_decomposition() -> None:
    vectors = torch.randn(50, 6, generator=torch.Generator().manual_seed(2)).double()
    axes = principal_axes(vectors, 3)
    expected = np.linalg.svd(vectors.numpy(), full_matrices=False)[2][:3].T
    np.testing.assert_allclose(np.abs(np.sum(axes * expected, 0)), 1, atol=1e-9)
    assert not principal_axes(vectors, 8)[:, 6:].any()
