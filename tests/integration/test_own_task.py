"""A task that lit_rec does not know, defined here alone: hours, learned as logarithms and shown as hours."""

import sys

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from torchmetrics.regression import MeanAbsoluteError

from lit_rec import Recommender
from lit_rec.data.targets import registry as targets
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.evaluation.report.measures import Measures, mean_figure
from lit_rec.evaluation.report.report import Report, build_report
from lit_rec.evaluation.report.slices import whole
from lit_rec.models.objectives.score import ScoreObjective
from lit_rec.tasks import registry
from lit_rec.tasks.registry import register_task, task_named
from lit_rec.tasks.task import Task
from lit_rec.training.callbacks.monitors import logged_names

from .conftest import lit_rec, message, options


class LogHours(RatingTarget):
    """The logarithm of 1 + the number in the rating column."""

    name = "hours"

    def of_rows(self, prepared, labels, where=None):
        return np.log1p(super().of_rows(prepared, labels, where))

    def start(self, rating_mean, label_counts):
        return float(np.log1p(rating_mean))


class LogError(ScoreObjective):
    """Absolute error of logarithms."""

    predicts, consumes = LogHours, "scores"

    def forward(self, scores, target):
        return ((scores - target.value).abs() * target.mask).sum(), target.mask.sum()


class MedianError(MeanAbsoluteError):
    """The error of hours, where targets are logarithms."""

    def update(self, preds, target):
        super().update(preds, target.expm1())


class HourMeasures(Measures):
    """The mean absolute error of each model."""

    def __init__(self, predictions, hours):
        self._errors = np.stack([np.abs(predicted - hours) for predicted in predictions])

    def on(self, mask, drawn):
        return {"hour_error": mean_figure(self._errors[:, mask], drawn)}


class HoursTask(Task):
    target = LogHours()
    spoken = "hours"
    logged = errors = ("hour_error",)
    deciding = ("hour_error",)

    def default_objective(self, gives):
        return LogError()

    def predictions(self, scores, facts, gives):
        return scores.expm1()

    def metrics(self, facts, data, part):
        return {"hour_error": MedianError()}

    def report(self, data, rows, predicted, vectors):
        hours = data.prepared.rating
        known = ~np.isnan(hours[rows])
        rows, predicted = rows[known], predicted[known]
        train = hours[data.prepared.rows_of("train")]
        median = np.full(len(rows), np.nanmedian(train))
        user, item = (
            np.asarray(codes[rows], np.int64) for codes in (data.prepared.user, data.prepared.item)
        )
        measures = [HourMeasures([predicted, median], hours[rows].astype(float))]
        return build_report(["lit_rec", "median"], measures, whole(len(rows)), user, item)

    def histogram(self, data):
        hours = data.prepared.rating[data.prepared.rows_of("train")]
        counts, edges = np.histogram(hours[~np.isnan(hours)], bins=3)
        bars = zip(edges, counts, strict=False)
        return {"histogram": [{"value": f"from {e:g}", "count": int(n)} for e, n in bars]}


@pytest.fixture(scope="module")
def hours():
    """The task, while these tests run."""
    register_task(HoursTask())
    yield "hours"
    del registry._TASKS["hours"], targets._RULES["hours"]


@pytest.fixture(scope="module")
def run(hours, workplace):
    """Fit and test from the command line: the report reads as any other."""
    torch.set_num_threads(1)
    own = [
        *options(workplace),
        "--data.task=hours",
        f"--trainer.logger.init_args.save_dir={workplace}/hours",
    ]
    lit_rec("fit", *own)
    folder = workplace / "hours/own_data/version_0"
    lit_rec("test", "--ckpt_path", folder / "best.ckpt")
    return folder


def test_a_task_of_ones_own_trains_validates_and_reports(run):
    report = Report.read(run / "report.json")
    assert {(row.model, row.metric, row.slice) for row in report.rows} == {
        ("lit_rec", "hour_error", "all"),
        ("median", "hour_error", "all"),
    }
    best = torch.load(run / "best.ckpt", weights_only=True)
    kept = next(s for name, s in best["callbacks"].items() if "RunCheckpoint" in name)
    assert kept["monitor"] == "val/hour_error"
    assert 0 < float(kept["best_model_score"]) < 4
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["data"]["init_args"]["task"] == "hours"


