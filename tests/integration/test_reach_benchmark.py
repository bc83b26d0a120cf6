"""tools/benchmark speed reach, on made-up data and a tiny encoder."""

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def reach(benchmark_script):
    return benchmark_script("speed_reach")


def test_minutes_until_an_error_is_low_enough(reach, archive, tmp_path, monkeypatch):
    monkeypatch.setattr(reach, "_STEPS", 1)
    monkeypatch.setattr(reach, "bias_rmse", lambda data: 10.0)
    minutes, steps, epoch, ratio = reach.measure(archive, quick=True)
    assert minutes["metric"] == "minutes to val/rmse 10.0000"
    assert steps["value"] == 1, "it stops at the first validation"
    assert epoch["low"] <= epoch["value"] <= epoch["high"]
    assert ratio["value"] == pytest.approx(epoch["value"] / minutes["value"])
    assert not list(tmp_path.glob("**/*.ckpt"))


def test_an_error_that_is_not_reached(reach, archive, monkeypatch):
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
