"""tools/benchmark speed serve, on made-up sequences and a tiny encoder."""

import pytest

from tools.benchmarks.speed import serve

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def sequences(tmp_path):
    """Twelve users with four items each, as UniSRec's files lie in their folder."""
    folder = tmp_path / "data/amazon-scientific"
    folder.mkdir(parents=True)
    head = "user_id:token\titem_id_list:token_seq\titem_id:token\n"
    for place, part in enumerate(("train", "valid", "test"), 1):
        lines = []
        for user in range(12):
            items = [f"i{(user + step) % 9}" for step in range(place + 1)]
            lines.append(f"u{user}\t{' '.join(items[:-1])}\t{items[-1]}\n")
        (folder / f"Scientific.{part}.inter").write_text(head + "".join(lines))
    texts = "".join(f"i{i}\tred river {i}\n" for i in range(9))
    (folder / "Scientific.text").write_text(f"item_id:token\ttext:token_seq\n{texts}")
    return tmp_path / "data"


@pytest.mark.parametrize(("quick", "sizes"), [(True, (400, 40)), (False, (600, 60))])
def test_calls_are_timed(tiny_encoder_for, sequences, monkeypatch, quick, sizes):
    asked = []
    tiny_encoder_for(serve)
    monkeypatch.setattr(serve, "_QUICK", (400, 40))
    monkeypatch.setattr(serve, "_FULL", (600, 60))
    recommend = serve.Recommender.recommend

    def spied(self, history, k):
        asked.append(len(history))
        found = recommend(self, history, k)
        assert len({one.item_id for one in found} - set(history)) == k == 10
        assert found[0].fields["text"] == f"text of item {found[0].item_id}"
        return found

    monkeypatch.setattr(serve.Recommender, "recommend", spied)
    half, most, product = serve.measure(sequences, quick=quick)
    assert len(asked) == sizes[1] + 20
    assert 1 <= min(asked) < max(asked) <= 50
    assert half["name"] == most["name"] == f"recommend, {sizes[0]:,} items"
    assert (half["metric"], most["metric"]) == ("p50, ms", "p99, ms")
    assert half["low"] <= half["value"] <= half["high"] <= most["high"]
    assert half["value"] <= most["value"]
    assert product["value"] < half["value"]


def test_percentiles():
    found = serve._percentile("x", 50, [float(n) for n in range(101)], 1.0)
    assert (found["value"], found["low"], found["high"]) == (50.0, 5.0, 95.5)
