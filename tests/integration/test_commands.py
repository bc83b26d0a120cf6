"""fit, validate, test, predict and recommend, on made-up tables."""

import json
import shutil
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

import lit_rec as package
from lit_rec.errors import LitRecError
from lit_rec.evaluation.report.report import Report
from lit_rec.evaluation.report.schema import problems
from lit_rec.inference.recommender import Recommender
from lit_rec.training.callbacks.run_record import flat_options
from tests.warm_processes import run_warm

from .conftest import lit_rec, options

pytestmark = pytest.mark.filterwarnings("default")


def test_fit_leaves_what_a_run_needs(run_folder):
    names = {path.name for path in run_folder.iterdir()}
    assert {"best.ckpt", "last.ckpt", "config.yaml"} <= names
    assert any(name.startswith("events.out") for name in names)


def test_tensorboard_shows_losses_metrics_rates_and_the_configuration(run_folder):
    events = EventAccumulator(str(run_folder))
    events.Reload()
    scalars = set(events.Tags()["scalars"])
    assert {"train/loss_step", "train/loss", "val/loss", "val/rmse", "val/mae"} <= scalars
    assert {"z_lr-AdamW/encoder", "z_lr-AdamW/head"} <= scalars
    # TensorBoard sorts by name: losses and metrics come first
    curves = sorted(name for name in scalars if not name.startswith("test/"))
    assert curves[:5] == ["train/loss", "train/loss_step", "val/loss", "val/mae", "val/rmse"]
    assert "hp_metric" not in scalars
    assert len(events.Scalars("val/rmse")) == 3  # epochs
    assert any("config" in tag for tag in events.Tags()["tensors"])
    assert "val/predicted_against_true" in events.Tags()["images"]
    assert "val/error" in events.Tags()["histograms"]


def test_tensorboard_compares_runs_by_their_options(run_folder):
    found = [
        value
        for path in run_folder.rglob("events.out*")
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    ]
    tags = {value.tag for value in found}
    assert "_hparams_/session_start_info" in tags
    # the tab finds metrics by the names of their curves
    experiment = next(v for v in found if v.tag == "_hparams_/experiment")
    content = HParamsPluginData.FromString(experiment.metadata.plugin_data.content)
    metrics = {info.name.tag for info in content.experiment.metric_infos}
    assert {"val/rmse", "val/mae", "val/loss"} == metrics
    assert metrics <= tags
    assert not any(tag.startswith("hp") for tag in tags)
    start = next(v for v in found if v.tag == "_hparams_/session_start_info")
    options = HParamsPluginData.FromString(start.metadata.plugin_data.content)
    given = options.session_start_info.hparams
    assert given["data.batch_size"].number_value == 32
    assert given["model.network.head"].string_value == "NeighborhoodHead"


def test_tensorboard_projects_items_by_their_titles(run_folder, workplace):
    [table] = run_folder.rglob("metadata.tsv")
    lines = table.read_text().splitlines()
    items = pl.read_csv(workplace / "my/items.csv", infer_schema=False)
    # the column that the projector labels points by is first
    title, *others = lines[0].split("\t")
    assert title == "title"
    assert sorted([title, *others]) == sorted(items.columns)
    assert len(lines) == len(items) + 1
    [vectors] = run_folder.rglob("tensors.tsv")
    assert len(vectors.read_text().splitlines()) == len(items)


def test_checkpoint_loads_without_running_code(run_folder):
    content = torch.load(run_folder / "best.ckpt", weights_only=True)["lit_rec"]
    assert content["config"]["data"]["class_path"].endswith("BehaviorDataModule")
    encoder = content["config"]["data"]["init_args"]["encoder"]
    backbone = content["config"]["model"]["network"]["init_args"]["item_encoder"]["init_args"][
        "backbone"
    ]
    assert backbone["init_args"]["name"] == encoder  # the interpolation followed the override


def test_test_works_from_the_checkpoint_alone(run_folder, capsys):
    lit_rec("test", "--ckpt_path", run_folder / "best.ckpt")
    report = json.loads((run_folder / "report.json").read_text())
    assert [*problems(report)] == []
    rows = report["rows"]
    models = {row["model"] for row in rows}
    assert {"lit_rec", "mean", "user_item_bias", "text_knn", "text_ridge"} <= models
    assert {row["slice"] for row in rows} == {"all", "new_users", "few_shot_users", "new_items"}
    assert "user_item_bias" in capsys.readouterr().out


