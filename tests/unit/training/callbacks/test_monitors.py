"""Which metrics callbacks may wait for, with a Trainer that does not run."""

from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    LambdaCallback,
    LearningRateMonitor,
    ModelCheckpoint,
)

from lit_rec.errors import ConfigError
from lit_rec.tasks import registry
from lit_rec.tasks.rating import RatingTask
from lit_rec.tasks.registry import task_named
from lit_rec.training.callbacks.early_stopping import RunEarlyStopping
from lit_rec.training.callbacks.monitors import (
    check_monitors,
    logged_names,
    missed_metric,
    mode_of,
    settle_monitors,
)
from lit_rec.training.callbacks.run_folder import RunCheckpoint

RATING, LABEL = task_named("rating"), task_named("label")


class Own(Callback):
    """Might log anything."""


def trainer(*callbacks, there=()):
    return SimpleNamespace(callbacks=list(callbacks), callback_metrics=dict.fromkeys(there, 0.0))


@pytest.mark.parametrize("name", logged_names(RATING))
def test_what_fit_logs_can_be_waited_for(name):
    check_monitors(
        trainer(EarlyStopping(name), ModelCheckpoint(monitor=name), RunCheckpoint()),
        logged_names(RATING),
    )


def test_no_metric_and_no_callback_are_fine():
    check_monitors(trainer(), logged_names(RATING))
    check_monitors(trainer(ModelCheckpoint()), logged_names(RATING))


@pytest.mark.parametrize(
    ("name", "remedy"), [("val/rsme", "did you mean 'val/rmse'?"), ("ndcg", "one of these")]
)
def test_an_unknown_metric_is_refused(name, remedy):
    with pytest.raises(ConfigError) as found:
        check_monitors(trainer(EarlyStopping(name)), logged_names(RATING))
    assert f"'{name}'" in str(found.value)
    assert "EarlyStopping.monitor: " in str(found.value)
    assert remedy in str(found.value)
    assert "val/loss, val/rmse, val/mae" in str(found.value)


def test_rates_are_metrics_where_they_are_logged():
    stop = EarlyStopping("lr-AdamW/head")
    check_monitors(trainer(stop, LearningRateMonitor()), logged_names(RATING))
    with pytest.raises(ConfigError, match="lr-AdamW/head"):
        check_monitors(trainer(stop), logged_names(RATING))


@pytest.mark.parametrize("own", [Own(), LambdaCallback()])
def test_a_callback_of_ones_own_may_log_what_it_likes(own):
    check_monitors(trainer(EarlyStopping("own/bias"), own), logged_names(RATING))


def test_a_metric_that_was_missed_is_named():
    stopped = trainer(EarlyStopping("own/bais"), there=["own/bias", "val/loss"])
    error = missed_metric(stopped, RuntimeError("conditioned on metric `own/bais` which is not"))
    assert "did you mean 'own/bias'?" in str(error)
    assert "one of own/bias, val/loss" in str(error)
    assert missed_metric(stopped, RuntimeError("out of memory")) is None
    there = trainer(EarlyStopping("val/loss"), there=["val/loss"])
    assert missed_metric(there, RuntimeError("val/loss")) is None


IMPRESSIONS = ["val/impression_auc", "val/mrr", "val/mind_mrr", "val/ndcg@5", "val/ndcg@10"]
CLASSES = ["val/accuracy", "val/macro_f1"]


