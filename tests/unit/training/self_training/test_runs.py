"""Runs with SelfTraining: without it bit by bit where nothing is drawn, resumed exactly, and labels left out unread."""

from unittest import mock

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging
from sklearn.linear_model import LogisticRegression

from lit_rec.data.batches.collator import BatchRows
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.linear.softmax_regression import sampled
from lit_rec.models.objectives.contrast import ContrastiveCrossEntropy
from lit_rec.models.text.tuning import FrozenTuning, TopLayersTuning
from lit_rec.training.callbacks import refit_head
from lit_rec.training.callbacks.refit_head import RefitHead
from lit_rec.training.guards.weight_adversary import AWP
from lit_rec.training.guards.word_adversaries import FGM
from lit_rec.training.guards.word_dropout import WordDropout
from lit_rec.training.self_training.self_training import SelfTraining
from lit_rec.training.tuned.run_sizes import run_sizes

from .few_texts import few, run, without_labels

pytestmark = pytest.mark.filterwarnings("default")


def guard(**options):
    """A low threshold: the tiny network is sure of little."""
    return SelfTraining(**{"confidence": 0.35, "ratio": 2.0, **options})


def weights(module):
    return {name: value.detach().clone() for name, value in module.built().state_dict().items()}


def largest(one, other):
    assert one.keys() == other.keys()
    return max(float((one[n].double() - other[n].double()).abs().max()) for n in one)


@pytest.fixture(scope="module")
def plain(folder, cache):
    return weights(run(folder, few(folder, cache))[0])


@pytest.mark.parametrize("nothing", [guard(ratio=0.0), guard(start_epoch=9), guard(confidence=1.0)])
def test_where_nothing_is_added_the_run_is_as_without(nothing, plain, folder, cache):
    assert largest(plain, weights(run(folder, few(folder, cache), nothing)[0])) == 0


def test_the_teacher_is_counted_in_the_size_of_a_checkpoint(folder, cache):
    taught = guard()
    module, trainer = run(folder, few(folder, cache), taught)
    sizes = [run_sizes(module, trainer.datamodule, of).checkpoint for of in ([taught], [])]
    held = taught.state_dict()["teacher"].values()
    assert sizes[0] - sizes[1] == sum(w.numel() * w.element_size() for w in held) > 0


def test_labels_of_rows_that_are_left_out_are_never_read(plain, folder, cache):
    told = weights(run(folder, few(folder, cache), guard())[0])
    untold = weights(run(folder, without_labels(few(folder, cache)), guard())[0])
    assert largest(told, untold) == 0
    assert largest(told, plain) > 1e-4


class Save(Callback):
    """Save a checkpoint after a step; it stands before the guard, whose teacher must have followed already."""

    def __init__(self, path, step):
        self.path, self.step = path, step

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == self.step and not self.path.exists():
            trainer.save_checkpoint(self.path)


def others():
    return [FGM(share=0.2), AWP(share=0.2), WordDropout(), EMAWeightAveraging(decay=0.9)]


WAYS = {
    "alone": ({}, list),
    "accumulated": ({"trainer": {"accumulate_grad_batches": 2}, "steps": 4}, list),
    "bfloat16": ({"trainer": {"precision": "bf16-mixed"}}, list),
    "with others": ({"r_drop": 1.0, "objective": ContrastiveCrossEntropy}, others),
    "top layer, kept tokens": ({"tuning": TopLayersTuning(1)}, list),
    "frozen": ({"tuning": FrozenTuning()}, list),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_resumed_run_is_the_run_that_was_never_stopped(way, folder, cache, tmp_path):
    options, more = WAYS[way]
    path = tmp_path / "three.ckpt"
    runs = []
    for begins, save in ((None, [Save(path, 3)]), (path, [])):
        given = {**options}
        if "objective" in given:
            given["objective"] = given["objective"]()
        own = guard()
        # averaged weights follow a step only after it, and are saved by what stands behind them
        callbacks = [own, *more(), *save] if more is others else [*save, own]
        module, trainer = run(folder, few(folder, cache), *callbacks, ckpt_path=begins, **given)
        share = float(trainer.callback_metrics["train/pseudo_labels"])
        runs.append((weights(module), own.state_dict()["teacher"], share))
    (whole, teacher, share), (resumed, again, same) = runs
    assert largest(whole, resumed) == 0
    assert largest(teacher, again) == 0
    assert 0 < share == same
    assert (
        torch.load(path, weights_only=True)["callbacks"]["SelfTraining"]["teacher"].keys()
        == teacher.keys()
    )


@pytest.mark.parametrize("most", [None, 3])
def test_a_head_that_is_fitted_again_learns_of_rows_without_a_label(most, folder, cache):
    """By scikit-learn: a regression of the labelled rows, then one of them and of rows that it is sure of."""
    data, own, refit = few(folder, cache), guard(start_epoch=9), RefitHead()
    labels_given = sum(data.facts.label_counts)
    at_most = 10_000 if most is None else labels_given + most
    with mock.patch.object(refit_head, "fitted_at_most", return_value=at_most):
        module, _ = run(
            folder, data, own, refit, head={"begin": "logistic_regression"},
            trainer={"limit_val_batches": 1, "max_epochs": 2, "max_steps": -1, "check_val_every_n_epoch": 2},
        )  # fmt: skip
    rows = {part: data.prepared.rows_of(part) for part in ("train", "shown")}
    if most is not None:
        rows["shown"] = rows["shown"][sampled(78, most)]
    with evaluation_mode(module.built()):
        batches = {part: data.collator(with_texts=True)(BatchRows(r)) for part, r in rows.items()}
        of = {n: module.built().training_outputs(b).vectors.numpy() for n, b in batches.items()}
    label = data.prepared.label[rows["train"]]
    c = refit.state_dict()["inverse_penalty"]
    first = LogisticRegression(C=c, tol=1e-8, max_iter=2000).fit(of["train"], label)
    probability = first.predict_proba(of["shown"])
    sure = probability.max(1) >= 0.35
    assert sure.any()
    x = np.concatenate([of["train"], of["shown"][sure]])
    y = np.concatenate([label, probability.argmax(1)[sure]])
    weight = np.concatenate(
        [np.ones(len(label)), np.full(sure.sum(), min(1, len(label) / sure.sum()))]
    )
    second = LogisticRegression(C=c, tol=1e-8, max_iter=2000).fit(x, y, sample_weight=weight)
    layer = module.built().head.linear
    np.testing.assert_allclose(layer.weight.detach().numpy(), second.coef_, atol=3e-3)
    assert np.abs(second.coef_ - first.coef_).max() > 1e-2
