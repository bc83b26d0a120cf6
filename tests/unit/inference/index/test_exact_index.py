"""ExactIndex: what it holds, what it refuses, and when it asks again."""

import numpy as np
import pytest
import torch

from lit_rec.errors import DataError
from lit_rec.inference.index.best_columns import best_columns
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.item_vectors import ItemVectors, by_column


@pytest.mark.parametrize("values", [2, 50, 10**6])
@pytest.mark.parametrize(("n", "k"), [(5, 5), (40, 7), (1_000, 5), (4_133, 10), (4_133, 200)])
def test_best_columns_are_those_of_a_stable_sort(values, n, k):
    chance = torch.Generator().manual_seed(n + values)
    scores = torch.randint(values, (6, n), generator=chance).float()
    scores[0, 3:] = -torch.inf
    scores[1] = 1.0
    expected = scores.sort(dim=1, descending=True, stable=True)
    found = best_columns(scores, k)
    assert torch.equal(found[0], expected.values[:, :k])
    finite = found[0] > -torch.inf
    assert torch.equal(found[1][finite], expected.indices[:, :k][finite])


def test_the_blocks_set_what_is_held(monkeypatch):
    """No matrix of products has more rows, or more numbers, than a block; few queries take more items at once."""
    shapes, product = [], torch.Tensor.__matmul__
    monkeypatch.setattr(
        torch.Tensor,
        "__matmul__",
        lambda a, b: shapes.append((len(a), b.shape[1])) or product(a, b),
    )
    torch.manual_seed(0)
    vectors, queries = torch.randn(1_000, 8), torch.randn(50, 8)
    found = ExactIndex(vectors, block_items=128, block_queries=20).search(queries, 5)
    assert set(shapes) == {(20, 128), (20, 104), (10, 256), (10, 232)}
    assert len(shapes) == 8 + 8 + 4
    assert torch.equal(found.rows, (queries.double() @ vectors.double().T).topk(5).indices)


@pytest.mark.parametrize("lay", [torch.Tensor.contiguous, by_column])
def test_vectors_are_not_copied(lay):
    vectors = lay(torch.randn(10, 4))
    index = ExactIndex(vectors)
    vectors[7] = 100.0
    assert index.search(torch.ones(1, 4), 1).rows.tolist() == [[7]]


@pytest.mark.parametrize("lay", [torch.Tensor.contiguous, by_column])
def test_added_items_do_not_copy_the_catalogue(lay):
    vectors, more = lay(torch.randn(9_000, 2)), torch.randn(20, 2)
    held = ItemVectors(vectors)
    for one in more.split(1):
        held = held.with_more(one)
    blocks = list(held.blocks(10_000))
    assert [(first, len(block)) for first, block in blocks] == [(0, 9_000), (9_000, 20)]
    assert blocks[0][1].data_ptr() == vectors.data_ptr()
    assert (blocks[1][1].stride(0) == 1) == (lay is by_column)
    rows = torch.tensor([[9_005, 3], [8_999, 9_000]])
    assert torch.equal(held.take(rows), torch.cat([vectors, more])[rows])
    assert held.key() == ItemVectors(torch.cat([vectors, more])).key()
    assert held.key() != ItemVectors(torch.cat([more, vectors])).key()
    assert held.longest == pytest.approx(torch.cat([vectors, more]).norm(dim=1).max().item())


def test_how_vectors_lie_changes_no_list():
    torch.manual_seed(0)
    vectors, more, queries = torch.randn(3_000, 16), torch.randn(500, 16), torch.randn(7, 16)
    by_row, laid = ExactIndex(vectors), ExactIndex(by_column(vectors))
    for index in (by_row, laid):
        index.add_items(more)
        index.remove_items([5, 3_010])
    for users in (queries, queries[:1]):
        one, other = (index.search(users, 10, deny=range(100, 200)) for index in (by_row, laid))
        assert torch.equal(one.rows, other.rows)
        assert torch.equal(one.scores, other.scores)
        few = [index.search(users, 10, allow=range(2_900, 3_100)).rows for index in (by_row, laid)]
        assert torch.equal(*few)


def test_a_product_that_is_rounded_only_chooses():
    """bfloat16 products, which training may have asked for, give other scores; the lists stay those of float32."""
    torch.manual_seed(0)
    vectors, queries = torch.randn(2_000, 64), torch.randn(8, 64)
    before = torch.get_float32_matmul_precision()
    expected = ExactIndex(vectors).search(queries, 10)
    try:
        torch.set_float32_matmul_precision("medium")
        found = ExactIndex(vectors).search(queries, 10)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    with torch.autocast("cpu", torch.bfloat16):
        cast = ExactIndex(vectors).search(queries, 10)
    for other in (found, cast):
        assert torch.equal(other.rows, expected.rows)
        assert torch.equal(other.scores, expected.scores)