def test_report_says_what_it_was_made_from(run_folder, workplace):
    lit_rec("test", "--ckpt_path", run_folder / "best.ckpt")
    text = (run_folder / "report.json").read_text()
    meta = json.loads(text)["meta"]
    assert meta["checkpoint"] == "best.ckpt"
    assert (meta["task"], meta["seed"], meta["precision"]) == ("rating", 0, "32-true")
    assert meta["version"] == package.__version__
    assert str(workplace) not in text  # no path of this machine
    age = datetime.now(UTC) - datetime.fromisoformat(meta["date"])
    assert abs(age.total_seconds()) < 600
    assert 0 < sum(meta["baseline_seconds"].values()) < meta["seconds"] < 600
    # other test rows are other data; the same rows are the same
    lit_rec("test", "--ckpt_path", run_folder / "best.ckpt", "--data.eval_batch_size=8")
    assert json.loads((run_folder / "report.json").read_text())["meta"]["data"] == meta["data"]
    lit_rec("test", "--ckpt_path", run_folder / "best.ckpt", "--data.split.test=0.3")
    assert json.loads((run_folder / "report.json").read_text())["meta"]["data"] != meta["data"]


def test_tensorboard_shows_a_test_once(run_folder):
    for _ in range(2):
        lit_rec("test", "--ckpt_path", run_folder / "best.ckpt")
    events = EventAccumulator(str(run_folder))
    events.Reload()
    [tested] = events.Scalars("test/rmse")
    assert {"test/loss", "test/mae"} <= set(events.Tags()["scalars"])
    report = Report.read(run_folder / "report.json")
    assert tested.value == pytest.approx(report.value("lit_rec"), abs=1e-6)
    best = torch.load(run_folder / "best.ckpt", weights_only=True)["global_step"]
    assert tested.step == best
    assert len([*run_folder.glob("events.out.*.test")]) == 1


def test_options_beside_the_run_are_complete(run_folder):
    written = yaml.safe_load((run_folder / "hparams.yaml").read_text())
    config = yaml.safe_load((run_folder / "config.yaml").read_text())
    expected = flat_options({p: config[p] for p in ("seed_everything", "model", "data", "trainer")})
    assert written == expected


def predictions(run_folder, *words):
    lit_rec("predict", "--ckpt_path", run_folder / "best.ckpt", *words)
    return pl.read_parquet(run_folder / "predictions.parquet")


def test_predict_writes_lists_where_k_asks_for_them(run_folder, tmp_path, caplog):
    caplog.set_level("INFO", "lightning.pytorch")
    shutil.copy(run_folder / "best.ckpt", tmp_path)
    lit_rec("predict", "--ckpt_path", tmp_path / "best.ckpt", "--k", "3", "--exclude_seen=false")
    assert {path.name for path in tmp_path.iterdir()} == {"best.ckpt", "recommendations.parquet"}
    frame = pl.read_parquet(tmp_path / "recommendations.parquet")
    rec = Recommender.from_checkpoint(tmp_path / "best.ckpt")
    users = frame["user_id"].unique(maintain_order=True).to_list()
    assert frame.height == 3 * len(users)
    for user in users[::7]:
        best = rec.recommend(rec.history_of(user), 3, user=user, exclude_seen=False)
        own = frame.filter(pl.col("user_id") == user)
        assert own["item_id"].to_list() == [one.item_id for one in best]
        assert own["score"].to_list() == pytest.approx([one.score for one in best], abs=1e-5)
    said = f"{frame.height} recommendations to {len(users)} users: {tmp_path}"
    assert any(said in text for text in caplog.messages)


def test_lists_have_titles_where_they_are_asked_for(run_folder, workplace, tmp_path, capsys):
    shutil.copy(run_folder / "best.ckpt", tmp_path)
    words = ("predict", "--ckpt_path", tmp_path / "best.ckpt", "--k", "3")
    lit_rec(*words)
    plain = pl.read_parquet(tmp_path / "recommendations.parquet")
    lit_rec(*words, "--columns", "title,genres")
    frame = pl.read_parquet(tmp_path / "recommendations.parquet")
    assert frame.columns == [*plain.columns, "title", "genres"]
    assert frame.select(plain.columns).equals(plain)
    items = pl.read_csv(workplace / "my/items.csv", infer_schema=False)
    of_item = {row["item_id"]: row for row in items.to_dicts()}
    for row in frame.to_dicts():
        assert (row["title"], row["genres"]) == (
            of_item[row["item_id"]]["title"],
            of_item[row["item_id"]]["genres"],
        )
    capsys.readouterr()
    with pytest.raises(SystemExit):
        lit_rec(*words, "--columns", "titel")
    assert "did you mean 'title'?" in capsys.readouterr().err


