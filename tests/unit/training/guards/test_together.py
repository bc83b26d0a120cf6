"""Guards beside each other: runs that end, that resume bit by bit, and in bfloat16."""

import functools

import pytest
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging

from lit_rec.training.guards.gradual_unfreezing import GradualUnfreezing
from lit_rec.training.guards.mixout import Mixout
from lit_rec.training.guards.pull_to_start import PullToStart
from lit_rec.training.guards.weight_adversary import AWP
from lit_rec.training.guards.word_adversaries import FGM, PGD
from lit_rec.training.guards.word_dropout import WordDropout

from .small_runs import largest, run, weights

pytestmark = pytest.mark.filterwarnings("default")

OPTIONS = {"r_drop": 1.0, "layer_decay": 0.8}


def all_guards():
    adversaries = [FGM(share=0.2), PGD(share=0.2, steps=2), AWP(share=0.2)]
    others = [PullToStart(10.0), Mixout(), WordDropout(), GradualUnfreezing(0.2, 1)]
    return [*adversaries, *others, EMAWeightAveraging(decay=0.9)]


class Save(Callback):
    """Save a checkpoint after a step."""

    def __init__(self, path, step):
        self.path, self.step = path, step

    def on_train_batch_end(self, trainer, *_):
        if trainer.global_step == self.step and not self.path.exists():
            trainer.save_checkpoint(self.path)


@pytest.mark.parametrize("accumulated", [1, 2])
def test_all_together_resume_bit_by_bit(accumulated, folder, cache, tmp_path):
    given = {**OPTIONS, "trainer": {"accumulate_grad_batches": accumulated}, "steps": 6}
    path = tmp_path / "three.ckpt"
    whole, _ = run(folder, cache, *all_guards(), Save(path, 3), **given)
    resumed, _ = run(folder, cache, *all_guards(), ckpt_path=path, **given)
    assert largest(weights(whole), weights(resumed)) == 0
    plain, _ = run(folder, cache, EMAWeightAveraging(decay=0.9), **{**given, "r_drop": 0.0})
    assert largest(weights(whole), weights(plain)) > 1e-5


PARTS = {
    "r_drop": None, "fgm": FGM(share=0.4), "awp": AWP(share=0.4), "mixout": Mixout(), "pull": PullToStart(10.0),
    "words": WordDropout(0.2), "unfreezing": GradualUnfreezing(0.2, 1),
}  # fmt: skip


PAIRS = [
    ("r_drop", "fgm"), ("r_drop", "awp"), ("r_drop", "mixout"), ("fgm", "awp"), ("fgm", "mixout"),
    ("fgm", "words"), ("awp", "mixout"), ("mixout", "pull"), ("unfreezing", "pull"),
]  # fmt: skip


@pytest.fixture(scope="module")
def weights_of(folder, cache):
    """The weights of a run of two steps with some guards."""

    @functools.cache
    def found(*names):
        guards = [PARTS[name] for name in names if PARTS[name]]
        strength = 1.0 if "r_drop" in names else 0.0
        return weights(run(folder, cache, *guards, steps=2, r_drop=strength)[0])

    return found


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_each_of_a_pair_counts(pair, weights_of):
    """Both give finite weights, other ones than each of them alone."""
    both = weights_of(*pair)
    assert all(value.isfinite().all() for value in both.values())
    assert all(largest(both, weights_of(name)) > 0 for name in pair)


def test_in_bfloat16(folder, cache):
    small = {"trainer": {"precision": "bf16-mixed"}, "dropout": 0.0, "steps": 2}
    one = weights(run(folder, cache, FGM(0.2), AWP(0.05, share=0.4), **small)[0])
    plain = weights(run(folder, cache, **small)[0])
    whole = weights(run(folder, cache, FGM(0.2), AWP(0.05, share=0.4), steps=2, dropout=0.0)[0])
    key = "item_encoder.backbone.model.encoder.layer.1.output.dense.weight"
    assert all(value.isfinite().all() and value.dtype != torch.bfloat16 for value in one.values())
    # nearer to the same in float32 than to a run without
    assert (one[key] - whole[key]).norm() < (one[key] - plain[key]).norm()
