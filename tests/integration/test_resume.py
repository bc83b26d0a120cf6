"""A run that was killed and resumed is the run that was never killed: rows, weights, scores and logs."""

import random
import shutil
import signal

import pytest

from lit_rec.training.callbacks.run_folder import RunCheckpoint
from lit_rec.training.lit_rec import LitRec
from tests.warm_processes import run_warm

from .conftest import lit_rec
from .own_runs import checkpoint, configuration, difference, logged, part, write

pytestmark = pytest.mark.filterwarnings("default")

STOPPING = part("lightning.pytorch.callbacks.EarlyStopping", monitor="val/rmse", patience=9)
EMA = part("lightning.pytorch.callbacks.EMAWeightAveraging", decay=0.8)
SWA = part("lightning.pytorch.callbacks.StochasticWeightAveraging", swa_lrs=1e-3, swa_epoch_start=1)
# a run that was never killed, and after which of its steps (10 an epoch) others go on, by how many workers
RUNS = {
    "plain": ({"last_every_n_steps": 3}, [(3, 0), (10, 0), (12, 2)]),
    "accumulated": ({"last_every_n_steps": 3, "accumulate_grad_batches": 3}, [(6, 0)]),
    "validated within epochs": ({"val_check_interval": 0.5}, [(10, 0), (15, 0)]),
    "moving average": ({"last_every_n_steps": 3, "callbacks": [EMA]}, [(12, 0)]),
    "average of epochs": ({"callbacks": [SWA], "max_epochs": 3}, [(20, 0)]),
    "frozen encoder": ({"last_every_n_steps": 3}, [(3, 0), (12, 2)]),
    "frozen lower layers": ({"last_every_n_steps": 3}, [(3, 0), (12, 2)]),
    "lora in the top layer": ({"last_every_n_steps": 3}, [(12, 0)]),
    "prompt": ({"last_every_n_steps": 3}, [(12, 0)]),
    "augmented": ({"last_every_n_steps": 3}, [(12, 2)]),
    "adalora, averaged, alone in its checkpoints": (
        {"last_every_n_steps": 3, "max_epochs": 1, "callbacks": [EMA]},
        [(6, 0)],
    ),
}
TUNINGS = {
    "frozen encoder": part("lit_rec.models.text.tuning.FrozenTuning"),
    "frozen lower layers": part("lit_rec.models.text.tuning.TopLayersTuning", layers=1),
    "lora in the top layer": part("LoraTuning", rank=2, dropout=0.1, layers=1),
    "prompt": part("PromptTuning", tokens=2),
    # values are chosen after the steps 3, 5 and 7
    "adalora, averaged, alone in its checkpoints": part(
        "AdaLoraTuning", rank=1, every=2, settle=0.3
    ),
}

AUGMENTATION = [part("MaskWords", rate=0.5), part("MaskBehaviors", rate=0.5, share=0.5)]


@pytest.fixture
def fit(tmp_path, monkeypatch):
    """Fit by a configuration; return the rows of each batch. Each last.ckpt is copied, too."""
    save = RunCheckpoint._save_last_checkpoint

    def save_and_copy(checkpoint, trainer, candidates):
        save(checkpoint, trainer, candidates)
        folder = tmp_path / f"step_{trainer.global_step}"
        folder.mkdir(exist_ok=True)
        shutil.copy(checkpoint.last_model_path, folder / "last.ckpt")

    def run(config, *words):
        rows = []
        monkeypatch.setattr(RunCheckpoint, "_save_last_checkpoint", save_and_copy)
        monkeypatch.setattr(
            LitRec, "on_train_batch_end", lambda _, __, batch, ___: rows.append(batch.row.tolist())
        )
        lit_rec("fit", "-c", write(config, tmp_path / "config.yaml"), *words)
        return rows

    return run


