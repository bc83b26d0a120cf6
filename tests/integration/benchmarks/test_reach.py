"""tools/benchmark speed reach, on made-up data and a tiny encoder."""

from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from tools.benchmarks.speed import reach as speed_reach

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def reach(tiny_encoder_for):
    return tiny_encoder_for(speed_reach)


@pytest.fixture(autouse=True)
def record(reach, tmp_path, monkeypatch):
    path = tmp_path / "record.json"
    monkeypatch.setattr(reach, "RECORD", path)
    return path


def test_minutes_until_an_error_is_low_enough(reach, archive, record, tmp_path, monkeypatch):
    monkeypatch.setattr(reach, "_STEPS", 1)
    monkeypatch.setattr(reach, "bias_rmse", lambda data: 10.0)
    record.write_text('{"val_rmse": 9.0}')
    epoch, steps, minutes, ratio, recorded, _ = reach.measure(archive, quick=True)
    assert minutes["name"] == "lit_rec, to the error of user_item_bias"
    assert minutes["metric"] == "minutes to val/rmse 10.0000"
    assert recorded["name"] == "lit_rec, to the error of the plain loop"
    assert recorded["metric"] == "minutes to val/rmse 9.0000"
    assert steps["value"] == 1, "it stops at the first validation"
    assert epoch["low"] <= epoch["value"] <= epoch["high"]
    assert ratio["value"] == pytest.approx(epoch["value"] / minutes["value"])
    assert not list(tmp_path.glob("**/*.ckpt"))


def test_each_error_has_its_own_time(reach):
    """0.9 is reached by the second validation, 0.8 by the fourth, where it stops."""
    reached = reach.Reached({"high": 0.9, "low": 0.8})
    stops, minutes = [], []
    for rmse in (0.95, 0.85, 0.88, 0.79):
        trainer = SimpleNamespace(callback_metrics={"val/rmse": rmse}, should_stop=False)
        reached.on_validation_end(trainer, None)
        stops.append(trainer.should_stop)
        minutes.append(dict(reached.minutes))
    assert stops == [False, False, False, True]
    assert [list(each) for each in minutes] == [[], ["high"], ["high"], ["high", "low"]]
    assert minutes[3]["high"] == minutes[1]["high"] < minutes[3]["low"]


def test_an_error_that_is_not_reached(reach, archive, tmp_path, monkeypatch):
    config = yaml.safe_load(reach._CONFIG.read_text())
    config["trainer"]["max_epochs"] = 1
    (tmp_path / "short.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setattr(reach, "_CONFIG", tmp_path / "short.yaml")
    monkeypatch.setattr(reach, "_STEPS", 1)
    monkeypatch.setattr(reach, "bias_rmse", lambda data: 0.0)
    with pytest.raises(ValueError, match=r"val/rmse came to \d\.\d+, not to 0\.0000"):
        reach.measure(archive, quick=True)


def test_the_error_of_biases(reach, archive):
    """The ratings 1 + (user * item) % 5 are those of no bias, so that it is about their spread, 1.4."""
    data, _ = reach.configured(reach._CONFIG, archive / "ml-100k")
    found = reach.bias_rmse(data)
    spread = float(np.std(data.prepared.rating))
    assert 0.8 * spread < found < 1.3 * spread
    # nothing of the plain loop where nothing was recorded
    assert reach._targets(data) == {"user_item_bias": found}
