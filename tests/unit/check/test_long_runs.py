"""What `check` says of a run of more than an hour."""

from types import SimpleNamespace

import pytest

from lit_rec.check.remarks import long_run_remarks
from lit_rec.data.batches.negatives import BatchNegatives, CatalogueNegatives


def said(minutes, *, trained=0, items=100, negatives=None):
    figures = {
        "time": {"minutes": minutes},
        "model": {"encoder_trained": trained},
        "data": {"items": items},
    }
    module = SimpleNamespace(objective=SimpleNamespace(negatives=negatives))
    return " ".join(long_run_remarks(figures, module))


@pytest.mark.parametrize("minutes", [None, 59])
def test_shorter_runs_need_no_advice(minutes):
    assert said(minutes, trained=1) == ""
    assert list(long_run_remarks({"time": {}}, None)) == []


def test_each_way_is_named_where_it_helps():
    both = said(474, trained=1, items=20_000, negatives=CatalogueNegatives())
    assert "7.9 hours" in both
    assert "FrozenTuning" in both
    assert "BatchNegatives" in both
    alone = said(61, items=20_000, negatives=BatchNegatives())
    assert "61 minutes" in alone
    assert "FrozenTuning" not in alone
    assert "BatchNegatives" not in alone
    assert "max_epochs" in alone
    assert "BatchNegatives" not in said(61, items=9_000, negatives=CatalogueNegatives())
