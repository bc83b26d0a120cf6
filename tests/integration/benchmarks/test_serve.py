"""tools/benchmark speed serve, on made-up sequences and a tiny encoder."""

from unittest import mock

import pytest
import torch

from tools.benchmarks.speed import serve

pytestmark = pytest.mark.filterwarnings("default")


def test_calls_are_timed(tiny_encoder_for, sequences, monkeypatch):
    asked = []
    tiny_encoder_for(serve)
    monkeypatch.setattr(serve, "_QUICK", (400, 40))
    recommend = serve.Recommender.recommend

    def spied(self, history, k):
        asked.append(len(history))
        found = recommend(self, history, k)
        assert len({one.item_id for one in found} - set(history)) == k == 10
        assert found[0].fields["text"] == f"text of item {found[0].item_id}"
        return found

    monkeypatch.setattr(serve.Recommender, "recommend", spied)
    half, most, product = serve.measure(sequences, quick=True)
    assert len(asked) == 40 + 20
    assert 1 <= min(asked) < max(asked) <= 50
    assert half["name"] == most["name"] == "recommend, 400 items"
    assert (half["metric"], most["metric"]) == ("p50, ms", "p99, ms")
    assert half["low"] <= half["value"] <= half["high"] <= most["high"]
    assert half["value"] <= most["value"]
    assert product["value"] < half["value"]


@pytest.mark.parametrize(("quick", "items", "calls"), [(True, 400, 40), (False, 600, 60)])
def test_how_much_is_measured(tmp_path, monkeypatch, quick, items, calls):
    monkeypatch.setattr(serve, "_QUICK", (400, 40))
    monkeypatch.setattr(serve, "_FULL", (600, 60))
    answers = mock.Mock(_content={"history_length": 3})
    answers.recommend.return_value = range(10)
    vectors = torch.ones(items, 2)
    made = mock.Mock(return_value=(answers, vectors))
    monkeypatch.setattr(serve, "_recommender", made)
    half, _, product = serve.measure(tmp_path, quick=quick)
    made.assert_called_once_with(tmp_path / "amazon-scientific", items)
    assert answers.recommend.call_count == calls + 20
    assert half["name"] == f"recommend, {items:,} items"
    assert product["name"] == f"product, {items:,} items"


def test_percentiles():
    found = serve._percentile("x", 50, [float(n) for n in range(101)], 1.0)
    assert (found["value"], found["low"], found["high"]) == (50.0, 5.0, 95.5)
