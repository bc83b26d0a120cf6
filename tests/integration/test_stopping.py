"""Signals: which exit code, what is said, and that a stopped run goes on as if it had never stopped."""

import os
import shutil
import signal

import pytest

from lit_rec import stopping
from lit_rec.training.lit_rec import LitRec
from tests.warm_processes import run_warm

from .conftest import lit_rec
from .own_runs import checkpoint, configuration, difference, write

pytestmark = pytest.mark.filterwarnings("default")


def stopped(capsys, *words):
    """Run a command that a signal ends; return its exit code and what it said."""
    with pytest.raises(SystemExit) as stop:
        lit_rec(*words)
    text = capsys.readouterr().err
    assert "Traceback" not in text
    return stop.value.code, text


@pytest.mark.parametrize(
    ("step", "options", "number"),
    [
        (4, {}, signal.SIGTERM),
        (10, {}, signal.SIGINT),
        (3, {"accumulate_grad_batches": 2}, signal.SIGTERM),
        (15, {"val_check_interval": 0.5}, signal.SIGINT),
    ],
)
def test_stopped_run_goes_on_bit_by_bit(
    step, options, number, workplace, tmp_path, capfd, monkeypatch
):
    config = configuration(workplace, max_epochs=2, **options)
    words = ("fit", "-c", write(config, tmp_path / "config.yaml"))
    lit_rec(*words, "--trainer.logger.init_args.name=whole")
    count = 0

    def send(module, batch, batch_idx):
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(LitRec, "on_train_batch_start", send)
        code, text = stopped(capfd, *words)
    assert code == 128 + number
    run = tmp_path / "runs/run/version_0"
    steps = -(-step // options.get("accumulate_grad_batches", 1))
    assert checkpoint(run)["global_step"] == steps
    assert f"after step {steps}; go on with: lit-rec fit" in text
    resume = text.rpartition("lit-rec ")[2].split()
    lit_rec(*resume)
    assert difference(checkpoint(run), checkpoint(tmp_path / "runs/whole/version_0")) == 0


SIGNALLED = """
import os, signal, sys
from lit_rec.cli.main import main
from lit_rec import stopping
from lit_rec.training.lit_rec import LitRec

def send(module, batch, batch_idx):
    if module.global_step == 5 and module.global_rank == int(sys.argv[1]):
        os.kill(os.getpid(), int(sys.argv[2]))

LitRec.on_train_batch_start = send
main(sys.argv[3:])
"""


@pytest.fixture
def signalled(workplace, tmp_path):
    """Fit in processes of which one gets a signal at its sixth step; return exit code and what was said."""

    def run(rank, number, *words):
        config = configuration(workplace, max_epochs=1, last_every_n_steps=2)
        (tmp_path / "signalled.py").write_text(SIGNALLED)
        words = [rank, int(number), "fit", "-c", write(config, tmp_path / "config.yaml"), *words]
        done = run_warm(tmp_path / "signalled.py", *words, folder=tmp_path)
        return done.returncode, done.stderr

    return run


TWO = ("--trainer.devices=2", "--trainer.strategy=ddp", "--data.batch_size=8")


@pytest.mark.slow
def test_two_processes_stop_at_the_same_step(signalled, tmp_path):
    code, text = signalled(1, signal.SIGTERM, *TWO)
    assert code == 143, text[-2000:]
    assert text.count("stopped by SIGTERM after step 6; go on with") == 1
    assert "Traceback" not in text
    assert checkpoint(tmp_path / "runs/run/version_0")["global_step"] == 6


@pytest.mark.slow
@pytest.mark.parametrize(("rank", "code"), [(1, 1), (0, -9)])
def test_killed_process_ends_the_other(rank, code, signalled, tmp_path):
    """What the survivor says stands in the same stream, which ends when both have."""
    found, text = signalled(rank, signal.SIGKILL, *TWO)
    assert found == code, text[-2000:]
    assert "last.ckpt" in text
    assert "Traceback" not in text
    if rank == 1:
        assert "rank 1 was killed by signal 9" in text
    assert checkpoint(tmp_path / "runs/run/version_0")["global_step"] == 4


@pytest.mark.slow
def test_signal_and_workers_of_the_data(workplace, tmp_path):
    config = configuration(workplace, max_epochs=1, last_every_n_steps=2)
    words = [0, int(signal.SIGINT), "fit", "-c", write(config, tmp_path / "config.yaml")]
    done = run_warm(SIGNALLED, *words, "--data.num_workers=2", folder=tmp_path)
    assert done.returncode == 130
    assert "stopped by Ctrl-C after step 6" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "Ctrl-C")]
)
@pytest.mark.parametrize(
    ("command", "place"),
    [
        (("test",), "lit_rec.training.lit_rec.LitRec.test_step"),
        (("validate",), "lit_rec.training.lit_rec.LitRec.validation_step"),
        (("predict",), "lit_rec.training.lit_rec.LitRec.predict_step"),
        (("predict", "--k=3"), "lit_rec.inference.lists.list_module.ListModule.predict_step"),
        (
            ("recommend", "--history=1", "--k=3"),
            "lit_rec.inference.recommender.Recommender.from_checkpoint",
        ),
    ],
)
def test_other_commands_end_at_once(
    number, name, command, place, run_folder, tmp_path, capfd, monkeypatch
):
    folder = shutil.copytree(run_folder, tmp_path / "run")
    before = {path.name for path in folder.iterdir()}
    monkeypatch.setattr(place, lambda *_, **__: os.kill(os.getpid(), number))
    code, text = stopped(capfd, *command[:1], f"--ckpt_path={folder}/best.ckpt", *command[1:])
    assert code == 128 + number
    assert f"lit_rec: stopped by {name}" in text
    left = {path.name for path in folder.iterdir()} - before
    assert all(path.startswith(".recommendations.") for path in left), left  # what is gone on from


def test_signal_before_training(workplace, tmp_path, capfd, monkeypatch):
    path = write(configuration(workplace), tmp_path / "config.yaml")
    place = "lit_rec.data.datamodule.BehaviorDataModule.prepare_data"
    monkeypatch.setattr(place, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    code, text = stopped(capfd, "fit", "-c", path)
    assert code == 143
    assert "stopped by SIGTERM" in text
    assert not list(tmp_path.glob("runs/**/*.ckpt"))
    # or a run that follows in this process, of a notebook say, would end at its first step
    assert stopping.stop.asked is None


def test_second_signal_ends_within_the_step(workplace, tmp_path, capfd, monkeypatch):
    path = write(configuration(workplace, last_every_n_steps=1), tmp_path / "config.yaml")

    def twice(module, *_):
        if module.global_step == 3:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(LitRec, "on_train_batch_start", twice)
    code, text = stopped(capfd, "fit", "-c", path)
    assert code == 130
    assert "again to stop at once" in text
    assert checkpoint(tmp_path / "runs/run/version_0")["global_step"] == 3


def test_configuration_without_run_checkpoint(workplace, tmp_path, capfd, monkeypatch):
    config = configuration(workplace)
    config["trainer"] |= {"callbacks": [], "enable_checkpointing": False}
    monkeypatch.setattr(
        LitRec, "on_train_batch_start", lambda *_: os.kill(os.getpid(), signal.SIGTERM)
    )
    code, text = stopped(capfd, "fit", "-c", write(config, tmp_path / "config.yaml"))
    assert code == 143
    assert "nothing was saved: the configuration has no RunCheckpoint" in text
