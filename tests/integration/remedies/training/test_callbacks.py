"""Remedies of rates, precision and callbacks of a run; see ``followed``."""

import re
from functools import partial
from types import SimpleNamespace

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import (
    EarlyStopping,
    EMAWeightAveraging,
)
from torch import nn
from torch.utils.data import DataLoader

from lit_rec.data.facts import Facts
from lit_rec.models.heads.value_heads import ClassificationHead, LinearHead
from lit_rec.tasks.rating import RatingTask
from lit_rec.tasks.registry import task_named
from lit_rec.training.callbacks.finite_loss import FiniteLoss
from lit_rec.training.callbacks.monitors import check_monitors, logged_names, settle_monitors
from lit_rec.training.callbacks.order import arranged
from lit_rec.training.callbacks.refit_head import RefitHead
from lit_rec.training.callbacks.run_folder import RunCheckpoint
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.precision import check_precision
from lit_rec.training.schedules import LinearSchedule, planned_steps
from tests.integration.remedies.followed import each_remedy_of, follow, refused

pytestmark = pytest.mark.filterwarnings("default")
RATING = task_named("rating")


def trainer(*callbacks, **options):
    return lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=list(callbacks),
        **options,
    )


class Steep(lightning.LightningModule):
    """One weight under a square; it diverges where the steps are long."""

    def __init__(self, head_rate, encoder_rate=0.0):
        super().__init__()
        self.save_hyperparameters()
        self.weight = nn.Parameter(torch.ones(()))

    def training_step(self, batch, batch_idx):
        return self.weight**2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=max(self.hparams.values()))

    def train_dataloader(self):
        return DataLoader(torch.zeros(4, 1), batch_size=1)


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ({"head_rate": 1e10}, {"head_rate": 0.1}, "lower Steep.head_rate (1e+10), or"),
        (
            {"head_rate": 1e9, "encoder_rate": 1e10},
            {"head_rate": 0.1, "encoder_rate": 0.1},
            "lower Steep.head_rate (1e+09) or Steep.encoder_rate (1e+10), or",
        ),
        (
            {"head_rate": 1e10},
            {"head_rate": 1e10, "gradient_clip_val": 1.0},
            "set Trainer.gradient_clip_val to 1.0",
        ),
        (
            {"head_rate": 1e10, "gradient_clip_val": 1e12},
            {"head_rate": 1e10, "gradient_clip_val": 1.0},
            "lower Trainer.gradient_clip_val (1000000000000.0)",
        ),
    ],
)
def test_a_loss_that_diverges(wrong, right, says):
    def fit(gradient_clip_val=None, **rates):
        run = trainer(
            FiniteLoss(), max_epochs=2, log_every_n_steps=1, gradient_clip_val=gradient_clip_val
        )
        run.fit(Steep(**rates))

    follow(partial(fit, **wrong), partial(fit, **right), says=says)


@pytest.mark.parametrize("right", [{"monitor": "val/mae", "mode": "max"}, {}])
def test_a_mode_of_no_metric(right):
    says = "name the monitor as well, or leave the mode out"
    follow(partial(RunCheckpoint, mode="max"), partial(RunCheckpoint, **right), says=says)


def test_metrics_that_do_not_decide():
    class Silent(RatingTask):
        deciding = ("hour_error",)

    broken = partial(settle_monitors, trainer(), Silent(), ["val/rmse"])
    name = refused(broken)[0].rule.rpartition(", ")[2].removeprefix("val/")

    class Mended(RatingTask):
        deciding = ("hour_error", name)

    right = partial(settle_monitors, trainer(), Mended(), ["val/rmse"])
    follow(broken, right, says="add one of them to deciding, without `val/`")


@pytest.mark.parametrize(("name", "says"), [("val/rsme", "did you mean"), ("x", "name one of")])
def test_a_metric_that_is_not_logged(name, says):
    def checked(monitor):
        check_monitors(trainer(EarlyStopping(monitor)), logged_names(RATING))

    error, _ = refused(partial(checked, name))
    near = re.search(r"'(.*)'|^", error.remedy)[1] or error.rule.rpartition(", ")[2]
    follow(partial(checked, name), partial(checked, near), says=says)


