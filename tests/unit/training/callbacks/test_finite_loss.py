"""FiniteLoss in a Trainer, with a module of one weight that becomes NaN where it is told to."""

import lightning
import pytest
import torch
from lightning.pytorch.strategies import SingleDeviceStrategy
from torch.utils.data import DataLoader

from lit_rec.errors import ConfigError
from lit_rec.training.callbacks import finite_loss
from lit_rec.training.callbacks.finite_loss import FiniteLoss
from lit_rec.training.callbacks.run_folder import RunCheckpoint

pytestmark = pytest.mark.filterwarnings("default")


class Diverging(lightning.LightningModule):
    """Four batches an epoch; the loss is NaN from optimizer step ``at``, counted from 0."""

    def __init__(self, at, rating=1.0):
        super().__init__()
        self.save_hyperparameters({"head_rate": 0.1})
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.at, self.rating = at, rating

    def training_step(self, batch, batch_idx):
        return self.weight**2 * (float("nan") if self.global_step >= self.at else 1.0)

    def validation_step(self, batch, batch_idx):
        self.log("val/rmse", self.weight * self.rating)
        return self.weight**2

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def train_dataloader(self):
        return DataLoader(torch.zeros(4, 1), batch_size=1)

    def val_dataloader(self):
        return DataLoader(torch.zeros(2, 1), batch_size=1)


def fit(folder, module, **options):
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        max_epochs=3,
        callbacks=[RunCheckpoint(dirpath=str(folder), monitor="val/rmse"), FiniteLoss()],
        **options,
    )
    trainer.fit(module)
    return trainer


def test_found_where_the_loss_is_logged(tmp_path):
    with pytest.raises(ConfigError, match="train/loss_step is nan") as found:
        fit(tmp_path, Diverging(at=0), log_every_n_steps=2)
    text = str(found.value)
    assert "step 2 (epoch 0)" in text
    assert "Diverging.head_rate (0.1)" in text
    assert "set Trainer.gradient_clip_val to 1.0" in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "name"),
    [({}, "val/loss"), ({"val_check_interval": 0.5}, "val/loss"), ({"limit_val_batches": 0}, "")],
)
def test_checkpoints_saved_before_stay(tmp_path, options, name):
    """Too few steps to be logged: validation finds it, or the end of the epoch does."""
    with pytest.raises(ConfigError, match=f"{name or 'train/loss_step'} is nan"):
        fit(tmp_path, Diverging(at=5), log_every_n_steps=50, **options)
    last = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert last["global_step"] == 4
    assert (tmp_path / "best.ckpt").exists() == ("limit_val_batches" not in options)
    for path in tmp_path.iterdir():
        assert torch.load(path, weights_only=True)["state_dict"]["weight"].isfinite()


def test_the_last_step_of_an_epoch_is_looked_at_by_validation(tmp_path):
    with pytest.raises(ConfigError, match=r"step 4 \(epoch 0\): .*val/loss is nan"):
        fit(tmp_path, Diverging(at=3), log_every_n_steps=50)
    assert list(tmp_path.iterdir()) == []


def test_metric_without_a_value_is_no_divergence(tmp_path):
    """Validation rows may have no ratings: their metric is NaN, their loss is not."""
    assert fit(tmp_path, Diverging(at=99, rating=float("nan"))).global_step == 12


def test_the_loss_is_not_read_at_each_step(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(finite_loss, "_check", lambda name, *others: read.append(name))
    fit(tmp_path, Diverging(at=99), log_every_n_steps=4)
    # sanity validation is not of fit's own; then logged, validated, ended: three times
    assert read.count("train/loss_step") == 6
    assert read.count("val/loss") <= 4


def test_all_processes_end_together(tmp_path, monkeypatch):
    """Of several, one that ended alone would leave the others waiting."""
    monkeypatch.setattr(SingleDeviceStrategy, "reduce_boolean_decision", lambda *_, **__: True)
    with pytest.raises(ConfigError, match="is not finite elsewhere"):
        fit(tmp_path, Diverging(at=99), log_every_n_steps=2)