def test_predictions_and_recommendations_are_hours(run, workplace):
    lit_rec("predict", "--ckpt_path", run / "best.ckpt")
    written = pl.read_parquet(run / "predictions.parquet")
    assert written.columns == ["user_id", "item_id", "score"]
    report = Report.read(run / "report.json")
    hours = pl.read_csv(
        workplace / "my/behaviors.csv",
        schema_overrides={"user_id": pl.String, "item_id": pl.String},
    )
    both = written.join(hours, on=["user_id", "item_id"], how="left")
    error = (both["score"] - both["rating"]).abs().mean()
    assert report.value("lit_rec", "hour_error") == pytest.approx(error, rel=1e-6)
    rec = Recommender.from_checkpoint(run / "best.ckpt")
    best = rec.recommend([written["item_id"][0]], k=3)
    assert [one.score for one in best] == sorted((one.score for one in best), reverse=True)
    with pytest.raises(Exception, match="a model of hours has no labels"):
        rec.recommend([], k=3, label="good")


def test_check_shows_it(run, workplace, capsys):
    lit_rec("check", *options(workplace), "--data.task=hours")
    shown = capsys.readouterr().out
    assert "from 1" in shown
    assert "hours" in shown


def test_names_are_those_of_the_registry(hours):
    assert task_named(hours).target.follows is False
    assert "val/hour_error" in logged_names(task_named(hours))


def test_an_unknown_task_is_refused_with_the_names(capsys, workplace):
    said = message(capsys, "fit", *options(workplace), "--data.task=ratings")
    assert "there is no task 'ratings'" in said
    assert "did you mean 'rating'?" in said


def test_a_rule_without_a_task_is_refused():
    class Alone(RatingTarget):
        name = "alone"

    targets.register_target(Alone())
    try:
        with pytest.raises(ConfigError, match="register_task"):
            task_named("alone")
    finally:
        del targets._RULES["alone"]


MODULE = """\
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.tasks.rating import RatingTask
from lit_rec.tasks.registry import register_task


class Minutes(RatingTarget):
    name = "minutes"


class MinutesTask(RatingTask):
    target, spoken = Minutes(), "minutes"


register_task(MinutesTask())
"""


@pytest.fixture
def of_others(run_folder, tmp_path, monkeypatch):
    """A checkpoint whose task is registered by a module that nothing has imported, and that its options do not name."""
    (tmp_path / "my_task.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    checkpoint = torch.load(run_folder / "last.ckpt", weights_only=True)
    checkpoint["lit_rec"]["facts"]["task"] = "minutes"
    checkpoint["lit_rec"]["config"]["data"]["init_args"]["task"] = "minutes"
    torch.save(checkpoint, tmp_path / "theirs.ckpt")
    yield tmp_path / "theirs.ckpt"
    sys.modules.pop("my_task", None)
    registry._TASKS.pop("minutes", None)
    targets._RULES.pop("minutes", None)


@pytest.mark.parametrize("command", ["recommend", "test", "fit"])
def test_a_task_is_known_once_its_module_is_trusted(command, of_others, capsys, workplace):
    more = {
        "recommend": ["--history", "50"],
        "test": [],
        "fit": [*options(workplace), "--data.task=minutes"],
    }[command]
    words = [command, "--ckpt_path", of_others, *more]
    said = message(capsys, *words)
    assert "'minutes'" in said
    assert "--trust MODULE" in said
    assert "my_task" not in sys.modules
    assert "No module named 'absent'" in message(capsys, *words, "--trust", "absent")
    lit_rec(*words, "--trust", "my_task")


def test_a_task_is_known_in_python_once_its_module_is_trusted(of_others):
    with pytest.raises(CheckpointError, match=r"trust=\['MODULE'\]"):
        Recommender.from_checkpoint(of_others)
    rec = Recommender.from_checkpoint(of_others, trust=["absent", "my_task"])
    assert len(rec.recommend(["50"], k=3)) == 3


def test_a_run_goes_on_where_its_yaml_names_the_module(of_others, workplace, tmp_path):
    own = """
from lit_rec.models.objectives.score import SquaredError


class OwnError(SquaredError):
    pass
"""
    (tmp_path / "my_task.py").write_text(MODULE + own)
    words = [*options(workplace), "--data.task=minutes", "--model.objective=my_task.OwnError"]
    checkpoint = torch.load(of_others, weights_only=True)
    objective = {"class_path": "my_task.OwnError"}
    checkpoint["lit_rec"]["config"]["model"]["objective"] = objective
    torch.save(checkpoint, of_others)
    lit_rec("fit", "--ckpt_path", of_others, *words)
