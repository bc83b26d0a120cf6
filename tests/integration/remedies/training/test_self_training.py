"""Remedies of SelfTraining; see ``followed``."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lit_rec.training.self_training.self_training import SelfTraining
from lit_rec.training.self_training.teacher import Teacher
from tests.integration.remedies.followed import each_remedy_of, follow
from tests.unit.training.self_training.few_texts import few, write_texts
from tests.unit.training.test_lit_rec import data_of, folder  # noqa: F401

pytestmark = pytest.mark.filterwarnings("default")


def checked(data, guard=None):
    trainer = SimpleNamespace(datamodule=data, strategy=None)
    return lambda: (guard or SelfTraining()).check(trainer, nn.Linear(1, 1))


def test_a_task_without_labels(folder, tmp_path):  # noqa: F811
    ratings, labels = data_of(folder, tmp_path / "cache"), few(folder, tmp_path)
    follow(checked(ratings), checked(labels), says="or set BehaviorDataModule.task to label")


def test_rows_that_all_have_a_label(folder, tmp_path):  # noqa: F811
    all_known = few(folder, tmp_path, texts=write_texts(tmp_path / "all.csv"))
    texts = write_texts(tmp_path / "some.csv", unlabelled=lambda row: row % 2)
    says = "add rows whose label is empty to the training rows"
    follow(checked(all_known), checked(few(folder, tmp_path, texts=texts)), says=says)
    checked(all_known, SelfTraining(ratio=0.0))()


@pytest.mark.parametrize(
    "damage",
    [
        lambda held: held.pop("weight"),
        lambda held: held.update(more=torch.ones(1)),
        lambda held: held.update(weight=torch.ones(3)),
        lambda held: held.update(weight=torch.full((1, 2), torch.nan)),
        lambda held: held.update(weight="text"),
    ],
)
def test_a_checkpoint_of_other_weights(damage):
    begun = Teacher(0.9, "SelfTraining")
    begun.begin(nn.Linear(2, 1))
    state = begun.state_dict()
    damaged = {"teacher": dict(state["teacher"])}
    damage(damaged["teacher"])

    def resumed(held):
        teacher = Teacher(0.9, "SelfTraining")
        teacher.load_state_dict(held)
        teacher.begin(nn.Linear(2, 1))

    follow(lambda: resumed(damaged), lambda: resumed(state), says="take the network and tuning of")


test_each_remedy_was_followed = each_remedy_of("training/self_training")
