"""The command line itself: what wins over what, what a run resumes, and what a checkpoint hands on."""

import re
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import lit_rec as package
from lit_rec.errors import ConfigError

from .conftest import ROOT, lit_rec, options

pytestmark = pytest.mark.filterwarnings("default")

CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))


@pytest.fixture
def parsed(monkeypatch):
    """Parse a command without building anything, and return its configuration."""
    from lit_rec.cli.rec_cli import RecCLI

    class ParsedError(Exception):
        pass

    def stop(cli):
        raise ParsedError(cli.config[cli.subcommand])

    monkeypatch.setattr(RecCLI, "before_instantiate_classes", stop)

    def parse(*words):
        with pytest.raises(ParsedError) as found:
            lit_rec(*words)
        return found.value.args[0]

    return parse


def encoder_names(config):
    """The encoder as the data and as the network name it."""
    network = config.model.network.init_args
    # a cross-encoder has its encoder at first hand
    encoder = network if "backbone" in network else network.item_encoder.init_args
    return config.data.init_args.encoder, encoder.backbone.init_args.name


def run_of(workplace, folder, *words):
    """Fit, and return the folder of the run."""
    lit_rec(
        "fit",
        *options(workplace),
        f"--trainer.logger.init_args.save_dir={folder}",
        *map(str, words),
    )
    return max((folder / "own_data").iterdir(), key=lambda path: path.stat().st_mtime)


def test_there_are_configurations_to_parse():
    assert {"quickstart.yaml", "own_data.yaml"} <= {path.name for path in CONFIGS}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_configuration_parses_and_names_one_encoder(path, parsed):
    data, network = encoder_names(parsed("fit", "-c", path))
    assert data == network == yaml.safe_load(path.read_text())["data"]["init_args"]["encoder"]


def test_interpolation_follows_an_option(parsed):
    config = parsed(
        "fit", "-c", ROOT / "configs/quickstart.yaml", "--data.encoder", "other/encoder"
    )
    assert encoder_names(config) == ("other/encoder", "other/encoder")


def test_interpolation_follows_a_second_file(parsed, tmp_path):
    second = tmp_path / "second.yaml"
    second.write_text("data:\n  init_args:\n    encoder: other/encoder\n    batch_size: 7\n")
    words = ("fit", "-c", ROOT / "configs/quickstart.yaml", "-c", second)
    config = parsed(*words)
    assert encoder_names(config) == ("other/encoder", "other/encoder")
    assert config.data.init_args.batch_size == 7
    assert parsed(*words, "--data.batch_size=9").data.init_args.batch_size == 9


def test_options_may_be_written_with_hyphens(parsed, run_folder):
    words = ("--data.batch-size=7", "--data.init_args.max-tokens", "9", "--trainer.max-epochs=2")
    encoder = "--data.encoder=an-encoder"
    config = parsed("fit", "-c", ROOT / "configs/quickstart.yaml", *words, encoder)
    assert (config.data.init_args.batch_size, config.data.init_args.max_tokens) == (7, 9)
    assert config.data.init_args.encoder == "an-encoder"
    assert config.trainer.max_epochs == 2
    config = parsed("predict", "--ckpt-path", run_folder / "best.ckpt", "--exclude-seen=false")
    assert config.exclude_seen is False


def test_version_and_help(capsys):
    lit_rec("--version")
    assert capsys.readouterr().out == f"lit-rec {package.__version__}\n"
    for words in ((), ("--help",), ("-h",)):
        lit_rec(*words)
        assert "lit-rec recommend" in capsys.readouterr().out


def test_debug_shows_the_error_itself(monkeypatch):
    monkeypatch.setenv("LIT_REC_DEBUG", "1")
    with pytest.raises(ConfigError, match="'fti'"):
        lit_rec("fti")


def test_validate_gives_the_metrics_of_the_best_epoch(run_folder, capsys):
    lit_rec("validate", "--ckpt_path", run_folder / "best.ckpt")
    shown = dict(re.findall(r"(val/\w+)\W+([\d.]+)", capsys.readouterr().out))
    assert set(shown) == {"val/loss", "val/mae", "val/rmse"}
    callbacks = torch.load(run_folder / "best.ckpt", weights_only=True)["callbacks"]
    best = next(s["best_model_score"] for n, s in callbacks.items() if "RunCheckpoint" in n)
    assert float(shown["val/rmse"]) == pytest.approx(float(best), abs=5e-5)