@pytest.mark.parametrize(
    ("logged", "monitor", "mode"),
    [
        (["val/rmse", "val/mae"], "val/rmse", "min"),
        (CLASSES, "val/accuracy", "max"),
        ([*CLASSES, "val/auc"], "val/auc", "max"),
        ([*CLASSES, "val/auc", *IMPRESSIONS], "val/impression_auc", "max"),
    ],
)
def test_what_decides_by_default(logged, monitor, mode):
    keep, stop = RunCheckpoint(), RunEarlyStopping(patience=1, min_delta=0.1)
    settle_monitors(trainer(keep, stop), RATING if "val/rmse" in logged else LABEL, logged)
    for callback in (keep, stop):
        assert (callback.monitor, callback.mode) == (monitor, mode)
    worse, better = (0.9, 0.5) if mode == "min" else (0.5, 0.9)
    run = SimpleNamespace(world_size=1, strategy=None)
    for value, ends in ((worse, False), (better, False), (better, True)):
        assert stop._evaluate_stopping_criteria(torch.tensor(value))[0] == ends
    run.strategy = SimpleNamespace(reduce_boolean_decision=lambda decision: decision)
    keep.best_k_models, keep.kth_best_model_path = {"best": torch.tensor(worse)}, "best"
    assert keep.check_monitor_top_k(run, torch.tensor(better))
    keep.best_k_models = {"best": torch.tensor(better)}
    assert not keep.check_monitor_top_k(run, torch.tensor(worse))


def test_a_named_monitor_wins_and_has_its_mode():
    keep, stop = RunCheckpoint("val/accuracy"), RunEarlyStopping("val/loss")
    settle_monitors(trainer(keep, stop), LABEL, [*CLASSES, "val/auc"])
    assert (keep.monitor, keep.mode) == ("val/accuracy", "max")
    assert (stop.monitor, stop.mode) == ("val/loss", "min")
    assert RunCheckpoint("val/auc", "min").mode == "min"


def test_every_metric_has_a_mode():
    small = {"train/loss", "train/loss_step", "val/loss", "val/rmse", "val/mae"}
    for name in logged_names(RATING) + logged_names(LABEL):
        assert mode_of(name, None, where="x") == ("min" if name in small else "max")


def test_a_task_of_ones_own_leaves_the_modes_of_known_metrics(monkeypatch):
    """It logs an error that it does not name as one; its own gain is one all the same."""

    class Silent(RatingTask):
        logged, errors = ("rmse", "near"), ()

    monkeypatch.setattr(registry, "_TASKS", {**registry._TASKS, "silent": Silent()})
    assert mode_of("val/rmse", None, where="x") == "min"
    assert mode_of("val/near", None, where="x") == "max"


def test_a_metric_has_a_mode_by_its_whole_name():
    """Another callback may log ``auc``, of which lit_rec knows nothing."""
    assert mode_of("val/auc", None, where="x") == "max"
    assert mode_of("auc", None, where="x") == "min"
    assert mode_of("test/auc", None, where="x") == "min"


@pytest.mark.parametrize("kind", [RunCheckpoint, RunEarlyStopping])
def test_a_mode_without_a_monitor_is_refused(kind):
    with pytest.raises(ConfigError, match=f"{kind.__name__}.mode: 'max', but no metric"):
        kind(mode="max")


def test_a_metric_of_other_data_is_refused():
    """Impressions or a second label are known to be absent only once the data is read."""
    stopped = trainer(EarlyStopping("val/impression_auc"))
    check_monitors(stopped, logged_names(LABEL))
    with pytest.raises(ConfigError, match="no metric 'val/impression_auc'"):
        settle_monitors(stopped, LABEL, CLASSES)
    settle_monitors(trainer(EarlyStopping("val/impression_auc"), Own()), LABEL, CLASSES)
    settle_monitors(trainer(EarlyStopping("own/bias")), LABEL, CLASSES)


def test_a_task_of_which_no_deciding_metric_is_logged_is_refused():
    """A mistake in a task of one's own."""

    class Undecided(RatingTask):
        deciding = ("mape",)

    with pytest.raises(ConfigError, match=r"Undecided\.deciding: none of mape is logged"):
        settle_monitors(trainer(RunCheckpoint()), Undecided(), logged_names(RATING)[3:])
    settle_monitors(trainer(RunCheckpoint()), RATING, logged_names(RATING)[3:])
