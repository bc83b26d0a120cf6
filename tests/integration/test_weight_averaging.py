"""Averaged weights, by Lightning's own callbacks from a configuration.

What is validated is what is saved and what recommends.
"""

import re

import pytest
import torch
from safetensors.torch import load_file

from lit_rec.export.encoder import export_encoder
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.stored.network import load_module
from lit_rec.training.checkpoint.content import catalogue_of, facts_of

from .conftest import lit_rec
from .own_runs import checkpoint, configuration, difference, part, write

pytestmark = pytest.mark.filterwarnings("default")

EMA = "lightning.pytorch.callbacks.EMAWeightAveraging"
SWA = "lightning.pytorch.callbacks.StochasticWeightAveraging"


@pytest.fixture
def averaged(workplace, tmp_path):
    """Fit with a callback, and return the run's folder."""

    def fit(class_path, **options):
        config = configuration(workplace, callbacks=[part(class_path, **options)], max_epochs=2)
        lit_rec("fit", "-c", write(config, tmp_path / "config.yaml"))
        return tmp_path / "runs/run/version_0"

    return fit


def test_moving_average_is_validated_saved_recommends_and_is_exported(averaged, tmp_path, capsys):
    run = averaged(EMA, decay=0.8)
    best = checkpoint(run, "best")
    assert difference(best, {"state_dict": best["current_model_state"]}) > 1e-3
    score = next(s for n, s in best["callbacks"].items() if "RunCheckpoint" in n)[
        "best_model_score"
    ]
    lit_rec("validate", "--ckpt_path", run / "best.ckpt")
    shown = re.search(r"val/rmse\W+([\d.]+)", capsys.readouterr().out)
    assert float(shown[1]) == pytest.approx(float(score), abs=5e-5)  # it has four decimals
    saved = best["lit_rec"]["catalogue"]["vectors"]
    module, content = load_module(run / "best.ckpt")
    catalogue = catalogue_of(content, facts_of(content))
    assert torch.equal(module.item_table(catalogue), saved)
    assert len(Recommender.from_checkpoint(run / "best.ckpt").recommend(["50"], 3)) == 3
    export_encoder(run / "best.ckpt", tmp_path / "encoder")
    averages = module.built().backbone.model.state_dict()
    stored = load_file(tmp_path / "encoder/model.safetensors")
    assert all(torch.equal(stored[name], averages[name]) for name in averages)


def test_vectors_of_weights_averaged_after_validation_are_not_saved(averaged):
    """An average that is renewed at the end of an epoch is another than the one that was just validated."""
    run = averaged(EMA, update_every_n_steps=0, update_starting_at_epoch=0)
    assert checkpoint(run)["lit_rec"]["catalogue"]["vectors"] is None


def test_average_of_epochs_is_in_the_last_checkpoint(averaged):
    run = averaged(SWA, swa_lrs=1e-3, swa_epoch_start=1)
    last, best = checkpoint(run), checkpoint(run, "best")
    averages = last["callbacks"]["StochasticWeightAveraging"]
    assert averages["n_averaged"] == 2
    module, _ = load_module(run / "last.ckpt")
    for name, weight in module.named_parameters():
        assert torch.equal(weight, averages["average_model_state"][name]), name
    assert difference(best, last) > 1e-4
    # vectors of the last epoch are not those of the average
    assert last["lit_rec"]["catalogue"]["vectors"] is None
    assert len(Recommender.from_checkpoint(run / "last.ckpt").recommend(["50"], 3)) == 3


def test_average_that_would_not_be_saved_is_refused(workplace, tmp_path, capsys):
    """Lightning asks no callback what to save where weights alone are saved."""
    config = configuration(workplace, callbacks=[part(EMA)])
    config["trainer"]["callbacks"][0]["init_args"]["save_weights_only"] = True
    with pytest.raises(SystemExit):
        lit_rec("fit", "-c", write(config, tmp_path / "config.yaml"))
    assert (
        "save_weights_only of RunCheckpoint: true with averaged weights" in capsys.readouterr().err
    )
