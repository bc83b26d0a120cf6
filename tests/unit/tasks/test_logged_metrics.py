"""What is logged of ranks and of impressions, against a loop and torchmetrics, on one process and on two."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torchmetrics import MetricCollection, retrieval

from lit_rec.data.facts import Facts
from lit_rec.evaluation.metrics.ranks import rank_gains
from lit_rec.tasks.logged_metrics import ImpressionMetric, RankMetric
from lit_rec.tasks.logged_names import IMPRESSION_MEASURES, LOGGED, has_impressions
from lit_rec.tasks.registry import task_named


@pytest.mark.parametrize("sizes", [(7,), (3, 0, 4), (1, 1, 1, 1, 3)])
def test_a_collection_has_the_mean_of_each_metric(sizes):
    """Also where metrics are the same on the first batch, by which a collection groups them."""
    ranks = np.array([[1, 1], [4, 3], [2.5, 2], [30, 20], [9, 9], [60, 60], [11, 10]], float)
    metrics = MetricCollection({name: RankMetric(name) for name in LOGGED}, prefix="val/")
    for part in torch.from_numpy(ranks).float().split(list(sizes)):
        metrics.update(part, torch.zeros(len(part)), impression=torch.zeros(len(part)))
    found, wanted = metrics.compute(), rank_gains(ranks)
    assert set(found) == {f"val/{name}" for name in LOGGED}
    for name in LOGGED:
        assert float(found[f"val/{name}"]) == pytest.approx(wanted[name].mean(), abs=1e-6)


def test_no_row_is_no_number():
    metric = RankMetric("mrr@5")
    metric.update(torch.empty(0, 2), torch.empty(0))
    assert torch.isnan(metric.compute())


def impression_metrics():
    return {name: ImpressionMetric(measure) for name, measure in IMPRESSION_MEASURES.items()}


@pytest.fixture
def clicks():
    return Facts.example("label", label_counts=(3, 1))


def rows_of(seed, rows=300, impressions=40):
    """Probabilities without ties, targets, impressions; some rows were shown alone, some impressions have one label."""
    chance = torch.Generator().manual_seed(seed)
    # torchmetrics finds no relevant row of score 0
    score = (torch.randperm(rows, generator=chance) + 1) / (rows + 1)
    target = torch.randint(0, 4, (rows,), generator=chance) // 3
    impression = torch.randint(-1, impressions, (rows,), generator=chance)
    target[impression < 5] = 0
    target[impression == 6] = 1
    return torch.stack([1 - score, score], 1), target, impression


def by_loop(prob, target, impression):
    """AUC by counting pairs; the others by walking down each list."""
    found = {name: [] for name in impression_metrics()}
    for number in set(impression.tolist()) - {-1}:
        here = impression == number
        ranked = target[here][torch.argsort(prob[here, 1], descending=True)].tolist()
        positive = [place for place, label in enumerate(ranked, 1) if label]
        pairs = [(a, b) for a in positive for b in range(1, len(ranked) + 1) if not ranked[b - 1]]
        if pairs:
            found["impression_auc"].append(sum(a < b for a, b in pairs) / len(pairs))
        if not positive:
            continue
        found["mrr"].append(1 / positive[0])
        found["mind_mrr"].append(sum(1 / p for p in positive) / len(positive))
        for k in (5, 10):
            best = sum(1 / np.log2(p + 1) for p in range(1, min(k, len(positive)) + 1))
            gain = sum(1 / np.log2(p + 1) for p in positive if p <= k)
            found[f"ndcg@{k}"].append(gain / best)
    return {name: float(np.mean(values)) for name, values in found.items()}


def batches(parts, sizes):
    return zip(*(part.split(sizes) for part in parts), strict=True)


@pytest.mark.parametrize("seed", range(3))
def test_a_loop_over_impressions_says_the_same(seed, clicks):
    rows = rows_of(seed)
    metrics = MetricCollection(task_named("label").metrics(clicks, None, "val"))
    metrics.add_metrics(impression_metrics())
    for prob, target, impression in batches(rows, [7, 93, 0, 200]):
        metrics.update(prob, target, impression=impression)
    values = {name: float(value) for name, value in metrics.compute().items()}
    expected = by_loop(*rows)
    assert set(values) == {*expected, "accuracy", "macro_f1", "auc"}
    assert {name: values[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_torchmetrics_says_the_same():
    prob, target, impression = rows_of(3)
    shown = impression >= 0
    others = {
        "impression_auc": retrieval.RetrievalAUROC(empty_target_action="skip"),
        "mrr": retrieval.RetrievalMRR(empty_target_action="skip"),
        "ndcg@5": retrieval.RetrievalNormalizedDCG(empty_target_action="skip", top_k=5),
        "ndcg@10": retrieval.RetrievalNormalizedDCG(empty_target_action="skip", top_k=10),
    }
    ours = impression_metrics()
    # torchmetrics counts an impression without a negative as AUC 0; ours says nothing of it
    both = shown & (impression != 6)
    for name, other in others.items():
        kept = both if name == "impression_auc" else shown
        other.update(prob[kept, 1], target[kept], indexes=impression[kept])
        ours[name].update(prob, target, impression)
        assert float(ours[name].compute()) == pytest.approx(float(other.compute()), abs=1e-6), name


@pytest.mark.parametrize("mine", [[100, 50], []], ids=["unequal batches", "no batch"])
def test_two_processes_are_one(mine):
    """Impressions are divided; the other process has other numbers of batches and rows."""
    rows = rows_of(4)
    cut = sum(mine)
    here, there = [part[:cut] for part in rows], [part[cut:] for part in rows]
    expected = by_loop(*rows)
    for name, metric in impression_metrics().items():
        other = impression_metrics()[name]
        for batch in batches(there, [10, len(there[0]) - 10]):
            other.update(*batch)
        states = [torch.cat(getattr(other, state)) for state in metric._reductions]
        gathered = iter(states)

        def gather(tensor, group=None, gathered=gathered):
            beside = next(gathered)
            assert (tensor.dtype, tensor.dim()) == (beside.dtype, beside.dim())
            return [tensor, beside]

        metric.dist_sync_fn, metric.distributed_available_fn = gather, lambda: True
        for batch in batches(here, mine) if mine else ():
            metric.update(*batch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a metric that was never updated
            assert float(metric.compute()) == pytest.approx(expected[name], abs=1e-6)
        assert next(gathered, None) is None


def test_nothing_to_rank_is_not_a_number():
    metric = impression_metrics()["mrr"]
    metric.update(torch.rand(3, 2), torch.tensor([0, 1, 1]), torch.tensor([2, -1, -1]))
    assert metric.compute().isnan()
    assert isinstance(metric, ImpressionMetric)


@pytest.mark.parametrize(
    ("impression", "label", "ranks"),
    [
        ([0, 0, 1], [1, 0, 0], True),
        ([0, 0, 1], [1, 1, 0], False),
        ([0, 1, 2], [1, 0, 0], False),
        ([-1, -1, -1], [1, 0, 0], False),
        ([0, 0, 0], [1, -1, -1], False),
    ],
)
def test_whether_there_is_something_to_rank(impression, label, ranks, clicks):
    prepared = SimpleNamespace(
        impression=np.array([0, *impression]),
        label=np.array([0, *label]),  # the first row trains
        labels=["no", "yes"],
        rows_of=lambda part: np.arange(1, 4) if part == "val" else np.empty(0, np.int64),
    )
    data = SimpleNamespace(facts=clicks, prepared=prepared)
    assert has_impressions(data, "val") is ranks
    assert not has_impressions(data, "test")
