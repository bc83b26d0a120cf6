"""Signals: which exit code, what is said, and that a stopped run goes on as if it had never stopped."""

import os
import signal
import subprocess
import sys

import pytest

from lit_rec.training.lit_rec import LitRec

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
from lit_rec.cli import main
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
        path = write(config, tmp_path / "config.yaml")
        done = subprocess.run(
            [sys.executable, "signalled.py", str(rank), str(int(number)), "fit", "-c", path, *words],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stderr

    return run


TWO = ("--trainer.devices=2", "--trainer.strategy=ddp", "--data.batch_size=8")


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_two_processes_stop_at_the_same_step(rank, signalled, tmp_path):
    code, text = signalled(rank, signal.SIGTERM, *TWO)
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
def test_signal_and_workers_of_the_data(signalled):
    code, text = signalled(0, signal.SIGINT, "--data.num_workers=2")
    assert code == 130
    assert "stopped by Ctrl-C after step 6" in text
    assert "Traceback" not in text
