"""Guards on two processes: the weights of one process where nothing is random, and the same on both where it is."""

from unittest import mock

import polars as pl
import pytest

from . import several_commands
from .own_runs import checkpoint, difference, part, run_apart, uneven, with_dropout, write

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]

TWO = ("--trainer.devices=2", "--trainer.strategy=ddp")


@pytest.fixture(scope="module")
def runs(workplace, tables, tmp_path_factory):
    """A folder with runs of one process and of two, and what two processes logged.

    Each row of the first runs is a text of its own, and FGM moves each text by itself: it makes no difference which
    process has a row, or in which micro-batch it is.
    """
    folder = tmp_path_factory.mktemp("guard_processes")
    config = uneven(workplace, max_epochs=2, gradient_clip_val=0.5)
    config["trainer"]["logger"]["init_args"]["save_dir"] = str(folder)
    calm = [part("FGM", radius=0.3), part("PullToStart", strength=100.0)]
    calm += [part("GradualUnfreezing", epochs_per_layer=0.3)]
    lively = [part("FGM", share=0.3), part("AWP", share=0.3), part("Mixout"), part("WordDropout")]
    lively += [part("GradualUnfreezing", epochs_per_layer=0.3), part("several_commands.Apart")]
    keep = config["trainer"]["callbacks"]
    with_users = with_dropout(config, 0.1)
    with_users["trainer"]["callbacks"] = [*keep, *lively]
    with_users["model"]["r_drop"] = 1.0
    lively_run = str(write(with_users, folder / "lively.yaml"))

    data, model = config["data"], config["model"]["network"]
    config["trainer"]["callbacks"] = [*keep, *calm]
    data["class_path"] = "lit_rec.data.text_datamodule.ItemTextDataModule"
    data["init_args"].pop("history")
    data["init_args"]["task"] = "label"
    data["init_args"]["split"] = part("RandomSplit")
    reader = {"texts": str(tables / "texts.csv"), "columns": {"label": "intent"}}
    data["init_args"]["reader"] = part("LabelledTextReader", **reader)
    del model["init_args"]["user_encoder"], model["init_args"]["head"]
    items = model["init_args"]["item_encoder"]
    items["init_args"].pop("ids", None)
    config["model"]["network"] = part(
        "TextClassifier", item_encoder=items, head=part("LinearHead", dropout=0.0)
    )
    calm_run = ["fit", "-c", str(write(config, folder / "calm.yaml"))]
    with mock.patch("sys.argv", ["lit-rec"]):
        several_commands.run_all([[*calm_run, "--data.batch_size=8", named("one")]])
    taught = part("SelfTraining", confidence=0.4, ratio=2.0, start_epoch=0)
    config["trainer"]["callbacks"] = [*keep, taught, part("several_commands.Apart")]
    data["init_args"]["reader"]["init_args"]["texts"] = str(_half_unlabelled(tables, folder))
    taught_run = ["fit", "-c", str(write(config, folder / "taught.yaml"))]
    commands = [
        [*taught_run, "--data.batch_size=4", named("taught"), *TWO],
        [*calm_run, "--data.batch_size=4", named("two"), *TWO],
        [
            *calm_run,
            "--data.batch_size=2",
            named("four"),
            "--trainer.accumulate_grad_batches=2",
            *TWO,
        ],
        ["fit", "-c", lively_run, "--data.batch_size=8", named("lively"), *TWO],
    ]
    metrics, _ = run_apart(commands, folder, seconds=300)
    return folder, metrics


def _half_unlabelled(tables, folder):
    """A table of texts of which every other one has no label."""
    texts = pl.read_csv(tables / "texts.csv").with_row_index()
    label = pl.when(pl.col("index") % 2 == 0).then("intent")
    texts.with_columns(intent=label).drop("index").write_csv(folder / "half.csv")
    return folder / "half.csv"


def named(name):
    return f"--trainer.logger.init_args.name={name}"


@pytest.mark.parametrize("name", ["two", "four"])
def test_two_processes_take_the_steps_of_one(runs, name):
    folder, _ = runs
    one, other = (checkpoint(folder / each / "version_0") for each in ("one", name))
    assert one["global_step"] == other["global_step"] > 5
    assert difference(one, other) < 1e-6


@pytest.mark.parametrize("place", [0, -1])
def test_both_have_the_same_weights(place, runs):
    assert runs[1][place]["weights/apart"] == 0


def test_each_process_draws_rows_without_a_label_and_both_count_them(runs):
    folder, metrics = runs
    stored = checkpoint(folder / "taught/version_0")["callbacks"]["SelfTraining"]
    assert 0 < metrics[0]["train/pseudo_labels"] < 1
    # twice the 4 rows of each of two processes, in each of the epoch's steps
    counted, steps = stored["counted"], checkpoint(folder / "taught/version_0")["global_step"] // 2
    assert 16 * (steps - 1) < counted["drawn"] <= 16 * steps
    assert counted["sure"] / counted["drawn"] == pytest.approx(metrics[0]["train/pseudo_labels"])
