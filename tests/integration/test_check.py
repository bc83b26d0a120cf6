"""lit-rec check: its figures against hand-counted ones, and its warnings."""

import json
from pathlib import Path

import pytest

from lit_rec.check.screen import data_lines

from .conftest import lit_rec, options
from .test_wrong_tables import table

pytestmark = pytest.mark.filterwarnings("default")

WORDS = (
    "red",
    "blue",
    "night",
    "day",
    "river",
    "city",
    "love",
    "war",
    "star",
    "home",
)  # a token each


def write_tables():
    """Users a (12 training rows), b (2) and c (none); 14 items, of which i12 and i13 are new."""
    lines = [("a", k, k % 5 + 1, k + 1, "train") for k in range(12)]
    lines += [("b", 0, 5, 1, "train"), ("b", 1, 5, 2, "train"), ("a", 99, 1, 3, "train")]
    lines += [("b", 2, 3, 20, "val"), ("c", 12, 3, 21, "val"), ("a", 13, 3, 22, "val")]
    lines += [("c", 0, 3, 30, "test"), *[("b", 3, 3, 31, "test")] * 2]
    rows = "\n".join(
        f"{user},i{item},{rating},{time},{part}" for user, item, rating, time, part in lines
    )
    Path("b.csv").write_text(f"user_id,item_id,rating,timestamp,split\n{rows}\n")
    titles = ["red " * 10, "", "red blue", "red blue", *WORDS]
    rows = "\n".join(f"i{place},{title.strip()}" for place, title in enumerate(titles))
    Path("i.csv").write_text(f"item_id,title\n{rows}\n")


@pytest.fixture(scope="module")
def checked(workplace, tmp_path_factory):
    """The figures of these tables, and what was shown."""
    folder = tmp_path_factory.mktemp("checked")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_tables()
        words = [
            "--data.reader.behaviors=b.csv",
            "--data.reader.items=i.csv",
            "--data.text.columns=[title]",
            "--data.split=lit_rec.data.splits.splits.GivenSplit",
            "--data.history.max_length=3",
            "--data.max_tokens=6",
            "--data.batch_size=4",
            "--data.unknown_items=drop",
            "--data.cache_folder=cache",
            "--trainer.max_epochs=2",
            "--trainer.logger.init_args.save_dir=runs",
        ]
        lit_rec("check", *options(workplace), *words, "--json", "figures.json")
        return json.loads(Path("figures.json").read_text()), sorted(
            p.name for p in folder.iterdir()
        )


def test_counts(checked):
    data = checked[0]["data"]
    counts = [data[name] for name in ("behaviors", "users", "items", "catalogue", "distinct_times")]
    assert counts == [20, 3, 14, 14, 17]
    assert (data["first"], data["last"]) == ("time 1", "time 31")
    parts = {part: tuple(found.values()) for part, found in data["parts"].items()}
    assert parts == {"train": (14, 14, 2, 12), "val": (3, 3, 3, 3), "test": (3, 3, 2, 2)}


def test_cleaning(checked):
    cleaning = checked[0]["cleaning"]
    (step,) = cleaning["dropped"]
    assert (step["dropped"], step["of"]) == (1, 21)
    assert "line 16" in step["example"]
    assert cleaning["repeated_kept"] == 1


def test_slices(checked):
    slices = checked[0]["slices"]
    assert slices["val"] == {"all": 3, "new_users": 1, "few_shot_users": 1, "new_items": 2}
    assert slices["test"] == {"all": 3, "new_users": 1, "few_shot_users": 2, "new_items": 0}


def test_ratings(checked):
    target = checked[0]["target"]
    assert [(bar["value"], bar["count"]) for bar in target["histogram"]] == [
        ("1", 3),
        ("2", 3),
        ("3", 2),
        ("4", 2),
        ("5", 4),
    ]
    assert target["mean"] == pytest.approx(43 / 14)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("train", {"rows": 14, "median": 4.5, "max": 11, "empty": 2 / 14, "cut": 8 / 14}),
        ("val", {"rows": 3, "median": 2, "p90": 10, "max": 12, "empty": 1 / 3, "cut": 1 / 3}),
        ("test", {"rows": 3, "median": 3, "p90": 3, "max": 3, "empty": 0, "cut": 0}),
    ],
)
def test_histories(checked, part, expected):
    found = checked[0]["histories"][part]
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_texts(checked):
    texts = checked[0]["texts"]
    assert (texts["items"], texts["distinct"]) == (14, 13)
    assert texts["without_text"] == pytest.approx(1 / 14)
    # with [CLS] and [SEP]: one of 2, ten of 3, one of 4, one of 12
    assert texts["tokens"] == pytest.approx({"median": 3, "p90": 3.8, "p99": 11.04, "max": 12})
    assert texts["cut_texts"] == pytest.approx(1 / 13)
    assert texts["cut_tokens"] == pytest.approx(6 / 22)


