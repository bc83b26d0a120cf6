import pytest
import torch

from lit_rec.models.heads.neighborhood import NeighborhoodHead, all_pairs, pair_similarity
from lit_rec.models.heads.value_heads import DotHead, RegressionHead

USERS = torch.tensor([[1.0, 2.0, 0.25], [3.0, -1.0, -0.5]])
ITEMS = torch.tensor([[1.0, 1.0, 0.5], [2.0, 0.0, -0.5]])


@pytest.fixture
def two_rows(make_batch):
    """Both rows have both items as candidates."""
    batch = make_batch(rows=2, items=2, candidates=2)
    batch.candidates.item_index.copy_(torch.tensor([[0, 1], [0, 1]]))
    return batch


def test_dot_head_by_hand(facts, two_rows):
    scores = DotHead(facts, 2, scale=0.5)(USERS, ITEMS, two_rows)
    # 3.5 + user bias + item bias + 0.5 * inner product
    expected = [
        [3.5 + 0.25 + 0.5 + 1.5, 3.5 + 0.25 - 0.5 + 1.0],
        [3.5 - 0.5 + 0.5 + 1.0, 3.5 - 0.5 - 0.5 + 3.0],
    ]
    assert scores.tolist() == expected


def test_regression_head_begins_at_the_biases(facts, two_rows):
    scores = RegressionHead(facts, 2)(USERS, ITEMS, two_rows)
    torch.testing.assert_close(scores, torch.tensor([[4.25, 3.25], [3.5, 2.5]]))


def test_regression_head_adds_its_network_on_the_four_features(facts, two_rows):
    head = RegressionHead(facts, 2, hidden=1).eval()
    with torch.no_grad():
        head.hidden[1].weight.copy_(torch.tensor([[1.0, 10.0, 0.1, 0.2, 3.0, 5.0, 7.0, 9.0]]))
        head.hidden[1].bias.fill_(0.5)
        head.last.weight.fill_(2.0)
        head.last.bias.fill_(1.0)
    scores = head(USERS, ITEMS, two_rows)
    # [u, i, u * i, |u - i|] of row 0 and item 0: 21 + 0.3 + 13 + 9 + 0.5 passes GELU unchanged
    assert scores[0, 0].item() == pytest.approx(4.25 + 2 * 43.8 + 1)


def test_heads_learn_where_their_last_layer_is_zero(facts, two_rows):
    head = RegressionHead(facts, 2).eval()
    head(USERS, ITEMS, two_rows).sum().backward()
    assert head.last.weight.grad.any()


@pytest.mark.parametrize(
    ("items", "rows", "candidates", "longest", "gram"),
    [
        (3, 9, 4, 6, True),
        (60, 2, 1, 3, False),
        (12, 2, 1, 3, False),
        (1, 1, 1, 2, True),
        (5, 2, 0, 3, True),
    ],
)
def test_similarity_is_equal_by_each_way(items, rows, candidates, longest, gram):
    torch.manual_seed(0)
    keys = torch.randn(items, 8)
    candidate = torch.randint(0, items, (rows, candidates))
    history = torch.randint(0, items, (rows, longest))
    expected = torch.einsum("bcd,bhd->bch", keys[candidate], keys[history])
    pairs = all_pairs(keys, history.numel())
    torch.testing.assert_close(pair_similarity(keys, pairs, candidate, history), expected)
    assert (pairs is not None) is gram  # each way is taken by some case


def test_all_ways_of_similarity_have_equal_gradients():
    torch.manual_seed(0)
    candidate, history = torch.randint(0, 3, (9, 2)), torch.randint(0, 3, (9, 6))
    few = torch.randn(3, 8)
    some, many = (torch.cat([few, torch.zeros(more, 8)]) for more in (20, 60))
    grads = []
    # all pairs, candidates with all items, and a vector for each slot
    for keys in (few, some, many):
        keys.requires_grad_()
        pairs = all_pairs(keys, 9 if keys is some else history.numel())
        pair_similarity(keys, pairs, candidate, history).square().sum().backward()
        grads.append(keys.grad[:3])
    for found in grads[1:]:
        torch.testing.assert_close(found, grads[0])


@pytest.mark.parametrize("rated", [True, False])
def test_neighborhood_head_without_ratings_has_no_neighbours(facts, make_batch, rated):
    """Its share of neighbours changes a score only where the user has rated something."""
    batch = make_batch(rows=3)
    history = batch.history
    history.rating.copy_(torch.where(history.mask & rated, 1.0, torch.nan))
    torch.manual_seed(0)
    users, items = torch.randn(3, 9), torch.randn(6, 9)
    head = NeighborhoodHead(facts, 8).eval()
    before = head(users, items, batch)
    with torch.no_grad():
        head.share.add_(1.0)
    changed = (head(users, items, batch) - before).abs().amax(1) > 1e-4
    assert changed.tolist() == [False, rated, rated]


def test_item_of_zero_vector_scores_and_learns_finite(facts, make_batch):
    batch = make_batch()
    torch.manual_seed(0)
    users, items = torch.randn(5, 9), torch.zeros(6, 9, requires_grad=True)
    NeighborhoodHead(facts, 8).eval()(users, items, batch).sum().backward()
    assert torch.isfinite(items.grad).all()


def test_behavior_without_rating_takes_no_share_from_the_neighbours(facts, make_batch):
    """Its slot may as well be padding."""
    batch = make_batch(rows=1, longest=3)
    history = batch.history
    history.item_index.copy_(torch.tensor([[1, 2, 3]]))
    history.rating.copy_(torch.tensor([[5.0, 1.0, torch.nan]]))
    torch.manual_seed(0)
    users, items = torch.randn(1, 9), torch.randn(6, 9)
    head = NeighborhoodHead(facts, 8).eval()
    history.mask.fill_(True)
    with_unrated = head(users, items, batch)
    history.mask[0, 2] = False
    torch.testing.assert_close(head(users, items, batch), with_unrated)
