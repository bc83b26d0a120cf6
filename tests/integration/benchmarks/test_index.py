"""tools/benchmark speed index: what it makes up, what each of its processes measures, and what it shows of that."""

import json

import pytest
import torch

from tools.benchmarks import command
from tools.benchmarks.speed import index, index_process

pytestmark = pytest.mark.filterwarnings("default")


def test_the_mixture():
    """Vectors of one topic look alike, those of others do not; lengths differ; users are of the same topics."""
    vectors, users = index_process.mixture(12_000, 1), index_process.mixture(300, 2)
    assert torch.equal(index_process.mixture(12_000, 1), vectors)
    unit = torch.nn.functional.normalize(vectors)
    near = (torch.nn.functional.normalize(users) @ unit.T).topk(2).values[:, 0]
    assert near.median() > 0.6
    assert (unit[:500] @ unit[500:1_000].T).mean().abs() < 0.05
    # 0.36 * 3 is the mean square of the length before it is drawn
    assert vectors.norm(dim=1).log().std() == pytest.approx(0.3, abs=0.03)
    assert vectors.norm(dim=1).median() == pytest.approx(1.08**0.5, abs=0.05)


def test_what_the_processes_measure():
    found = index_process.exact(2_000, 250)
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(found, 3)
    assert min(min(values) for values in found.values()) > 0
    assert found["equal"] == [1.0, 1.0, 1.0]
    assert 0.1 < index_process.memory(2_000, 100)["peak"][0] < 16, "GiB of a process with torch"


def test_what_is_measured_of_the_approximate_index():
    pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")
    found = index_process.approximate(10_000, 40)
    assert len(found["recall"]) == len(found["plain_ratio"]) == len(found["exact_ratio"]) == 40
    assert sum(found["recall"]) / 40 > 0.95
    # one bit a coordinate and what an item needs beside it; a rotation, and the middles of 200 lists
    items = found["file"][0] * 2**30 - 4 * 384 * (384 + 200)
    assert 10_000 * 384 / 8 < items < 2 * 10_000 * 384 / 8


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize(("quick", "sizes"), [(True, (20_000, 200)), (False, (1_000_000, 1_000))])
def test_what_is_shown(monkeypatch, capsys, tmp_path, quick, sizes, installed):
    asked = []
    monkeypatch.setattr(index, "find_spec", lambda name: name if installed else None)

    def measured(part, *sizes):
        asked.append((part, *sizes))
        lists = {"plain": [3.0, 4.0, 8.0], "index": [3.0, 3.0, 9.0], "ratio": [1.0, 0.75, 1.125]}
        lists |= {"equal": [1.0], "peak": [2.5], "build": [60.0], "file": [1.0]}
        lists |= {"recall": [1.0, 1.0, 0.7], "plain_ratio": [20.0], "exact_ratio": [21.0]}
        return {**lists, "seconds": 9.0}

    monkeypatch.setattr(index, "_measured", measured)
    words = ["speed", "index", "--json", str(tmp_path / "rows.json"), *["--quick"] * quick]
    command.main(words)
    parts = ["exact", "memory", *["approximate"] * installed]
    assert asked == [(part, *sizes) for part in parts]
    rows = {
        (row["name"].split(",")[0], row["metric"]): [row[key] for key in ("value", "low", "high")]
        for row in json.loads((tmp_path / "rows.json").read_text())
    }
    assert rows["exact", "ExactIndex / plain, ratio"] == [1.0, 0.75, 1.125]
    assert rows["exact", "peak memory, GiB"] == [2.5, 2.5, 2.5]
    out, err = capsys.readouterr()
    assert "speed index" in out
    assert ("pip install 'lit_rec[index]'" in err) != installed
    if installed:  # a mean, for the median of shares says little
        assert rows["approximate", "recall@10"] == [pytest.approx(0.9), 0.7, 1.0]


@pytest.mark.slow
def test_a_measurement_is_a_process_of_its_own():
    """This process has held a gigabyte more, which is not in what the other one reports."""
    held = torch.ones(1 << 27, dtype=torch.float64)
    found = index._measured("memory", 2_000, 100)
    assert held.nbytes == 1 << 30
    assert 0.1 < found["peak"][0] < 1.1
    assert found["seconds"] > 0.1