def test_model_and_time(checked):
    model, time = checked[0]["model"], checked[0]["time"]
    assert model["parameters"] > model["encoder"] > model["encoder_trained"] > 10_000
    # the encoder's pooler is of no use, so it is not trained
    assert model["encoder"] - model["encoder_trained"] == 16 * 16 + 16
    # AdamW has two numbers for each that is trained; a checkpoint has all weights too, here beside small tables
    assert 8 * model["trained"] <= model["optimizer_bytes"] < 8 * model["trained"] + 1000
    weights = 4 * model["parameters"] + model["optimizer_bytes"]
    assert weights < model["checkpoint_bytes"] < 1.2 * weights
    assert (time["steps_per_epoch"], time["steps"], time["epochs"]) == (4, 8, 2)
    assert time["steps_measured"] == 3
    seconds = 8 * time["step_seconds"] + 2 * time["validation_seconds"]
    assert time["minutes"] == pytest.approx(seconds / 60)
    assert time["peak_memory_bytes"] > 1e8


def test_warnings(checked):
    text = "\n".join(checked[0]["warnings"])
    assert "No test row is in new_items:" in text
    assert "No validation row" not in text
    assert "1 row repeats (user_id, item_id, timestamp) of another and is not dropped" in text
    assert "data.max_tokens 6 cuts 27.3 % of all tokens" in text
    assert "7.1 % of the items have no text" in text
    assert "2 of 13 items share their text in `text` with another item" in text
    assert "Training takes 8 steps in all" in text
    assert "their unit is unknown" in text


def test_nothing_but_the_cache_is_written(checked):
    assert checked[1] == ["b.csv", "cache", "figures.json", "i.csv"]


def test_what_is_shown(checked):
    lines = data_lines(checked[0]).splitlines()
    assert lines[0].startswith("data       20 behaviors of 3 users with 14 of 14 items")
    assert lines[3].split() == ["val", "3", "3", "3", "1", "1", "2"]
    assert any(line.split() == ["5", "4", "28.6", "%", "▇" * 30] for line in lines)


def test_what_check_prepared_is_not_prepared_again(workplace, tmp_path, monkeypatch, capsys):
    words = [*options(workplace), f"--data.cache_folder={tmp_path}/cache"]
    lit_rec("check", *words)
    said = capsys.readouterr().out
    assert said.rstrip().endswith("`lit-rec fit` would start.")
    monkeypatch.setattr("lit_rec.data.readers.plain.TableReader.read", None)
    lit_rec("check", *words)
    assert "dropped" in capsys.readouterr().out, "what cleaning did is known without the tables"
    lit_rec("fit", *words, "--trainer.fast_dev_run=true")


def warnings_of(workplace, *words):
    lit_rec("check", *options(workplace), *words, "--json=figures.json")
    return json.loads(Path("figures.json").read_text())["warnings"]


def said(warnings, text):
    return any(text in warning for warning in warnings)


def test_warnings_of_equal_ratings_and_times(tmp_path, workplace):
    def change(text):
        header, *rows = text.splitlines()
        cells = [row.split(",") for row in rows]
        return "\n".join([header, *(f"{user},{item},4,1000" for user, item, *_ in cells)])

    option = table(tmp_path, workplace, "behaviors", change)
    split = "--data.split=lit_rec.data.splits.splits.RandomSplit"
    found = warnings_of(workplace, option, split)
    assert said(found, "All ratings of the training rows are 4")
    assert said(found, "All timestamps are the same")
    assert said(found, "100.0 % of the test rows have an empty history")


