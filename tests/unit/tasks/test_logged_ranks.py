import numpy as np
import pytest
import torch
from torchmetrics import MetricCollection

from lit_rec.evaluation.metrics.ranks import rank_gains
from lit_rec.tasks.logged_ranks import LOGGED, RankMetric


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
