"""lit-rec init: what it writes is fitted as it stands, and what it cannot guess is answered in a few lines."""

import csv
import random
import shutil
from pathlib import Path

import pytest
import yaml

from .conftest import lit_rec, message

pytestmark = pytest.mark.filterwarnings("default")

GENRES = ("Action", "Comedy", "Drama")
WORDS = ("red", "blue", "night", "day", "river", "city", "love", "war", "star", "home")
STEP = (
    "--trainer.accelerator=cpu",
    "--trainer.fast_dev_run=1",
    "--trainer.enable_model_summary=false",
)


@pytest.fixture(autouse=True)
def encoder(apart, workplace, tmp_path):
    """The working folder has the tiny encoder where init looks for one."""
    shutil.copytree(workplace / "checkpoints/assets", tmp_path / "checkpoints/assets")


def write(name, header, rows, delimiter=","):
    with open(name, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerows([header, *rows])


def tables(behaviors, items, target=lambda chance: chance.randint(1, 5), delimiter=","):
    """Write behaviors.csv and items.csv under these headers; with as many columns as the headers have."""
    chance = random.Random(0)
    rows = [
        (
            f"u{chance.randrange(60)}",
            f"i{chance.randrange(30)}",
            target(chance),
            1_600_000_000 + 60 * k,
        )
        for k in range(300)
    ]
    of_items = [(f"i{k}", " ".join(chance.sample(WORDS, 3)), GENRES[k % 3]) for k in range(30)]
    write("behaviors.csv", behaviors, [row[: len(behaviors)] for row in rows], delimiter)
    write("items.csv", items, [row[: len(items)] for row in of_items], delimiter)


SHAPES = {
    "canonical": (
        ("user_id", "item_id", "rating", "timestamp"),
        ("item_id", "title", "genres"),
        {},
    ),
    "German": (
        ("KundenNr", "ArtikelNr", "Bewertung", "Zeit"),
        ("ArtikelNr", "Bezeichnung", "Art"),
        {},
    ),
    "no names": (("a", "b", "c", "d"), ("x", "y", "z"), {}),
    "no time": (("userId", "movieId", "stars"), ("movieId", "title"), {}),
    "semicolons": (("user", "book", "score", "ts"), ("book", "name"), {"delimiter": ";"}),
    "clicks": (
        ("uid", "newsId", "clicked", "time"),
        ("id", "headline", "section"),
        {"target": lambda c: c.randint(0, 1)},
    ),
    "events": (
        ("visitor", "sku", "action", "at"),
        ("sku", "title"),
        {"target": lambda c: c.choice(["view", "buy"])},
    ),
    "clicks as words": (
        ("uid", "newsId", "clicked"),
        ("id", "headline"),
        {"target": lambda c: c.choice(["yes", "no"])},
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_written_is_fitted_as_it_stands(name, capsys):
    behaviors, items, options = SHAPES[name]
    tables(behaviors, items, **options)
    lit_rec("init", "items.csv", "behaviors.csv")
    said = capsys.readouterr().out
    assert "written: my_data.yaml" in said
    assert "user_id " in said
    if name == "events":
        lit_rec("check", "-c", "my_data.yaml", "--trainer.accelerator=cpu")
        assert "next_items of the training rows" in capsys.readouterr().out
    lit_rec("fit", "-c", "my_data.yaml", *STEP)


def test_a_shop_with_users_and_proposed_fields(capsys):
    """Purchases among views, profiles, and the fields that the comments propose."""
    tables(
        ("customer_id", "sku", "event", "ordered_at"),
        ("sku", "name", "category"),
        lambda chance: chance.choice(["view", "cart", "purchase"]),
    )
    with open("items.csv", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    rows = [(*row, 1.5 * k, k % 3 == 0) for k, row in enumerate(rows)]
    write("items.csv", (*header, "price", "in_stock"), rows)
    write("users.csv", ("id", "age", "plan"), [(f"u{k}", k % 40, "ab"[k % 2]) for k in range(60)])
    lit_rec("init", "items.csv", "users.csv", "behaviors.csv")
    assert "purchase of `event` is predicted" in capsys.readouterr().out
    path = Path("my_data.yaml")
    text = path.read_text()
    path.write_text(
        text.replace("    # item_fields:", "    item_fields:").replace("    #   ", "      ")
    )
    data = yaml.safe_load(path.read_text())["data"]["init_args"]
    assert [f["init_args"]["column"] for f in data["item_fields"]] == ["price", "in_stock"]
    assert [f["init_args"]["column"] for f in data["user_fields"]] == ["age", "plan"]
    lit_rec("fit", "-c", "my_data.yaml", *STEP)


def test_files_of_the_quick_assets(workplace):
    lit_rec(
        "init", workplace / "my/items.csv", workplace / "my/behaviors.csv", "-o", "made/shop.yaml"
    )
    config = yaml.safe_load(Path("made/shop.yaml").read_text())
    data = config["data"]["init_args"]
    assert data["reader"]["init_args"]["behaviors"] == f"{workplace}/my/behaviors.csv"
    assert config["trainer"]["logger"]["init_args"]["name"] == "shop"
    lit_rec("fit", "-c", "made/shop.yaml", *STEP)


# name -> (words after init, what the message holds)
WRONG = {
    "no file": ([], "FILE"),
    "a file that is not there": (["items.csv", "behavior.csv"], "near it there is behaviors.csv"),
    "an option that there is not": (["items.csv", "behaviors.csv", "--colum=x"], "--colum"),
    "below a file": (["items.csv", "behaviors.csv", "--output=items.csv/x.yaml"], "items.csv"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_words(name, capsys):
    tables(("user_id", "item_id", "rating", "timestamp"), ("item_id", "title"))
    words, seen = WRONG[name]
    assert seen in message(capsys, "init", *words)


def test_a_table_that_cannot_be_trusted(capsys):
    tables(("user_id", "item_id", "rating", "timestamp"), ("item_id", "title"))
    with open("behaviors.csv", "a") as file:
        file.write("u1,i1,good,1600000000\n")
    text = message(capsys, "init", "behaviors.csv", "items.csv")
    assert "line 302 ('good')" in text


def test_nothing_that_joins_the_tables(capsys):
    tables(("user_id", "sku", "rating"), ("item_id", "title"))
    write("items.csv", ("sku", "title"), [("x1", "a b"), ("x2", "c d")])
    text = message(capsys, "init", "behaviors.csv", "items.csv")
    assert "sku holds 'x1', 'x2'" in text


def test_help(capsys):
    with pytest.raises(SystemExit) as stop:
        lit_rec("init", "--help")
    assert stop.value.code == 0
    assert "--user_column" in capsys.readouterr().out