def test_scores_that_are_no_products_are_all_asked_for():
    torch.manual_seed(0)
    vectors, queries = torch.randn(1_000, 8), torch.randn(3, 8)
    asked = []

    def rescore(part, rows):
        asked.append(tuple(rows.shape))
        return -rows.float()

    found = ExactIndex(vectors).search(queries, 3, rescore=rescore)
    assert found.rows.tolist() == [[0, 1, 2]] * 3
    assert found.scores.tolist() == [[0.0, -1.0, -2.0]] * 3
    assert asked[-3:] == [(1, 1_000)] * 3
    asked.clear()

    def shifted(part, rows):
        asked.append(tuple(rows.shape))
        own = (vectors[rows] * queries[part].unsqueeze(1)).sum(-1)
        return own + torch.tensor([2.5, -1.0, 0.0])[part].unsqueeze(1)

    found = ExactIndex(vectors).search(queries, 3, rescore=shifted)
    assert asked == [(3, 19)], "a constant of each query is no reason to look further"
    assert torch.equal(found.rows, (queries.double() @ vectors.double().T).topk(3).indices)


@pytest.mark.parametrize("seed", range(5))
def test_many_twins_stand_in_their_order(seed):
    """A product of one query rounds equal vectors apart, by their place in the block.

    More of them tie than are looked at first.
    """
    torch.manual_seed(seed)
    twin, query = torch.randn(385), torch.randn(1, 385)
    twin = twin * (twin @ query[0]).sign()
    vectors = torch.cat([-twin.expand(7, -1), twin.expand(600, -1), 0.99 * twin.expand(50, -1)])
    found = ExactIndex(vectors, block_items=7).search(query, 40)
    assert found.rows.tolist() == [list(range(7, 47))]
    assert len(found.scores.unique()) == 1


def test_rows_may_be_given_in_many_ways():
    index = ExactIndex(torch.arange(6.0).unsqueeze(1))
    query = torch.ones(1, 1)
    for rows in ([5, 3], (5, 3), np.array([3, 5]), torch.tensor([5, 3, 3])):
        assert index.search(query, 2, deny=rows).rows.tolist() == [[4, 2]]
        assert index.search(query, 3, allow=rows).rows.tolist() == [[5, 3, -1]]
        assert index.search(query, 2, seen=[rows]).rows.tolist() == [[4, 2]]
    assert index.search(query, 2, allow=[]).rows.tolist() == [[-1, -1]]
    assert index.search(query[:0], 2).rows.shape == (0, 2)


def test_an_empty_catalogue():
    index = ExactIndex(torch.empty(0, 3))
    assert index.search(torch.ones(1, 3), 2).rows.tolist() == [[-1, -1]]
    index.add_items(torch.ones(1, 3))
    assert index.search(torch.ones(1, 3), 2).rows.tolist() == [[0, -1]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"queries": torch.ones(2, 3)}, r"queries have shape \(2, 3\), \[queries, 2\]"),
        ({"queries": torch.ones(2)}, r"queries have shape \(2,\)"),
        ({"k": 0}, "k is 0"),
        ({"seen": [[1]]}, "seen is of 1 queries, there are 2"),
        ({"seen": [[], [4]]}, "seen has row 4, the catalogue has rows 0 to 3"),
        ({"allow": [-1]}, "allow has row -1"),
        ({"deny": [7, 1]}, "deny has row 7"),
    ],
)
def test_searches_that_are_wrong(options, said):
    with pytest.raises(ValueError, match=said):
        ExactIndex(torch.ones(4, 2)).search(**{"queries": torch.ones(2, 2), "k": 1, **options})


def test_catalogues_that_are_wrong():
    with pytest.raises(ValueError, match=r"vectors have shape \(4,\)"):
        ExactIndex(torch.ones(4))
    with pytest.raises(ValueError, match="blocks of 0 items"):
        ExactIndex(torch.ones(4, 2), block_items=0)
    index = ExactIndex(torch.ones(4, 2))
    with pytest.raises(ValueError, match=r"vectors have shape \(1, 3\), \[items, 2\]"):
        index.add_items(torch.ones(1, 3))
    with pytest.raises(ValueError, match="rows has row 4"):
        index.remove_items([4])
    wrong = torch.tensor([[0.0, 1.0], [float("nan"), 0.0]])
    with pytest.raises(DataError, match="the vector of item 5 has length nan"):
        index.add_items(wrong)
    with pytest.raises(DataError, match="the vector of query 1 has length nan"):
        index.search(wrong, 1)
    assert len(index) == 4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_a_gpu_as_on_the_cpu():
    torch.manual_seed(0)
    vectors, queries = torch.randn(5_000, 64), torch.randn(70, 64)
    options = {"seen": [[row] for row in range(70)], "deny": range(100, 200)}
    here, there = ExactIndex(vectors, 999), ExactIndex(vectors.cuda(), 999)
    for some in ({}, {"allow": range(50, 3_000)}):
        expected = here.search(queries, 10, **options, **some)
        found = there.search(queries.cuda(), 10, **options, **some)
        assert torch.equal(found.rows.cpu(), expected.rows)
        torch.testing.assert_close(found.scores.cpu(), expected.scores)
