"""ExactIndex against a loop over all pairs: ties, filters, items that come and go, and any size of the blocks."""

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lit_rec.inference.index.exact_index import ExactIndex

WIDTH = 3


def brute_force(vectors, gone, query, k, seen, allow, deny):
    """Rows and scores by one comparison after another; the products of small whole numbers are exact."""
    scores = {
        row: sum(a * b for a, b in zip(vector, query, strict=True))
        for row, vector in enumerate(vectors)
        if row not in gone and row not in seen and row not in deny
        if allow is None or row in allow
    }
    best = sorted(scores, key=lambda row: (-scores[row], row))[:k]
    padding = k - len(best)
    return best + [-1] * padding, [scores[row] for row in best] + [-float("inf")] * padding


@st.composite
def searches(draw):
    """What is built, added and removed, and what is asked of it."""
    chance = random.Random(draw(st.integers(0, 10**6)))
    size, added = draw(st.integers(1, 40)), draw(st.integers(0, 20))
    span = draw(st.sampled_from([0, 1, 5]))  # 0: every score is equal
    everything = range(size + added)

    def matrix(rows):
        return [[chance.randint(-span, span) for _ in range(WIDTH)] for _ in range(rows)]

    def some():
        return chance.choices(everything, k=chance.randint(0, size + added))

    queries = matrix(draw(st.integers(1, 5)))
    return {
        "vectors": matrix(size),
        "more": matrix(added),
        "gone": some() if draw(st.booleans()) else [],
        "queries": queries,
        "k": draw(st.integers(1, 70)),
        "seen": [some() for _ in queries] if draw(st.booleans()) else None,
        "allow": some() if draw(st.booleans()) else None,
        "deny": some() if draw(st.booleans()) else [],
        "blocks": (draw(st.integers(1, 9)), draw(st.integers(1, 3))),
    }


@settings(deadline=None, derandomize=True, max_examples=200)
@given(searches())
def test_lists_are_those_of_a_loop(search):
    vectors = torch.tensor(search["vectors"], dtype=torch.float32)
    index = ExactIndex(vectors, *search["blocks"])
    more = torch.tensor(search["more"], dtype=torch.float32).reshape(-1, WIDTH)
    assert list(index.add_items(more)) == list(range(len(vectors), len(vectors) + len(more)))
    index.remove_items(search["gone"])
    everything = search["vectors"] + search["more"]
    assert len(index) == len(everything) - len(set(search["gone"]))
    kept = [row for row in range(len(everything)) if row not in search["gone"]]
    moved = index.copy()
    assert moved.drop_removed()
    queries, k, seen = search["queries"], search["k"], search["seen"]
    options = {"allow": search["allow"], "deny": search["deny"]}
    found = index.search(torch.tensor(queries, dtype=torch.float32), k, seen=seen, **options)
    assert found.rows.shape == found.scores.shape == (len(queries), k)
    of_kept = moved.search(torch.tensor(queries, dtype=torch.float32), k)
    for place, query in enumerate(queries):
        mine = seen[place] if seen else []
        rows, scores = brute_force(everything, search["gone"], query, k, mine, **options)
        assert found.rows[place].tolist() == rows
        assert found.scores[place].tolist() == scores
        rows, scores = brute_force(everything, search["gone"], query, k, [], None, [])
        assert of_kept.rows[place].tolist() == [-1 if r < 0 else kept.index(r) for r in rows]
        assert of_kept.scores[place].tolist() == scores


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([(1, 33), (2, 100), (64, 1_000), (385, 700)]))
def test_random_vectors(seed, shape):
    """Scores that no two items share are those of float64; twins have one score, and stand in their order."""
    width, items = shape
    chance = torch.Generator().manual_seed(seed)
    vectors = torch.randn(items, width, generator=chance)
    twins = torch.cat([vectors, vectors])
    queries = torch.randn(3, width, generator=chance)
    found = ExactIndex(twins, block_items=97).search(queries, 10)
    exact = queries.double() @ vectors.double().T
    best = exact.topk(5).indices
    assert torch.equal(found.rows[:, 0::2], best)
    assert torch.equal(found.rows[:, 1::2], best + items)
    assert torch.equal(found.scores[:, 0::2], found.scores[:, 1::2])
    torch.testing.assert_close(
        found.scores[:, 0::2].double(), exact.gather(1, best), atol=1e-4, rtol=1e-5
    )


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_a_list_does_not_depend_on_the_queries_beside_it(seed, k):
    chance = torch.Generator().manual_seed(seed)
    index = ExactIndex(torch.randn(300, 17, generator=chance))
    queries = torch.randn(9, 17, generator=chance)
    together = index.search(queries, k)
    for place in range(len(queries)):
        alone = index.search(queries[place : place + 1], k)
        assert torch.equal(alone.rows[0], together.rows[place])
        assert torch.equal(alone.scores[0], together.scores[place])


@pytest.mark.parametrize("k", [1, 10, 300])
def test_what_is_denied_changes_nothing_else(k):
    torch.manual_seed(0)
    index = ExactIndex(torch.randn(300, 8), block_items=50)
    query = torch.randn(1, 8)
    whole = index.search(query, 300).rows[0]
    part = index.search(query, k, deny=whole[::2]).rows[0]
    assert torch.equal(part[:150], whole[1::2][:k])
