"""item_knn, EASE and text tables against loops and another library, whole and as neighbors."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from lit_rec.evaluation.baselines.next_item.baseline import ItemTableBaseline
from lit_rec.evaluation.baselines.next_item.carried import CarriedTable
from lit_rec.evaluation.baselines.next_item.item_knn import item_knn_neighbors, item_knn_table
from lit_rec.evaluation.baselines.next_item.text import add_text, text_table
from lit_rec.models.neighbors.ease import ease_neighbors, ease_table
from lit_rec.models.neighbors.item_tables import (
    CosineTable,
    DenseTable,
    NeighborTable,
    SumTable,
)


def whole(table, items=15):
    """The matrix of any table, an item at a time."""
    return table.scores(torch.arange(items).unsqueeze(1), torch.ones(items, 1)).numpy()


@pytest.mark.parametrize("shrinkage", [0.0, 7.0])
def test_item_knn_is_the_shrunk_cosine_of_sets(baskets, users_of, shrinkage):
    wanted = np.zeros((15, 15))
    for i, one in enumerate(users_of):
        for j, other in enumerate(users_of):
            if i != j and one and other:
                root = (len(one) * len(other)) ** 0.5
                wanted[i, j] = len(one & other) / (root + shrinkage)
    dense = item_knn_table(baskets.together(), shrinkage)
    np.testing.assert_allclose(dense.values, wanted, atol=1e-6)
    np.testing.assert_allclose(whole(item_knn_neighbors(baskets, shrinkage, 14)), wanted, atol=1e-6)


@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_ease_is_a_ridge_regression_of_each_item_on_the_others(baskets, penalty):
    counts = np.zeros((40, 15))
    counts[baskets.user, baskets.item] = 1
    values = ease_table(baskets.together(), penalty).values
    for item in range(15):
        others = np.delete(np.arange(15), item)
        ridge = Ridge(alpha=penalty, fit_intercept=False).fit(counts[:, others], counts[:, item])
        np.testing.assert_allclose(values[others, item], ridge.coef_, atol=1e-5)
        assert values[item, item] == 0


def test_ease_with_all_neighbors_is_ease(baskets):
    index, count = baskets.companions(14)
    own = torch.from_numpy(baskets.counts)
    found = whole(ease_neighbors(index, count, own, 3.0, 14))
    np.testing.assert_allclose(found, ease_table(baskets.together(), 3.0).values, atol=1e-5)


def test_ease_of_few_neighbors_is_a_ridge_regression_on_those(baskets):
    index, count = baskets.companions(14)
    found = whole(ease_neighbors(index, count, torch.from_numpy(baskets.counts), 3.0, 4))
    counts = np.zeros((40, 15))
    counts[baskets.user, baskets.item] = 1
    for item in range(14):
        near = index[item, :4].numpy()
        ridge = Ridge(alpha=3.0, fit_intercept=False).fit(counts[:, near], counts[:, item])
        np.testing.assert_allclose(found[near, item], ridge.coef_, atol=1e-5)
        assert (found[np.setdiff1d(np.arange(15), near), item] == 0).all()


def test_ease_of_counts_without_a_solution_is_finite():
    """Items 1 and 2 share more users than they have: lists that were cut may say so of three."""
    index = torch.tensor([[1, 2], [2, 0], [1, 0]])
    count = torch.tensor([[1.0, 1.0], [9.0, 1.0], [9.0, 1.0]])
    table = ease_neighbors(index, count, torch.tensor([1, 1, 1]), 1.0, 2)
    np.testing.assert_allclose(whole(table, 3)[1:, 0], [0.5, 0.5])
    assert np.isfinite(whole(table, 3)).all()


@pytest.fixture
def vectors():
    found = torch.randn(15, 6, generator=torch.Generator().manual_seed(0))
    return found / found.norm(dim=1, keepdim=True)


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_text_is_a_power_of_cosines(vectors, power):
    values = text_table(vectors, power).values
    summed = torch.ones(15, 15)
    add_text(summed, vectors, power, 0.3)
    np.testing.assert_allclose(summed, 1 + 0.3 * values, atol=1e-6)
    for i in range(15):
        for j in range(15):
            cosine = float(vectors[i] @ vectors[j])
            wanted = 0.0 if i == j else np.sign(cosine) * abs(cosine) ** power
            assert values[i, j] == pytest.approx(wanted, abs=1e-6)


def test_forms_of_a_table_have_the_same_scores(vectors):
    dense = text_table(vectors, 1.0)
    index = torch.arange(15, dtype=torch.int32).expand(15, 15)
    item, weight = torch.tensor([[3, 3, 7], [1, 0, 0]]), torch.tensor([[0.2, 0.5, 1.0], [1, 0, 0]])
    wanted = [
        [sum(w * float(dense.values[i, j]) for i, w in zip(*row, strict=True)) for j in range(15)]
        for row in zip(item.tolist(), weight.tolist(), strict=True)
    ]
    for table in (dense, CosineTable(vectors), NeighborTable(index, dense.values)):
        np.testing.assert_allclose(table.scores(item, weight), wanted, atol=1e-6)
        both = SumTable(dense, table, 0.5).scores(item, weight)
        np.testing.assert_allclose(both, 1.5 * np.array(wanted), atol=1e-5)


def test_new_items_stand_for_the_known_ones_of_nearest_texts(vectors):
    """Against the whole matrix [1; e] (T + 0.07) [1; e]', written out."""
    chance = torch.Generator().manual_seed(1)
    known = torch.arange(15) % 4 != 3
    table = torch.rand(int(known.sum()), int(known.sum()), generator=chance).fill_diagonal_(0)
    found = whole(CarriedTable(DenseTable(table), known, vectors))
    like = torch.zeros(15, len(table), dtype=torch.float64)
    like[known] = torch.eye(len(table), dtype=torch.float64)
    for new in (~known).nonzero()[:, 0].tolist():
        cosine = (vectors[known] @ vectors[new]).clamp(min=0).double() ** 10
        cosine[cosine.argsort(descending=True)[10:]] = 0
        like[new] = cosine / cosine.sum()
    plain, more = table.double(), table.double() + 0.07 * torch.eye(len(table))
    expected = torch.where(known, like @ plain @ like.T, like @ more @ like.T)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_newer_behaviors_count_more_and_nobody_gets_popularity():
    table = DenseTable(torch.rand(5, 5, generator=torch.Generator().manual_seed(0)))
    counts = torch.tensor([4, 3, 0, 1, 9])
    baseline = ItemTableBaseline("mine", table, counts, {"recency": 0.5})
    history = torch.tensor([[2, 0, 1], [4, 0, 0], [0, 0, 0]])
    mask = torch.tensor([[True, True, True], [True, False, False], [False, False, False]])
    found = baseline.scores(history, mask)
    rows = table.values
    torch.testing.assert_close(found[0], 0.25 * rows[2] + 0.5 * rows[0] + rows[1])
    torch.testing.assert_close(found[1], rows[4])
    assert found[2].tolist() == counts.tolist()
    assert torch.equal(baseline.scores(history[:1], mask[:1])[0], found[0])