@pytest.mark.parametrize("right", [["val/rmse"], ["val/rmse", "val/mae"]])
def test_callbacks_that_a_checkpoint_cannot_tell_apart(right):
    def stops(*monitors):
        arranged([EarlyStopping(monitor) for monitor in monitors], logs=True)

    says = "leave one of them, or give them different metrics"
    follow(partial(stops, "val/rmse", "val/rmse"), partial(stops, *right), says=says)


LABEL = Facts.example("label", labels=("a", "b", "c"))
BEGUN = partial(LinearHead, begin="logistic_regression")


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (LinearHead, "set LinearHead.begin to logistic_regression"),
        (ClassificationHead, "use LinearHead with begin: logistic_regression"),
        (LinearHead, "or leave RefitHead out"),
    ],
)
def test_a_head_fitted_again(head, says):
    def begins(head, *callbacks):
        module = SimpleNamespace(built=lambda: SimpleNamespace(head=head(LABEL, 4)))
        for callback in callbacks:
            callback.on_fit_start(trainer(), module)

    right = partial(begins, head) if "leave" in says else partial(begins, BEGUN, RefitHead())
    follow(partial(begins, head, RefitHead()), right, says=says)


@pytest.mark.parametrize("left", [RefitHead(), EMAWeightAveraging()])
def test_a_head_fitted_again_beside_averaged_weights(left):
    module = SimpleNamespace(built=lambda: SimpleNamespace(head=BEGUN(LABEL, 4)))

    def begins(*callbacks):
        for callback in callbacks:
            if isinstance(callback, RefitHead):
                callback.on_fit_start(trainer(*callbacks), module)

    broken = partial(begins, RefitHead(), EMAWeightAveraging())
    follow(broken, partial(begins, left), says="leave one of them out")


def test_checkpoints_between_validations():
    broken = partial(RunCheckpoint, last_every_n_steps=0)
    follow(broken, RunCheckpoint, says="leave it out to save only after validations")


def test_weights_alone_of_averaged_ones():
    def prepared(**options):
        keep = RunCheckpoint(**options)
        keep.setup(trainer(EMAWeightAveraging()), None, "test")

    follow(partial(prepared, save_weights_only=True), prepared, says="leave it out")


@pytest.mark.parametrize("way", ["2e-5 for an encoder", "1e-3 for heads"])
def test_rates(way):
    name = "encoder_rate" if "encoder" in way else "head_rate"
    module = partial(LitRec, lambda facts: None)
    right = float(way.split()[0])
    follow(partial(module, **{name: -1.0}), partial(module, **{name: right}), says=way)


def test_a_warmup_of_all_steps():
    follow(partial(LinearSchedule, 1.0), partial(LinearSchedule, 0.1), says="0.1 suits fine-tuning")


def test_a_run_without_an_end():
    def planned(epochs):
        run = trainer(max_epochs=epochs)
        module = Steep(head_rate=0.1)
        module.configure_optimizers = lambda: (
            planned_steps(run) and torch.optim.SGD(module.parameters(), lr=0.1)
        )
        run.fit(module, DataLoader([0.0]))

    says = "set Trainer.max_epochs to a number, such as 3"
    follow(partial(planned, -1), partial(planned, 3), says=says)


@pytest.mark.parametrize("right", ["bf16-mixed", None])
def test_a_precision_of_all_of_the_model(right):
    says = "set Trainer.precision to bf16-mixed for speed, or leave it out"
    follow(
        lambda: check_precision(trainer(precision="64-true")),
        lambda: check_precision(trainer(precision=right)),
        says=says,
    )


test_each_remedy_was_followed = each_remedy_of(
    *("training/callbacks", "training/lit_rec.py", "training/precision.py"),
    "training/schedules.py",
)
