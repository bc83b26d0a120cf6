"""Ranks and their metrics against brute force: sorted lists of all orders of ties, an item at a time."""

import itertools
import math

import numpy as np
import pytest
import torch

from lit_rec.data.batches.batch import SeenItems
from lit_rec.evaluation.metrics.catalogue_ranks import scored_blocks, target_ranks
from lit_rec.evaluation.metrics.ranks import CUTS, RankMeasures, rank_gains
from lit_rec.evaluation.report.intervals import Drawn
from lit_rec.models.heads.repeat_bias import Repeats


def mean_rank(scores, target, left_out=()):
    """The mean place of the target over all orders that its ties may stand in."""
    items = [i for i in range(len(scores)) if i == target or i not in left_out]
    orders = [
        order
        for order in itertools.permutations(items)
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    return sum(order.index(target) + 1 for order in orders) / len(orders)


def ranks_of(users, items, target, seen, mask, at_once=2**24):
    row = mask.nonzero()[:, 0]
    pairs = SeenItems.of_pairs(row.numpy(), seen[mask].numpy())
    return torch.cat(
        [
            target_ranks(block, target[block.rows], pairs.within(block.rows))
            for block in scored_blocks(users, items, target, at_once=at_once)
        ]
    )


@pytest.fixture
def rows():
    """40 rows over 6 items whose scores are small whole numbers, so that many tie."""
    chance = torch.Generator().manual_seed(0)
    users = torch.randint(-1, 2, (40, 2), generator=chance).float()
    items = torch.randint(-1, 2, (6, 2), generator=chance).float()
    target = torch.randint(0, 6, (40,), generator=chance)
    seen = torch.randint(0, 6, (40, 4), generator=chance)
    mask = torch.rand(40, 4, generator=chance) < 0.6
    return users, items, target, seen, mask


def test_ranks_are_those_of_sorted_lists(rows):
    users, items, target, seen, mask = rows
    found = ranks_of(*rows).tolist()
    tied = repeated = 0
    for row in range(len(users)):
        scores = (items @ users[row]).tolist()
        of_target, left_out = int(target[row]), set(seen[row][mask[row]].tolist())
        whole, rest = mean_rank(scores, of_target), mean_rank(scores, of_target, left_out)
        assert found[row] == pytest.approx([whole, rest])
        tied += scores.count(scores[of_target]) > 1
        repeated += of_target in left_out
    assert tied > 10
    assert repeated > 5


@pytest.mark.parametrize("at_once", [1, 13, 60, 2**24])
def test_blocks_and_rows_alone_change_nothing(rows, at_once):
    whole = ranks_of(*rows)
    assert torch.equal(ranks_of(*rows, at_once=at_once), whole)
    users, items, *others = rows
    for row in range(len(users)):
        one = slice(row, row + 1)
        alone = ranks_of(users[one], items, *(part[one] for part in others))
        assert torch.equal(alone, whole[one])


@pytest.mark.parametrize("bias", [-1.0, 1.0, 0.0])
def test_what_repeats_add_counts_among_all_items_alone(rows, bias):
    """Where seen items are left out, a target that was seen is ranked by the score that it has without them."""
    users, items, target, seen, mask = rows
    last = mask & ~_comes_again(seen, mask)
    never, behaviors = torch.full_like(seen, 5), torch.full((len(seen),), 4)
    repeats = Repeats(seen, last, never, behaviors, torch.tensor([bias]))
    pairs = SeenItems.of_pairs(mask.nonzero()[:, 0].numpy(), seen[mask].numpy())
    found = []
    for block in scored_blocks(users, items, target, repeats, at_once=60):
        found += target_ranks(block, target[block.rows], pairs.within(block.rows)).tolist()
    for row in range(len(users)):
        plain = (items @ users[row]).tolist()
        left_out = set(seen[row][mask[row]].tolist())
        with_bias = [score + bias * (item in left_out) for item, score in enumerate(plain)]
        of_target = int(target[row])
        wanted = [mean_rank(with_bias, of_target), mean_rank(plain, of_target, left_out)]
        assert found[row] == pytest.approx(wanted)


def test_a_target_that_was_only_viewed_competes_with_what_repeats_add(rows):
    """Of each history only the first slot's item was bought: the others may still be, the target among them."""
    users, items, target, seen, mask = rows
    last = mask & ~_comes_again(seen, mask)
    never, behaviors = torch.full_like(seen, 5), torch.full((len(seen),), 4)
    repeats = Repeats(seen, last, never, behaviors, torch.tensor([1.0]))
    bought = mask & (torch.arange(4) == 0)
    pairs = SeenItems.of_pairs(bought.nonzero()[:, 0].numpy(), seen[bought].numpy())
    viewed = 0
    for block in scored_blocks(users, items, target, repeats):
        found = target_ranks(block, target, pairs).tolist()
    for row in range(len(users)):
        plain = (items @ users[row]).tolist()
        had, left_out = set(seen[row][mask[row]].tolist()), set(seen[row][bought[row]].tolist())
        scores = [score + (item in had) for item, score in enumerate(plain)]
        of_target = int(target[row])
        beside = list(scores)
        if of_target in left_out:
            beside[of_target] = plain[of_target]
        viewed += of_target in had - left_out
        wanted = [mean_rank(scores, of_target), mean_rank(beside, of_target, left_out)]
        assert found[row] == pytest.approx(wanted)
    assert viewed > 5


def _comes_again(seen, mask):
    """Which slots have an item that a later slot has too."""
    later = torch.ones(seen.shape[1], seen.shape[1]).triu(1).bool()
    same = (seen.unsqueeze(2) == seen.unsqueeze(1)) & mask.unsqueeze(1)
    return (same & later).any(2)


def test_what_is_no_number_is_the_worst():
    items = torch.tensor([[1.0], [2.0], [3.0]])
    given = torch.tensor([2]), torch.tensor([[0]]), torch.tensor([[False]])
    assert ranks_of(torch.tensor([[torch.nan]]), items, *given).tolist() == [[3.5, 3.5]]
    broken = torch.tensor([[torch.nan], [2.0], [3.0]])
    assert ranks_of(torch.tensor([[1.0]]), broken, *given).tolist() == [[2.0, 2.0]]


def test_no_rows():
    users, target = torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)
    assert list(scored_blocks(users, torch.zeros(3, 2), target)) == []


