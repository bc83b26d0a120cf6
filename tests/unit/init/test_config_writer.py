"""The configuration that is written, and what it shares with the one that is shipped."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import yaml

from lit_rec.init import config_writer
from lit_rec.init.config_writer import (
    config_text,
    flow,
    guesses,
    model_and_trainer,
    prefix_lines,
)
from lit_rec.init.plan import make_plan
from lit_rec.init.table_files import read_files

ROOT = Path(__file__).parents[3]


@pytest.fixture
def written(behaviors, items, write):
    """Write the tables, changed as wanted, and return the configuration as text and as values."""

    def make(change=lambda b: b, change_items=lambda i: i, **options):
        names = [write(change(behaviors), "b.csv"), write(change_items(items), "i.csv")]
        plan = make_plan(read_files(names), **options)
        text = config_text(plan, Path("out/shop.yaml"), "lit-rec init b.csv i.csv")
        return text, yaml.safe_load(text), plan

    return make


@pytest.mark.parametrize(
    "name", ["own_data.yaml", "own_events.yaml", "own_labels.yaml", "own_texts.yaml"]
)
def test_template_is_the_configuration_that_is_shipped(name):
    """Where this fails, copy the file of configs/ over the package's.

    One file cannot be both: configs/ is no part of the package, so a mapping in pyproject.toml would bring it into the
    wheel alone, and from a checkout ``init`` would find none. A link is no link on Windows.
    """
    template = Path(config_writer.__file__).with_name(name)
    assert template.read_bytes() == (ROOT / "configs" / name).read_bytes()


def test_model_and_trainer_are_those_that_are_shipped(written):
    shipped = yaml.safe_load((ROOT / "configs/own_data.yaml").read_text())
    shipped["trainer"]["logger"]["init_args"]["name"] = "shop"
    _, config, _ = written()
    assert config["model"] == shipped["model"]
    assert config["trainer"] == shipped["trainer"]
    assert list(config) == list(shipped)


def test_nothing_of_a_model_of_labels_is_for_ratings():
    """Head and what decides are chosen by the data's task."""
    text = model_and_trainer("x", "own_labels")
    assert "NeighborhoodHead" in text
    assert "RunCheckpoint" in text
    assert "RunEarlyStopping" in text
    for word in ("rmse", "monitor:", "mode:", "RegressionHead", "GaussianProcessStart"):
        assert word not in text


def test_data(written):
    text, config, _ = written()
    data = config["data"]["init_args"]
    assert data["reader"]["init_args"] == {
        "behaviors": "b.csv",
        "items": "i.csv",
        "behavior_columns": {"user_id": "u", "item_id": "i", "rating": "r", "timestamp": "t"},
        "item_columns": {"item_id": "k"},
    }
    assert data["text"]["init_args"]["columns"] == {"title": ["title", "plot"], "genre": ["genre"]}
    assert data["split"]["class_path"].endswith("TimeSplit")
    assert data["history"]["class_path"].endswith("PastHistory")
    assert (data["batch_size"], data["max_tokens"]) == (16, 32)
    assert "# `u`: by its values; 70 distinct values, 8.6 rows each\n" in text
    assert "train 480, val 60, test 60" in text
    assert "#   lit-rec fit -c out/shop.yaml\n" in text


def test_canonical_columns_need_no_mapping(written):
    names = {"u": "user_id", "i": "item_id", "r": "rating", "t": "timestamp"}
    text, config, _ = written(
        lambda b: b.rename(names), lambda i: i.select(item_id="k", title="title")
    )
    data = config["data"]["init_args"]
    assert set(data["reader"]["init_args"]) == {"behaviors", "items"}
    assert data["text"]["init_args"]["columns"] == ["title"]
    assert "# `rating`: by its name" in text


def test_labels_without_time(written):
    shipped = yaml.safe_load((ROOT / "configs/own_labels.yaml").read_text())
    clicks = (pl.int_range(600) % 2).alias("clicked")
    text, config, plan = written(lambda b: b.select("u", "i", clicks))
    assert config["model"] == shipped["model"]
    data = config["data"]["init_args"]
    assert data["task"] == "label"
    assert data["reader"]["init_args"]["behavior_columns"]["label"] == "clicked"
    assert data["split"]["class_path"].endswith("RandomSplit")
    assert data["history"]["class_path"].endswith("TrainingHistory")
    assert data["history"]["init_args"]["where"]["init_args"] == {"labels": ["1"]}
    assert "Assumed: '1' of `clicked` is what a user chose" in text
    assert any("Assumed" in line for line in guesses(plan))


def test_events_alone(written):
    shipped = yaml.safe_load((ROOT / "configs/own_events.yaml").read_text())
    kinds = pl.Series("action", ["view", "buy"] * 300)
    text, config, plan = written(lambda b: b.select("u", "i", "t", kinds))
    data = config["data"]["init_args"]
    assert text.startswith("# What users take next, learned from what they took before")
    assert data["task"] == "next_item"
    columns = {"user_id": "u", "item_id": "i", "event": "action", "timestamp": "t"}
    assert data["reader"]["init_args"]["behavior_columns"] == columns
    assert data["history"]["class_path"].endswith("PastHistory")
    positions = config["model"]["network"]["init_args"]["user_encoder"]["init_args"]["max_length"]
    assert data["target_events"] == ["buy"]
    assert data["history"]["init_args"] == {"max_length": positions}
    assert any("buy of `action` is predicted" in line for line in guesses(plan))
    # kinds of which none is known to be the one that matters
    text, config, plan = written(
        lambda b: b.select("u", "i", "t", pl.Series("action", ["read", "talk"] * 300))
    )
    assert "where: {events: [read]}" in text
    assert "target_events" not in config["data"]["init_args"]
    assert plan.sequences == 70
    assert replace(plan, sequences=7_680).batch_size == 256
    shipped["trainer"]["logger"]["init_args"]["name"] = "shop"
    assert (config["model"], config["trainer"]) == (shipped["model"], shipped["trainer"])


