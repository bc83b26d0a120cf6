"""A guard of strength 0 leaves a run as it is, bit by bit; with some strength it changes the weights."""

import pytest

from lit_rec.training.guards.gradual_unfreezing import GradualUnfreezing
from lit_rec.training.guards.mixout import Mixout
from lit_rec.training.guards.pull_to_start import PullToStart
from lit_rec.training.guards.weight_adversary import AWP
from lit_rec.training.guards.word_adversaries import FGM, PGD
from lit_rec.training.guards.word_dropout import WordDropout

from .small_runs import run, weights

pytestmark = pytest.mark.filterwarnings("default")

PAIRS = {
    "pull": (PullToStart(0.0), PullToStart(20.0)),
    "mixout": (Mixout(0.0), Mixout(0.3)),
    "fgm": (FGM(0.0), FGM(0.3)),
    "fgm without share": (FGM(share=0.0), FGM(share=1.0)),
    "pgd": (PGD(0.0), PGD(0.3, steps=2)),
    "awp": (AWP(0.0), AWP(0.1)),
    "awp later": (AWP(0.1, start_epoch=1), AWP(0.1, share=1.0)),
    "word dropout": (WordDropout(0.0), WordDropout(0.5)),
    "unfreezing": (GradualUnfreezing(first_layers=3), GradualUnfreezing()),
}


@pytest.fixture(scope="module")
def plain(folder, cache):
    return weights(run(folder, cache)[0])


@pytest.mark.parametrize("name", PAIRS)
def test_a_guard_without_strength_changes_nothing(name, plain, folder, cache):
    nothing, something = PAIRS[name]
    same = weights(run(folder, cache, nothing)[0])
    assert all((same[key] == plain[key]).all() for key in plain)
    other = weights(run(folder, cache, something)[0])
    key = "item_encoder.backbone.model.encoder.layer.0.attention.self.query.weight"
    assert (other[key] != plain[key]).any()


@pytest.mark.parametrize("name", ["layer_decay", "r_drop"])
def test_so_do_options(name, plain, folder, cache):
    key = "item_encoder.backbone.model.encoder.layer.0.attention.self.query.weight"
    other = weights(run(folder, cache, **{name: 0.5})[0])
    assert (other[key] != plain[key]).any()