def test_help_of_predict_has_the_options_of_lists(capsys):
    with pytest.raises(SystemExit) as stop:
        lit_rec("predict", "--help")
    assert stop.value.code == 0
    assert {"--k", "--exclude_seen", "--label"} <= set(capsys.readouterr().out.split())


def test_predict_keeps_the_order_of_the_input_and_equals_the_recommender(run_folder, workplace):
    frame = predictions(run_folder, "--data.predict_part", "all")
    table = pl.read_csv(workplace / "my/behaviors.csv", infer_schema=False)
    assert frame.columns == ["user_id", "item_id", "score"]
    assert frame.select("user_id", "item_id").equals(table.select("user_id", "item_id"))

    rec = Recommender.from_checkpoint(run_folder / "best.ckpt")
    # rows are split by time, so every earlier row of the user is of the same part or an earlier one
    rows = table.with_columns(pl.col("rating", "timestamp").cast(pl.Float64)).to_dicts()
    for place in range(0, 200, 7):
        row = rows[place]
        past = [
            r for r in rows if r["user_id"] == row["user_id"] and r["timestamp"] < row["timestamp"]
        ]
        history = sorted(past, key=lambda r: r["timestamp"])
        score = rec.score(
            history, [row["item_id"]], user=row["user_id"], timestamp=row["timestamp"]
        )
        assert score[0] == pytest.approx(frame["score"][place], abs=1e-5)


def test_a_score_does_not_depend_on_the_batch(run_folder):
    large = predictions(run_folder)["score"].to_numpy()
    small = predictions(run_folder, "--data.eval_batch_size", "1")["score"].to_numpy()
    np.testing.assert_allclose(small, large, atol=1e-5)


def test_same_seed_same_weights(workplace, tmp_path, run_folder):
    lit_rec("fit", *options(workplace), f"--trainer.logger.init_args.save_dir={tmp_path}")
    one = torch.load(run_folder / "last.ckpt", weights_only=True)["state_dict"]
    two = torch.load(tmp_path / "own_data/version_0/last.ckpt", weights_only=True)["state_dict"]
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_model_option_against_the_checkpoint_is_refused(run_folder, capsys):
    with pytest.raises(SystemExit) as stop:
        lit_rec("test", "--ckpt_path", run_folder / "best.ckpt", "--model.encoder_rate", "0.5")
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert "0.5" in message
    assert "model.encoder_rate" in message


def test_history_by_text_and_new_items(run_folder):
    rec = Recommender.from_checkpoint(run_folder / "best.ckpt")
    before = rec.recommend([{"title": "a night of love"}], 40)
    assert len(before) == 40
    rec.add_items(pl.DataFrame({"item_id": ["new"], "title": ["red river"], "genres": ["Drama"]}))
    assert "new" in [r.item_id for r in rec.recommend(["50"], 40)]
    assert rec.recommend(["50"], 40, allow=["new"])[0].fields["title"] == "red river"
    assert rec.recommend(["50"], 40, allow=["50"]) == []
    with pytest.raises(LitRecError, match="'nowhere'"):
        rec.recommend(["nowhere"])
    assert {r.item_id for r in before}.isdisjoint({"new"})


ALONE = """
import socket, sys, json
def refuse(*args, **kwargs): raise OSError("no network")
socket.socket.connect = refuse
from lit_rec.inference.recommender import Recommender
rec = Recommender.from_checkpoint(sys.argv[1])
print(json.dumps([[r.item_id, r.score, r.fields["title"]] for r in rec.recommend(["50", "181"], 10)]))
"""


def test_checkpoint_stands_alone(run_folder, workplace, tmp_path):
    rec = Recommender.from_checkpoint(run_folder / "best.ckpt")
    here = [[r.item_id, r.score, r.fields["title"]] for r in rec.recommend(["50", "181"], 10)]
    shutil.copy(run_folder / "best.ckpt", tmp_path / "copy.ckpt")
    hidden = [workplace / "my", workplace / "checkpoints", workplace / "cache"]
    for folder in hidden:
        folder.rename(folder.with_name(f"{folder.name}.hidden"))
    try:
        done = run_warm(ALONE, "copy.ckpt", folder=tmp_path)
    finally:
        for folder in hidden:
            folder.with_name(f"{folder.name}.hidden").rename(folder)
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout.splitlines()[-1])
    assert [[i, t] for i, _, t in there] == [[i, t] for i, _, t in here]
    np.testing.assert_allclose([s for _, s, _ in there], [s for _, s, _ in here], atol=1e-6)