def test_the_next_item_where_it_is_asked_for(written):
    """Ratings are read beside it; of labels, what was chosen counts."""
    _, config, _ = written(next_item=True)
    data = config["data"]["init_args"]
    assert data["task"] == "next_item"
    assert data["reader"]["init_args"]["behavior_columns"]["rating"] == "r"
    clicks = (pl.int_range(600) % 2).alias("clicked")
    _, config, _ = written(lambda b: b.select("u", "i", "t", clicks), next_item=True)
    data = config["data"]["init_args"]
    assert data["task"] == "next_item"
    assert data["history"]["init_args"]["where"]["init_args"] == {"labels": ["1"]}
    two = pl.Series("grade", [1, 2, 3] * 200)
    _, config, _ = written(lambda b: b.with_columns(two).rename({"r": "points"}), next_item=True)
    assert config["data"]["init_args"]["task"] == "next_item"


def test_time_that_cannot_be_divided(written):
    text, config, _ = written(lambda b: b.with_columns(t=pl.lit(1_600_000_000)))
    assert config["data"]["init_args"]["split"]["class_path"].endswith("RandomSplit")
    assert "one time cannot be divided" in text


def test_parts_that_the_table_brings(written):
    fold = pl.Series("fold", ["train"] * 500 + ["val"] * 60 + ["test"] * 40)
    text, config, _ = written(lambda b: b.with_columns(fold))
    data = config["data"]["init_args"]
    assert data["split"] == {
        "class_path": "lit_rec.data.splits.splits.GivenSplit",
        "init_args": {"validation": 0.1},
    }
    assert data["reader"]["init_args"]["behavior_columns"]["split"] == "fold"
    assert "train 500, val 60, test 40" in text


def test_milliseconds_and_unknown_items(written):
    text, config, plan = written(lambda b: b.with_columns(pl.col("t") * 1000), lambda i: i.head(30))
    data = config["data"]["init_args"]
    assert data["reader"]["init_args"]["time_unit"] == "ms"
    assert data["unknown_items"] == "drop"
    assert f"# {plan.unknown} of 600 behaviors name an item that i.csv does not have" in text
    assert any(line.startswith(f"unknown    {plan.unknown} of 600") for line in guesses(plan))


def test_encoder(written, tmp_path):
    _, config, _ = written()
    assert config["data"]["init_args"]["encoder"] == "sentence-transformers/all-MiniLM-L6-v2"
    (tmp_path / "checkpoints/assets/all-MiniLM-L6-v2").mkdir(parents=True)
    assert written()[2].encoder == "checkpoints/assets/all-MiniLM-L6-v2"
    assert written(encoder="my/own")[2].encoder == "my/own"


@pytest.mark.parametrize(
    "name",
    [
        "a b",
        "a: b",
        "1",
        "yes",
        "#x",
        "'q'",
        '"',
        "[x]",
        "x #y",
        " x",
        "x ",
        "é",
        "用户",
        "-x",
        "1e3",
        "~",
        "x\ny",
        "/a.csv",
    ],
)
def test_names_survive_yaml(name):
    assert yaml.safe_load(f"key: {flow(name)}") == {"key": name}
    assert yaml.safe_load(f"key: {flow([name, 'x'])}") == {"key": [name, "x"]}


def test_names_that_yaml_could_stumble_on(behaviors, items, write):
    names = {"u": "user: #1", "r": "stars\nof five"}
    files = [write(behaviors.rename(names), "b.parquet"), write(items, "i.csv")]
    text = config_text(make_plan(read_files(files)), Path("x.yaml"), "lit-rec init")
    columns = yaml.safe_load(text)["data"]["init_args"]["reader"]["init_args"]["behavior_columns"]
    assert columns["user_id"] == "user: #1"
    assert columns["rating"] == "stars\nof five"


def test_a_table_of_users(behaviors, items, write):
    users = pl.DataFrame({"id": [f"u{k}" for k in range(70)], "city": ["here", "there"] * 35})
    files = [write(users, "people.csv"), write(items, "i.csv"), write(behaviors, "b.csv")]
    plan = make_plan(read_files(files))
    text = config_text(plan, Path("x.yaml"), "lit-rec init")
    reader = yaml.safe_load(text)["data"]["init_args"]["reader"]["init_args"]
    assert (reader["users"], reader["user_columns"]) == ("people.csv", {"user_id": "id"})
    assert any(line.startswith("users      people.csv: 70 rows") for line in guesses(plan))


@pytest.mark.parametrize(
    ("rows", "size"), [(10, 16), (960, 32), (15_359, 256), (15_360, 512), (10**7, 512)]
)
def test_batches_leave_an_epoch_thirty_steps(written, rows, size):
    plan = replace(written()[2], parts={"train": rows, "val": 1, "test": 1})
    assert plan.batch_size == size


def test_an_encoder_of_the_family_e5_gets_its_prefix():
    *_, line = prefix_lines("intfloat/multilingual-e5-large")
    assert yaml.safe_load(line) == {"prefix": "query: "}
    assert not [*prefix_lines("sentence-transformers/all-MiniLM-L6-v2")]