@pytest.mark.parametrize("name", RUNS)
def test_resumed_run_is_the_run_that_was_never_stopped(name, fit, workplace, tmp_path):
    options, places = RUNS[name]
    callbacks = [STOPPING, *options.get("callbacks", [])]
    config = configuration(workplace, **{"max_epochs": 2, **options, "callbacks": callbacks})
    config["data"]["init_args"]["augmentation"] = AUGMENTATION if name == "augmented" else None
    if name in TUNINGS:
        # a text's vector depends, in its last bits, on the texts that it is encoded with
        item_encoder = config["model"]["network"]["init_args"]["item_encoder"]["init_args"]
        item_encoder["backbone"]["init_args"]["tuning"] = TUNINGS[name]
        item_encoder["max_tokens_per_chunk"] = 100
    if "adalora" in name:
        config["trainer"]["callbacks"][0]["init_args"]["adapters_only"] = True
    rows = fit(config)
    whole = tmp_path / "runs/run/version_0"
    values = logged(whole)
    for version, (step, workers) in enumerate(places, 1):
        before = tmp_path / f"step_{step}/last.ckpt"
        shutil.copy(before, kept := tmp_path / f"resumed_{step}.ckpt")
        progress = checkpoint(before.parent)["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        done = progress["total"]["ready"]
        assert 0 < done < len(rows)
        assert fit(config, "--ckpt_path", kept, "--data.num_workers", workers) == rows[done:]
        resumed = tmp_path / f"runs/run/version_{version}"
        assert difference(checkpoint(whole), checkpoint(resumed)) == 0
        again = logged(resumed)
        assert again.items() <= values.items()
        assert {key for key in values if key[1] >= done} <= again.keys()
        assert memory_of(resumed) == memory_of(whole)


def memory_of(folder):
    """What EarlyStopping knows of the scores so far."""
    states = checkpoint(folder)["callbacks"]
    return next(state for name, state in states.items() if "EarlyStopping" in name)


def test_resumed_run_goes_on_in_its_folder_and_its_best_is_replaced_by_a_better_one_alone(
    workplace, tmp_path
):
    """With rates of 0 no epoch is better than the first."""
    config = configuration(workplace, max_epochs=1)
    config["model"] |= {"head_rate": 0.0, "encoder_rate": 0.0}
    path, run = write(config, tmp_path / "config.yaml"), tmp_path / "runs/run/version_0"
    lit_rec("fit", "-c", path)
    first = logged(run)
    resume = ("fit", "-c", path, "--trainer.max_epochs=2", "--ckpt_path")
    lit_rec(*resume, run / "last.ckpt")
    assert [folder.name for folder in run.parent.iterdir()] == ["version_0"]
    assert (checkpoint(run, "best")["epoch"], checkpoint(run)["epoch"]) == (0, 1)
    assert first.items() < logged(run).items()
    # a new run by the configuration of this one is no part of it
    lit_rec("fit", "-c", run / "config.yaml", "--trainer.max_epochs=1")
    assert (run.parent / "version_1/best.ckpt").is_file()
    # what is lost is written again
    (run / "best.ckpt").unlink()
    lit_rec(*resume, run / "last.ckpt", "--trainer.max_epochs=3")
    assert checkpoint(run, "best")["epoch"] == 2
    # another experiment is another run
    other = ["--trainer.logger.init_args.name=other"]
    lit_rec(*resume, run / "last.ckpt", "--trainer.max_epochs=4", *other)
    assert (tmp_path / "runs/other/version_0/best.ckpt").is_file()


KILLED = """
import os, signal, sys
from lit_rec.cli.main import main
from lit_rec.training.lit_rec import LitRec

def kill(module, outputs, batch, batch_idx):
    if module.global_step == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

LitRec.on_train_batch_end = kill
main(sys.argv[2:])
"""


@pytest.mark.slow
def test_killed_run_goes_on(workplace, tmp_path):
    step = random.randrange(3, 20)
    config = configuration(workplace, max_epochs=2, last_every_n_steps=2)
    words = ("fit", "-c", str(write(config, tmp_path / "config.yaml")))
    killed = run_warm(KILLED, step, *words, folder=tmp_path)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    run = tmp_path / "runs/run/version_0"
    assert checkpoint(run)["global_step"] == (10 if step == 11 else step // 2 * 2), step
    lit_rec(*words, "--ckpt_path", run / "last.ckpt")
    lit_rec(*words, "--trainer.logger.init_args.name=whole")
    whole = tmp_path / "runs/whole/version_0"
    assert difference(checkpoint(run), checkpoint(whole)) == 0, step
    assert checkpoint(run, "best")["global_step"] == checkpoint(whole, "best")["global_step"]


def test_a_run_killed_after_its_last_step_shows_its_items_when_resumed(workplace, tmp_path):
    """What was written of the projector is begun again, so it is there once."""
    logger = part("lightning.pytorch.loggers.TensorBoardLogger", save_dir="runs", name="run")
    config = configuration(workplace, max_epochs=1, logger=logger)
    words = ("fit", "-c", str(write(config, tmp_path / "config.yaml")))
    lit_rec(*words)
    run = tmp_path / "runs/run/version_0"
    projector = run / "projector_config.pbtxt"
    whole = projector.read_text()
    (folder,) = (path.parent for path in run.glob("*/items/tensors.tsv"))
    vectors = (folder / "tensors.tsv").read_text()
    for left in ("", whole):
        shutil.rmtree(folder)
        projector.write_text(left)
        lit_rec(*words, "--ckpt_path", run / "last.ckpt")
        assert projector.read_text() == whole
        assert (folder / "tensors.tsv").read_text() == vectors
