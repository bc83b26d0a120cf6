"""Any logger, or none: the run's files lie in one folder, and no run writes over another's."""

import pytest
import yaml

from .conftest import lit_rec
from .own_runs import checkpoint, configuration, logged, part, write

pytestmark = pytest.mark.filterwarnings("default")

RATES = part("lightning.pytorch.callbacks.LearningRateMonitor")


def test_csv(workplace, tmp_path):
    config = configuration(workplace, callbacks=[RATES], max_epochs=1)
    lit_rec("fit", "-c", write(config, tmp_path / "config.yaml"))
    run = tmp_path / "runs/run/version_0"
    assert {path.name for path in run.iterdir()} >= {"best.ckpt", "last.ckpt", "config.yaml"}
    names = {name for name, _ in logged(run)}
    assert names >= {"train/loss", "train/loss_step", "val/loss", "val/rmse", "lr-AdamW/encoder"}
    options = yaml.safe_load((run / "hparams.yaml").read_text())
    assert options["data.batch_size"] == 16
    assert options["model.network.user_encoder"] == "MeanUserEncoder"


def test_none(workplace, tmp_path):
    """The monitor of rates, which Lightning refuses without a logger, has nothing to do."""
    config = configuration(workplace, callbacks=[RATES], max_epochs=1, logger=False)
    path = write(config, tmp_path / "config.yaml")
    lit_rec("fit", "-c", path)
    lit_rec("fit", "-c", path)
    first, second = (tmp_path / f"checkpoints/version_{n}" for n in (0, 1))
    for run in (first, second):
        names = {path.name for path in run.iterdir()}
        assert names == {"best.ckpt", "last.ckpt", "config.yaml"}
    lit_rec("fit", "-c", path, "--trainer.max_epochs=2", "--ckpt_path", first / "last.ckpt")
    assert [checkpoint(run)["epoch"] for run in (first, second)] == [1, 0]
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints", "config.yaml"}
