"""Labels in impressions on two processes: the figures of one, and those logged are the report's."""

import json
import shutil
from unittest import mock

import polars as pl
import pytest

from . import several_commands
from .own_runs import checkpoint, difference, run_apart, uneven, write

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]

TWO = ("--trainer.devices=2", "--trainer.strategy=ddp")
IMPRESSIONS = {"impression_auc", "mrr", "mind_mrr", "ndcg@5", "ndcg@10"}


@pytest.fixture(scope="module")
def runs(workplace, tmp_path_factory):
    """A folder with what one process and two fit and test, and the metrics of both commands of each."""
    folder = tmp_path_factory.mktemp("label_processes")
    config = uneven(workplace, max_epochs=1)
    config["trainer"]["logger"]["init_args"]["save_dir"] = str(folder)
    data = config["data"]["init_args"]
    table = pl.read_csv(data["reader"]["init_args"]["behaviors"])
    # a tenth has no label; what a user was shown within a part, in fours: evaluation batches and processes divide them
    shown = pl.int_range(pl.len()).over("user_id", "split") // 4
    table = table.with_columns(
        click=(pl.col("rating") >= 4).cast(pl.Int8), shown=pl.format("{}/{}", "split", shown)
    )
    table.drop("rating").write_csv(folder / "labels.csv")
    columns = {"label": "click", "impression_id": "shown"}
    data["reader"]["init_args"] |= {
        "behaviors": f"{folder}/labels.csv",
        "behavior_columns": columns,
    }
    data["task"] = "label"
    config["model"]["network"]["init_args"]["head"] = {
        "class_path": "lit_rec.models.heads.value_heads.DotHead"
    }
    fit = ["fit", "-c", str(write(config, folder / "config.yaml")), "--trainer.logger.init_args"]
    metrics = {}
    with mock.patch("sys.argv", ["lit-rec"]):
        metrics["one"], _ = several_commands.run_all([[*fit[:-1], f"{fit[-1]}.name=one"]])
        for name in ("by_one", "by_two"):
            (folder / name).mkdir()
            shutil.copy(folder / "one/version_0/best.ckpt", folder / name)
        test = ["test", "--ckpt_path", f"{folder}/by_one/best.ckpt"]
        metrics["one"] += several_commands.run_all([test])[0]
    commands = [
        [*fit[:-1], f"{fit[-1]}.name=two", "--data.batch_size=8", *TWO],
        ["test", "--ckpt_path", f"{folder}/by_two/best.ckpt", *TWO],
    ]
    metrics["two"], _ = run_apart(commands, folder, seconds=200)
    return folder, metrics


def test_two_processes_train_and_measure_what_one_does(runs):
    folder, metrics = runs
    assert difference(*(checkpoint(folder / f"{n}/version_0") for n in ("one", "two"))) < 1e-5
    for one, two, stage in zip(metrics["one"], metrics["two"], ("val", "test"), strict=True):
        logged = {name.removeprefix(f"{stage}/") for name in one if name.startswith(stage)}
        assert logged == {"loss", "accuracy", "macro_f1", "auc", *IMPRESSIONS}
        assert two == pytest.approx(one, abs=1e-4)


@pytest.mark.parametrize("name", ["one", "two"])
def test_what_is_logged_is_what_the_report_says(runs, name):
    folder, metrics = runs
    rows = json.loads((folder / f"by_{name}/report.json").read_text())["rows"]
    of_model = {
        row["metric"]: row["value"]
        for row in rows
        if (row["model"], row["slice"]) == ("lit_rec", "all")
    }
    for metric in (*IMPRESSIONS, "accuracy", "macro_f1", "auc"):
        assert metrics[name][1][f"test/{metric}"] == pytest.approx(of_model[metric], abs=1e-6)