def test_metrics_that_a_callback_may_name_are_those_that_fit_logs(run_folder):
    from lit_rec.tasks.registry import task_named
    from lit_rec.training.callbacks.monitors import logged_names

    events = EventAccumulator(str(run_folder))
    events.Reload()
    # beside rates, and what `lit-rec test` writes
    logged = {n for n in events.Tags()["scalars"] if n.startswith(("train/", "val/"))}
    assert logged == set(logged_names(task_named("rating")))


def test_an_option_wins_over_the_checkpoint(run_folder, parsed):
    words = ("predict", "--ckpt_path", run_folder / "best.ckpt")
    assert parsed(*words).data.init_args.eval_batch_size == 4096
    config = parsed(*words, "--data.eval_batch_size", "8")
    assert config.data.init_args.eval_batch_size == 8


def test_what_wins_over_the_checkpoint_is_said(run_folder, caplog):
    caplog.set_level("INFO", "lightning.pytorch")
    words = ("--data.eval_batch_size=8", "--trainer.log_every_n_steps=3")
    lit_rec("predict", "--ckpt_path", run_folder / "best.ckpt", *words)
    said = [text for text in caplog.messages if "in the checkpoint" in text]
    assert "data.eval_batch_size: 8 (4096 in the checkpoint)" in said
    assert len(said) == 2, said
    caplog.clear()
    lit_rec("predict", "--ckpt_path", run_folder / "best.ckpt")
    assert not [text for text in caplog.messages if "in the checkpoint" in text]


def test_a_row_is_predicted_once_whatever_the_batch(run_folder, workplace):
    frames = []
    for size in ("8", "4096"):
        lit_rec(
            "predict",
            "--ckpt_path",
            run_folder / "best.ckpt",
            f"--data.eval_batch_size={size}",
            "--data.predict_part=all",
        )
        frames.append(pl.read_parquet(run_folder / "predictions.parquet"))
    behaviors = (workplace / "my/behaviors.csv").read_text().splitlines()
    assert len(frames[0]) == len(behaviors) - 1
    np.testing.assert_allclose(frames[0]["score"], frames[1]["score"], atol=1e-5)


@pytest.mark.parametrize(("interval", "step"), [("1.0", 15), ("0.5", 14)])
def test_last_checkpoint_is_of_the_newest_epoch_even_if_it_is_the_worst(
    workplace, tmp_path, interval, step
):
    """With rates of 0 no epoch is better than the first."""
    run = run_of(
        workplace,
        tmp_path,
        "--model.head_rate=0",
        "--model.encoder_rate=0",
        "--trainer.min_epochs=3",
        f"--trainer.val_check_interval={interval}",
    )
    best, last = (torch.load(run / f"{n}.ckpt", weights_only=True) for n in ("best", "last"))
    assert (best["epoch"], last["epoch"]) == (0, 2)
    assert last["global_step"] == step


def test_resuming_on_other_data_names_both_values(workplace, tmp_path, run_folder, capsys):
    with pytest.raises(SystemExit):
        run_of(
            workplace,
            tmp_path,
            "--data.max_tokens=9",
            "--trainer.max_epochs=9",
            "--ckpt_path",
            run_folder / "last.ckpt",
        )
    assert "max_tokens: 9 in the data, 64 in the checkpoint" in capsys.readouterr().err


def test_a_process_of_its_own_says_no_more_than_the_message(workplace, tmp_path):
    """Here nothing was imported before, so noise of libraries would show."""
    code = "import sys; from lit_rec.cli.main import main; main(sys.argv[1:])"
    words = [*options(workplace), "--data.text.columns=[titel]"]
    done = subprocess.run(
        [sys.executable, "-c", code, "fit", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "titel" in done.stderr
    assert len(done.stderr.splitlines()) <= 8, done.stderr
    assert "Traceback" not in done.stderr
