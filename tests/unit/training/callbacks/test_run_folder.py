"""Folders of runs, by logger; and files that are whole or not there."""

import lightning
import pytest
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger

from lit_rec.errors import ConfigError
from lit_rec.training.callbacks.run_folder import RunCheckpoint, run_folder


class RemoteLogger(DummyLogger):
    """As loggers of remote services are: a project and a run's id, and files somewhere or nowhere."""

    name, version = "project", "abc123"

    def __init__(self, save_dir=None):
        super().__init__()
        self._save_dir = save_dir

    @property
    def save_dir(self):
        return self._save_dir


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(logger, *callbacks):
        trainer = lightning.Trainer(
            logger=logger,
            callbacks=list(callbacks) or [RunCheckpoint()],
            default_root_dir=str(tmp_path),
            accelerator="cpu",
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.state.fn = "fit"
        return trainer

    return make


@pytest.mark.parametrize(
    ("logger", "folder"),
    [
        (lambda: TensorBoardLogger("runs", "name"), "runs/name/version_0"),
        (lambda: CSVLogger("runs", "name", version="v"), "runs/name/v"),
        (lambda: RemoteLogger("runs"), "runs/project/abc123"),
        (RemoteLogger, "checkpoints/project/abc123"),
        (lambda: False, "checkpoints/version_0"),
    ],
)
def test_folder_of_a_logger(trainer, tmp_path, logger, folder):
    assert run_folder(trainer(logger())).resolve() == tmp_path / folder


def test_runs_without_a_logger_are_numbered(trainer, tmp_path):
    for name in ("version_1", "version_10", "version_x"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    run = trainer(False)
    assert [run_folder(run).name for _ in range(2)] == ["version_11"] * 2
    assert run_folder(trainer(False)).name == "version_12", "another run never shares it"


def test_resumed_run_goes_on_in_its_folder_unless_another_experiment_is_named(trainer, tmp_path):
    for resumed, folder in (("runs/name/version_3", "version_3"), ("elsewhere/old", "version_0")):
        checkpoint = RunCheckpoint()
        checkpoint.resume_in(tmp_path / resumed)
        assert run_folder(trainer(CSVLogger("runs", "name"), checkpoint)).name == folder


def test_a_named_folder_is_taken(trainer, tmp_path):
    checkpoint = RunCheckpoint(dirpath=str(tmp_path / "mine"))
    assert run_folder(trainer(False, checkpoint)) == tmp_path / "mine"


def test_number_of_steps_is_checked():
    with pytest.raises(ConfigError, match="0 is too small"):
        RunCheckpoint(last_every_n_steps=0)


def test_a_file_that_cannot_be_written_leaves_the_old_one(trainer, tmp_path):
    run = trainer(False)
    run.checkpoint_callback.setup(run, None, "fit")
    save = run.strategy.checkpoint_io.save_checkpoint
    save({"step": 1}, tmp_path / "last.ckpt")
    with pytest.raises(TypeError, match="pickle"):
        save({"step": (number for number in ())}, tmp_path / "last.ckpt")
    assert torch.load(tmp_path / "last.ckpt", weights_only=True) == {"step": 1}
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoints", "last.ckpt"}


def test_resuming_makes_no_new_folder(trainer, tmp_path):
    (tmp_path / "checkpoints/version_3").mkdir(parents=True)
    checkpoint = RunCheckpoint()
    checkpoint.resume_in(tmp_path / "checkpoints/version_3")
    assert run_folder(trainer(False, checkpoint)) == tmp_path / "checkpoints/version_3"
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["version_3"]
