"""Which metrics callbacks may wait for, with a Trainer that does not run."""

from types import SimpleNamespace

import pytest
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    LambdaCallback,
    LearningRateMonitor,
    ModelCheckpoint,
)

from lit_rec.errors import ConfigError
from lit_rec.training.monitors import METRICS, check_monitors, missed_metric
from lit_rec.training.run_folder import RunCheckpoint


class Own(Callback):
    """Might log anything."""


def trainer(*callbacks, there=()):
    return SimpleNamespace(callbacks=list(callbacks), callback_metrics=dict.fromkeys(there, 0.0))


@pytest.mark.parametrize("name", METRICS["rating"])
def test_what_fit_logs_can_be_waited_for(name):
    check_monitors(
        trainer(EarlyStopping(name), ModelCheckpoint(monitor=name), RunCheckpoint()), "rating"
    )


def test_no_metric_and_no_callback_are_fine():
    check_monitors(trainer(), "rating")
    check_monitors(trainer(ModelCheckpoint()), "rating")


@pytest.mark.parametrize(
    ("name", "remedy"), [("val/rsme", "did you mean 'val/rmse'?"), ("ndcg", "one of these")]
)
def test_an_unknown_metric_is_refused(name, remedy):
    with pytest.raises(ConfigError) as found:
        check_monitors(trainer(EarlyStopping(name)), "rating")
    assert f"'{name}'" in str(found.value)
    assert "monitor of EarlyStopping" in str(found.value)
    assert remedy in str(found.value)
    assert "val/loss, val/rmse, val/mae" in str(found.value)


def test_rates_are_metrics_where_they_are_logged():
    stop = EarlyStopping("lr-AdamW/head")
    check_monitors(trainer(stop, LearningRateMonitor()), "rating")
    with pytest.raises(ConfigError, match="lr-AdamW/head"):
        check_monitors(trainer(stop), "rating")


@pytest.mark.parametrize("own", [Own(), LambdaCallback()])
def test_a_callback_of_ones_own_may_log_what_it_likes(own):
    check_monitors(trainer(EarlyStopping("own/bias"), own), "rating")


def test_a_metric_that_was_missed_is_named():
    stopped = trainer(EarlyStopping("own/bais"), there=["own/bias", "val/loss"])
    error = missed_metric(stopped, RuntimeError("conditioned on metric `own/bais` which is not"))
    assert "did you mean 'own/bias'?" in str(error)
    assert "one of own/bias, val/loss" in str(error)
    assert missed_metric(stopped, RuntimeError("out of memory")) is None
    there = trainer(EarlyStopping("val/loss"), there=["val/loss"])
    assert missed_metric(there, RuntimeError("val/loss")) is None
