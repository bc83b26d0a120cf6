"""Two processes give what one gives: values, reports, predictions, lists and weights; and they resume together."""

import json
import re
import shutil
from unittest import mock

import numpy as np
import polars as pl
import pytest

from . import several_commands
from .own_runs import (
    checkpoint,
    difference,
    logged,
    part,
    run_apart,
    uneven,
    with_dropout,
    without_vectors,
    write,
)

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]

TWO = ("--trainer.devices=2", "--trainer.strategy=ddp")


@pytest.fixture(scope="module")
def runs(workplace, tmp_path_factory):
    """A folder with the runs of one process and of two, the metrics of their commands, and what two processes told.

    One process: ``fit`` with 16 rows a batch. Two: ``fit`` with 8 each; both then use the checkpoint of the first, two
    without the vectors in it. With chance, two processes run an epoch, and once more its end, from a checkpoint within
    it. The lists of two processes are begun by one.
    """
    folder = tmp_path_factory.mktemp("processes")
    config = uneven(workplace, max_epochs=1, last_every_n_steps=5)
    config["trainer"]["logger"]["init_args"]["save_dir"] = str(folder)
    fit = ["fit", "-c", str(write(config, folder / "config.yaml"))]
    config = with_dropout(config, 0.3)
    config["data"]["init_args"]["history"] = part("lit_rec.data.history.histories.TrainingHistory")
    config["trainer"]["callbacks"] += [part("several_commands.KeepEachLast")]
    config["trainer"]["callbacks"] += [part("several_commands.OwnItems")]
    chance = ["fit", "-c", str(write(config, folder / "with_chance.yaml")), "--data.batch_size=8"]

    metrics = {}
    with mock.patch("sys.argv", ["lit-rec"]):
        metrics["one"], _ = several_commands.run_all([[*fit, named("one")]])
        best = folder / "one/version_0/best.ckpt"
        for name in ("by_one", "by_two"):
            (folder / name).mkdir()
        shutil.copy(best, folder / "by_one")
        without_vectors(best, folder / "by_two/best.ckpt", cache_folder=f"{folder}/cache")
        metrics["one"] += several_commands.run_all(uses_of(folder / "by_one"))[0]
        # in another cache: two processes are to encode the catalogue themselves
        once = ["--trainer.limit_predict_batches=1", f"--data.cache_folder={folder}/another"]
        lists = [*uses_of(folder / "by_two")[-1], *once]
        several_commands.run_all([lists])
        assert not (folder / "by_two/recommendations.parquet").exists()
    commands = [
        [*fit, "--data.batch_size=8", named("two")],
        *uses_of(folder / "by_two"),
        [*chance, named("whole")],
        [*chance, named("resumed"), "--ckpt_path", f"{folder}/whole/version_0/after_15.ckpt"],
    ]
    several = [[*command, *TWO] for command in commands]
    metrics["two"], told = run_apart(several, folder, seconds=300)
    return folder, metrics, told


def named(name):
    return f"--trainer.logger.init_args.name={name}"


def uses_of(folder):
    words = [["validate"], ["test"], ["predict"], ["predict", "--k=5"]]
    return [[*word, "--ckpt_path", f"{folder}/best.ckpt"] for word in words]


def test_values_of_one_checkpoint(runs):
    _, metrics, _ = runs
    assert [set(m) for m in metrics["one"][1:3]] == [
        {f"{stage}/{name}" for name in ("loss", "mae", "rmse")} for stage in ("val", "test")
    ]
    for one, two in zip(metrics["one"][1:4], metrics["two"][1:4], strict=True):
        assert two == pytest.approx(one, abs=1e-6)


def test_report(runs):
    folder, _, _ = runs
    one, two = (
        json.loads((folder / name / "report.json").read_text())["rows"]
        for name in ("by_one", "by_two")
    )
    assert max(row["count"] for row in one) > 150  # of 193 rows, those with a rating
    assert len(one) == len(two)
    for row, other in zip(one, two, strict=True):
        assert other == pytest.approx(row, abs=1e-6)


def test_each_row_is_predicted_once(runs, workplace):
    folder, _, _ = runs
    one, two = (pl.read_parquet(folder / f"{n}/predictions.parquet") for n in ("by_one", "by_two"))
    table = pl.read_csv(workplace / "my/uneven.csv", infer_schema=False)
    rows = table.filter(pl.col("split") == "test").select("user_id", "item_id")
    assert len(rows) == 193
    assert one.drop("score").equals(rows)
    assert two.drop("score").equals(rows)
    np.testing.assert_allclose(two["score"], one["score"], atol=1e-6)


def test_each_user_has_one_list(runs, workplace):
    """Two processes go on with the block that one has made, of the four that eight users each make of thirty."""
    folder, _, told = runs
    one, two = (
        pl.read_parquet(folder / f"{n}/recommendations.parquet") for n in ("by_one", "by_two")
    )
    users = pl.read_csv(workplace / "my/uneven.csv", infer_schema=False)["user_id"].unique().sort()
    assert len(users) == 30
    assert one["user_id"].to_list() == [user for user in users for _ in range(5)]
    assert two.drop("score").equals(one.drop("score"))
    np.testing.assert_allclose(two["score"], one["score"], atol=1e-6)
    assert "1 of 4 blocks of users were found done" in told
    assert not list(folder.glob("by_*/.recommendations*"))


def test_each_process_encodes_its_part_of_the_catalogue_and_none_of_what_is_known(runs):
    folder, _, told = runs
    shares = [
        v for (name, _), v in logged(folder / "whole/version_0").items() if "own_items" in name
    ]
    assert shares == [20.0]  # of 40
    found = re.findall(r"item vectors: (.*)", told)
    assert found == ["40 items, 0 found, 40 encoded", *["40 items, 40 found, 0 encoded"] * 3]


def test_training_with_the_same_rows_a_step(runs):
    folder, _, _ = runs
    one, two = folder / "one/version_0", folder / "two/version_0"
    assert checkpoint(one)["global_step"] == checkpoint(two)["global_step"] == 21
    assert difference(checkpoint(one), checkpoint(two)) < 1e-5
    values = logged(one)
    assert {name for name, _ in values} >= {"train/loss_step", "train/loss", "val/loss", "val/rmse"}
    assert logged(two) == pytest.approx(values, rel=1e-5)


def test_resumed_together(runs):
    """Each process goes on with chance of its own."""
    folder, _, _ = runs
    whole, resumed = (checkpoint(folder / f"{name}/version_0") for name in ("whole", "resumed"))
    one, other = (rank["chance"]["torch"] for rank in whole["ranks"])
    assert not one.equal(other)
    assert difference(whole, resumed) == 0
