"""Words that few items have: their weights and similarities against scikit-learn, and which are kept."""

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfTransformer

from lit_rec.data.batches.batch import Items, Texts
from lit_rec.models.text import heavy_words


def test_words_are_weighed_as_another_library_does():
    """Binary TF-IDF of scikit-learn, its logarithm without the 1 that it adds."""
    chance = np.random.default_rng(0)
    lines = [chance.integers(0, 20, chance.integers(0, 15)) for _ in range(24)]
    tokens = torch.from_numpy(np.concatenate(lines))
    offsets = torch.from_numpy(np.cumsum([0, *map(len, lines)]))
    place = torch.arange(12)
    items = Items(torch.stack([place, place + 12], 1), place, place)  # two fields
    texts, both = Texts(tokens, offsets), [np.union1d(lines[i], lines[i + 12]) for i in range(12)]
    weights = heavy_words.WordWeights(20)
    weights.fit([(texts, items.take(place[:5])), (texts, items.take(place[5:]))])
    words = weights.of(texts, items)
    there = np.array([np.isin(np.arange(20), line) for line in both]).astype(float)
    found = np.maximum(TfidfTransformer(norm=None).fit_transform(there).toarray() - 1, 0) * there
    unit = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    np.testing.assert_allclose(words.similarity(words, 20), unit @ unit.T, atol=1e-5)


def test_only_the_heaviest_words_are_kept(monkeypatch):
    monkeypatch.setattr(heavy_words, "MOST", 2)
    place = torch.arange(3)
    items = Items(place.unsqueeze(1), place, place)
    texts = Texts(torch.tensor([1, 2, 3, 4, 1, 2, 1]), torch.tensor([0, 4, 6, 7]))
    weights = heavy_words.WordWeights(5)
    weights.fit([(texts, items)])
    words = weights.of(texts, items)
    assert [set(line) for line in words.token.tolist()] == [{3, 4}, {1, 2}, {0, 1}]
    assert words.weight[0].tolist() == pytest.approx([0.5**0.5] * 2)