def test_metrics_are_those_of_lists_cut_at_k():
    """A list of k places, of which one holds what came next; a catalogue may be shorter than k."""
    ranks = np.array(
        [[r, s] for r in (1.0, 2.0, 2.5, 5.0, 5.5, 10.0, 50.0, 51.0) for s in (1.0, 7.0)]
    )
    gains = rank_gains(ranks)
    assert next(iter(gains)) == "masked_ndcg@10"
    assert len(gains) == 24
    for convention, prefix in enumerate(("", "masked_")):
        for k in CUTS:
            for row, rank in enumerate(ranks[:, convention]):
                hit = rank <= k
                assert gains[f"{prefix}recall@{k}"][row] == float(hit)
                assert gains[f"{prefix}ndcg@{k}"][row] == pytest.approx(hit / math.log2(rank + 1))
                assert gains[f"{prefix}mrr@{k}"][row] == pytest.approx(hit / rank)


def test_metrics_are_those_of_torchmetrics():
    from torchmetrics.functional.retrieval import (
        retrieval_normalized_dcg,
        retrieval_recall,
        retrieval_reciprocal_rank,
    )

    chance = torch.Generator().manual_seed(0)
    scores = torch.rand(30, 60, generator=chance)  # torchmetrics takes a negative score for none
    target = torch.randint(0, 60, (30,), generator=chance)
    eye, none = torch.eye(60), torch.zeros(30, 1)
    ranks = ranks_of(scores, eye, target, none.long(), none.bool())
    gains = rank_gains(ranks.double().numpy())
    for row in range(30):
        relevant = torch.zeros(60).index_fill(0, target[row], 1).bool()
        for name, metric in (
            ("recall", retrieval_recall),
            ("ndcg", retrieval_normalized_dcg),
            ("mrr", retrieval_reciprocal_rank),
        ):
            for k in CUTS:
                wanted = float(metric(scores[row], relevant, top_k=k))
                assert gains[f"{name}@{k}"][row] == pytest.approx(wanted, abs=1e-6)


def test_measures_are_means_with_paired_differences():
    chance = np.random.default_rng(0)
    ranks = [chance.integers(1, 30, (50, 2)).astype(float) for _ in range(3)]
    mask = chance.random(50) < 0.7
    figures = RankMeasures(ranks).on(mask, Drawn(np.arange(50)[mask] // 2, draws=20))
    assert next(iter(figures)) == "masked_ndcg@10"
    for name in ("ndcg@10", "recall@5", "masked_mrr@50"):
        wanted = [rank_gains(of_model)[name][mask].mean() for of_model in ranks]
        np.testing.assert_allclose(figures[name].value, wanted)
        assert figures[name].draws.shape == (3, 20)
        assert figures[name].count == mask.sum()
    for name in ("ndcg@10", "recall@10", "masked_ndcg@10", "masked_recall@10"):
        alone, difference = figures[name], figures[f"{name}_difference"]
        np.testing.assert_allclose(difference.draws, alone.draws[0] - alone.draws)
    nobody = RankMeasures(ranks).on(np.zeros(50, bool), Drawn(np.arange(0)))
    assert np.isnan(nobody["recall@10"].value).all()
    assert nobody["recall@10"].count == 0