def test_warnings_of_milliseconds(tmp_path, workplace):
    def change(text):
        header, *rows = text.splitlines()
        return "\n".join([header, *(f"{row}000" for row in rows)])

    option = table(tmp_path, workplace, "behaviors", change)
    assert said(warnings_of(workplace, option), "time_unit to ms")
    found = warnings_of(workplace, option, "--data.reader.init_args.time_unit=ms")
    assert not said(found, "Timestamps go up")


def test_warnings_of_the_encoder(workplace):
    tuning = (
        "--model.network.init_args.item_encoder.init_args.backbone.init_args.tuning="
        "lit_rec.models.text.tuning.FrozenTuning"
    )
    assert said(warnings_of(workplace, tuning), "The encoder is frozen: model.encoder_rate 2e-05")
    assert not said(warnings_of(workplace, tuning, "--model.encoder_rate=0"), "encoder_rate")
    assert said(warnings_of(workplace, "--model.encoder_rate=0"), "model.encoder_rate is 0, yet")


def test_warnings_of_new_users(tmp_path, workplace):
    def change(text):
        lines = text.splitlines()
        return "\n".join([*lines[:-40], *(f"new,{line.partition(',')[2]}" for line in lines[-40:])])

    option = table(tmp_path, workplace, "behaviors", change)
    found = warnings_of(workplace, option)
    assert said(found, "100.0 % of the test rows are of users that training has not seen")


def test_no_test_rows(workplace):
    assert said(warnings_of(workplace, "--data.split.test=0"), "There are no test rows")


def test_labels(tmp_path, workplace):
    option = table(tmp_path, workplace, "behaviors", lambda t: t.replace("rating", "label"))
    words = [
        option,
        "--data.task=label",
        "--model.network.init_args.head=lit_rec.models.heads.value_heads.ClassificationHead",
        "--trainer.callbacks=null",
    ]
    warnings_of(workplace, *words)
    figures = json.loads(Path("figures.json").read_text())
    assert figures["target"]["task"] == "label"
    assert [bar["value"] for bar in figures["target"]["histogram"]] == ["1", "2", "3", "4", "5"]
    assert "labels     of the training rows" in data_lines(figures)


def test_a_resumed_run(workplace, run_folder):
    resume = ("--ckpt_path", run_folder / "last.ckpt")
    lit_rec("check", *options(workplace), *resume, "--json=figures.json")
    assert json.loads(Path("figures.json").read_text())["time"] == {}
    lit_rec("check", *options(workplace), *resume, "--trainer.max_epochs=9", "--json=figures.json")
    assert json.loads(Path("figures.json").read_text())["time"]["steps_measured"] > 0


def test_ratings_of_zero_that_may_be_none(workplace, tmp_path, capsys):
    """As in Book-Crossing; what the remarks of init and check name ends with ratings from 1 to 10."""
    stars = [0] * 60 + [k % 10 + 1 for k in range(40)]
    rows = "\n".join(f"u{k % 9},i{k % 14},{stars[k * 7 % 100]}" for k in range(100))
    Path("b.csv").write_text(f"User-ID,ISBN,Book-Rating\n{rows}\n")
    rows = "\n".join(f"i{k},{WORDS[k % 10]} {WORDS[k % 7]}" for k in range(14))
    Path("i.csv").write_text(f"ISBN,Book-Title\n{rows}\n")
    encoder = workplace / "checkpoints/assets/all-MiniLM-L6-v2"
    lit_rec("init", "b.csv", "i.csv", "--encoder", encoder)
    said = capsys.readouterr().out
    assert "`Book-Rating` is 0 in 60 % of its rows" in said
    words = ["check", "-c", "my_data.yaml", "--trainer.accelerator=cpu"]
    lit_rec(*words, "--json=before.json")
    assert "of the ratings are 0, the others 1 or more" in capsys.readouterr().out
    text = Path("my_data.yaml").read_text()
    option = "missing_values: {rating: [0]}"
    assert option in said
    start = text.index("        items: ")
    Path("my_data.yaml").write_text(f"{text[:start]}        {option}\n{text[start:]}")
    lit_rec(*words, "--json=after.json")
    assert "of the ratings are 0" not in capsys.readouterr().out
    before, after = (json.loads(Path(f"{when}.json").read_text()) for when in ("before", "after"))
    assert (before["target"]["low"], after["target"]["low"]) == (0, 1)
    assert after["data"]["behaviors"] == 100
