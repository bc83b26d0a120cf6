"""tools/benchmark speed plain, on made-up data and a tiny encoder: an epoch in several calls is that of one."""

import json

import pytest
import torch

from tools.benchmarks.speed import plain as speed_plain

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def plain(tiny_encoder_for, tmp_path, monkeypatch):
    script = tiny_encoder_for(speed_plain)
    monkeypatch.setattr(script, "RECORD", tmp_path / "record.json")
    monkeypatch.setattr(script, "_EVERY", 4)
    # one way of computing, whatever else this machine does
    monkeypatch.setattr(script, "fast_dtype", lambda config, tokens: torch.float32)
    return script


def values(rows):
    return {row["metric"]: row["value"] for row in rows}


def test_killed_epoch_goes_on(plain, archive, tmp_path, monkeypatch):
    """Steps since the last save are taken again, with the same dropout."""
    whole = values(plain.measure(archive, tmp_path / "whole", quick=False))
    record = json.loads(plain.RECORD.read_text())
    assert record["val_rmse"] == whole["val/rmse"]
    assert record["steps"] == whole["steps"] == 11, "171 rows, 16 a step"
    plain.RECORD.unlink()
    take = plain.PlainLoop.step

    def killed(self):
        if self.steps == 6:
            raise KeyboardInterrupt
        return take(self)

    with monkeypatch.context() as patch:
        patch.setattr(plain.PlainLoop, "step", killed)
        with pytest.raises(KeyboardInterrupt):
            plain.measure(archive, tmp_path, quick=False)
    state = torch.load(tmp_path / "plain_loop/state.pt")
    assert state["steps"] == 4
    assert not plain.RECORD.exists()
    assert values(plain.measure(archive, tmp_path, quick=False)) == whole
    assert json.loads(plain.RECORD.read_text())["seconds"] > state["seconds"]


def test_call_ends_in_time(plain, archive, tmp_path, monkeypatch):
    monkeypatch.setattr(plain, "_SECONDS", 0.0)
    assert values(plain.measure(archive, tmp_path, quick=False)) == {"steps": 0}
    assert not plain.RECORD.exists()


def test_quick_keeps_nothing(plain, archive, tmp_path):
    found = values(plain.measure(archive, tmp_path, quick=True))
    assert found["steps"] == 3
    assert 0 < found["val/rmse"] < 10
    assert not plain.RECORD.exists()
    assert not list(tmp_path.glob("**/*.pt"))
