"""Remedies of ``lit-rec check``, of tasks and of reports; see ``followed``."""

import pytest
from lightning import LightningDataModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping

from lit_rec.check.obstacles import check_monitored
from lit_rec.cli.check_cli import examine
from lit_rec.data.facts import Facts
from lit_rec.data.targets import registry as rules
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.evaluation.report.report import Report
from lit_rec.inference.recommender import Recommender
from lit_rec.tasks import registry
from lit_rec.tasks.label import LabelTask
from lit_rec.tasks.rating import RatingTask
from lit_rec.training.lit_rec import LitRec
from tests.integration.conftest import lit_rec, options

from .followed import each_remedy_of, follow

pytestmark = pytest.mark.filterwarnings("default")
CHECKED = "--trainer.limit_train_batches=2"


def test_check_without_a_configuration(workplace):
    follow(
        lambda: lit_rec("check"),
        lambda: lit_rec("check", *options(workplace), CHECKED),
        says="lit-rec check -c",
    )


def test_figures_into_a_folder(workplace, tmp_path):
    words = ["check", *options(workplace), CHECKED, "--json"]
    file = tmp_path / "check.json"
    follow(lambda: lit_rec(*words, tmp_path), lambda: lit_rec(*words, file), says=f"--json {file}")
    assert file.exists()


def test_a_datamodule_that_check_does_not_know(workplace):
    """``fast_dev_run`` tries any datamodule."""
    trainer, module = Trainer(logger=False, accelerator="cpu"), LitRec.__new__(LitRec)
    follow(
        lambda: examine(trainer, module, LightningDataModule(), {}, worded=lambda error: error),
        lambda: lit_rec("fit", *options(workplace), "--trainer.fast_dev_run", "true"),
        says="--trainer.fast_dev_run true",
    )


def test_a_folder_for_runs_that_cannot_be_made(workplace, tmp_path):
    (tmp_path / "taken").touch()
    words = ["check", *options(workplace), CHECKED, "--trainer.logger.init_args.save_dir"]
    follow(
        lambda: lit_rec(*words, tmp_path / "taken"),
        lambda: lit_rec(*words, tmp_path / "free"),
        says="choose another: trainer.logger.init_args.save_dir",
    )


@pytest.mark.parametrize("mended", [{}, {"monitor": "train/loss"}], ids=["validated", "another"])
def test_a_metric_without_validation(mended):
    def checked(monitor="val/loss", **validated):
        stopping = EarlyStopping(monitor)
        check_monitored(Trainer(logger=False, accelerator="cpu", callbacks=stopping, **validated))

    none = {"limit_val_batches": 0}
    follow(
        lambda: checked(**none),
        lambda: checked(**(none if mended else {}), **mended),
        says="leave trainer.limit_val_batches out, or name one of these metrics",
    )


def test_a_rule_for_targets_without_a_task():
    class Alone(RatingTarget):
        name = "alone"

    class AloneTask(RatingTask):
        target = Alone()

    rules.register_target(Alone())
    try:
        task = follow(
            lambda: registry.task_named("alone"),
            lambda: registry.register_task(AloneTask()) or registry.task_named("alone"),
            says="call lit_rec.tasks.registry.register_task with it",
        )
        assert isinstance(task, AloneTask)
    finally:
        del rules._RULES["alone"], registry._TASKS["alone"]


def test_a_label_where_there_are_none(run_folder):
    ratings = Recommender.from_checkpoint(run_folder / "best.ckpt")
    follow(
        lambda: ratings.recommend(history=[], k=2, label="click"),
        lambda: ratings.recommend(history=[], k=2),
        says="leave it out",
    )


@pytest.mark.parametrize("label", [None, "great"])
def test_a_label_of_several(label):
    facts = Facts.example("label", labels=("good", "so-so", "bad"))
    place = follow(
        lambda: LabelTask().asked_label(label, facts),
        lambda: LabelTask().asked_label("good", facts),
        says="correct the name" if label else "say whose probability is asked for",
    )
    assert place == 0


def test_a_file_that_is_no_report(run_folder, tmp_path):
    (tmp_path / "report.json").write_text("{}")
    checkpoint = run_folder / "best.ckpt"
    follow(
        lambda: Report.read(tmp_path / "report.json"),
        lambda: (
            lit_rec("test", "--ckpt_path", checkpoint) or Report.read(run_folder / "report.json")
        ),
        says="run `lit-rec test --ckpt_path CKPT` again",
    )


test_each_remedy_was_followed = each_remedy_of(
    "check", "cli/check.py", "cli/check_cli.py", "tasks", "evaluation"
)
