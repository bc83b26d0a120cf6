"""Tables as other people have them: what ``init`` writes for each, and that the reader reads it."""

import random
import re
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import yaml

from lit_rec.data.fields.category import CategoryField
from lit_rec.data.fields.number import NumberField
from lit_rec.data.readers.plain import TableReader
from lit_rec.errors import ConfigError
from lit_rec.init.config_writer import config_text, guesses
from lit_rec.init.plan import make_plan
from lit_rec.init.table_files import read_files

ROWS = 400
START = datetime(2019, 10, 1)
FIELDS = {"NumberField": NumberField, "CategoryField": CategoryField}


class Made:
    """Draws of a generator with a fixed seed."""

    def __init__(self):
        self.chance = random.Random(3)

    def of(self, count, first=0):
        """Numbers of users or items."""
        return [first + self.chance.randrange(count) for _ in range(ROWS)]

    def among(self, *values, weights=None, rows=ROWS):
        return self.chance.choices(values, weights, k=rows)

    def titles(self, count):
        words = ["red", "blue", "night", "day", "river", "city", "love", "war", "star"]
        return [f"{' '.join(self.chance.sample(words, 3))} {k}" for k in range(count)]

    def times(self, form, hours=7):
        return [(START + timedelta(hours=hours * k)).strftime(form) for k in range(ROWS)]


@pytest.fixture
def made():
    return Made()


@pytest.fixture
def guess(write):
    """Write the tables, and return the data part of the configuration, its text and what the screen says."""

    def configuration(*tables, **options):
        names = [write(pl.DataFrame(frame), name) for name, frame in tables]
        plan = make_plan(read_files(names), **options)
        text = config_text(plan, Path("x.yaml"), "lit-rec init")
        data = yaml.safe_load(text)["data"]["init_args"]
        assert len(TableReader(**data["reader"]["init_args"]).read().behaviors)
        return data, text, "\n".join(guesses(plan))

    return configuration


def columns_of(data):
    return data["reader"]["init_args"]["behavior_columns"]


def shop(made, **more):
    orders = {
        "order_id": [9000 + k // 3 for k in range(ROWS)],
        "customer_id": [f"C{k}" for k in made.of(50)],
        "sku": [f"SKU-{k}" for k in made.of(30)],
        "quantity": made.among(1, 2, 12),
        "unit_price": [round(made.chance.random() * 90, 2) for _ in range(ROWS)],
        "ordered_at": made.times("%Y-%m-%d %H:%M:%S", hours=1),
        **more,
    }
    products = {
        "sku": [f"SKU-{k}" for k in range(30)],
        "name": made.titles(30),
        "description": [f"{text} and more of it" for text in made.titles(30)],
        "price": [round(made.chance.random() * 90, 2) for _ in range(30)],
        "category": made.among("Garden", "Kitchen", rows=30),
        "in_stock": made.among("True", "False", rows=30),
        "tags": made.among("old|red", "new|red", "old|blue", rows=30),
    }
    return ("orders.csv", orders), ("products.csv", products)


def test_shop(guess, made):
    data, _, said = guess(*shop(made))
    assert data["task"] == "next_item"
    assert columns_of(data) == {
        "user_id": "customer_id",
        "item_id": "sku",
        "timestamp": "ordered_at",
    }
    assert re.search(r"Not used: order_id .*quantity \(3 distinct numbers .*unit_price", said)
    assert data["text"]["init_args"]["columns"]["name"] == ["name", "description"]
    assert "in_stock" not in str(data["text"])
    assert "not read     price: numbers from" in said


def test_proposed_fields_can_be_read(guess, made):
    """The signs `#` are taken away, as the comment says; each field is fitted on the items."""
    data, text, _ = guess(*shop(made))
    assert "item_fields" not in data
    block = re.search(r"(    # item_fields:\n(?:    #   .*\n)+)", text)[1]
    fields = yaml.safe_load(block.replace("    # ", ""))["item_fields"]
    items = TableReader(**data["reader"]["init_args"]).read().items
    sizes = {}
    for field in fields:
        options = field["init_args"]
        built = FIELDS[field["class_path"].rpartition(".")[2]](**options)
        sizes[options["column"]] = built.fit(items, "here").size
    assert sizes["in_stock"] == 2
    assert sizes.keys() <= {"price", "in_stock", "tags"}
    assert sizes["price"] > 2


def test_purchases_are_predicted_where_there_are_views(guess, made):
    kinds = made.among("view", "cart", "purchase", weights=(70, 10, 20))
    data, _, said = guess(*shop(made, event_type=kinds))
    assert columns_of(data)["event"] == "event_type"
    assert data["target_events"] == ["purchase"]
    assert "where" not in data["history"]["init_args"]
    assert "purchase of `event_type` is predicted" in said


def test_events_of_an_online_shop(guess, made):
    """User numbers near 5e8, times with UTC at their end, sessions."""
    products, session = [1000000 + k for k in made.of(30)], made.of(90)
    data, _, _ = guess(
        (
            "2019-Oct.csv",
            {
                "event_time": made.times("%Y-%m-%d %H:%M:%S UTC"),
                "event_type": made.among("view", "cart"),
                "product_id": products,
                "brand": made.among("apple", None),
                "price": [float(k) for k in made.of(900)],
                "user_id": made.of(50, 512300000),
                "user_session": [f"{k:08x}-2a4d" for k in session],
            },
        ),
        ("products.csv", {"product_id": range(1000000, 1000030), "title": made.titles(30)}),
    )
    assert columns_of(data)["timestamp"] == "event_time"
    assert "user_id" not in columns_of(data)  # has its own name
    assert data["task"] == "next_item"


def test_course(guess, made):
    days, students = [k // 3 - 10 for k in range(ROWS)], range(28400, 28450)
    data, text, said = guess(
        (
            "studentVle.csv",
            {
                "id_student": made.of(50, 28400),
                "id_site": made.of(30, 546600),
                "date": days,
                "sum_click": made.among(1, 2, 3, 11),
            },
        ),
        (
            "vle.csv",
            {
                "id_site": range(546600, 546630),
                "activity_type": made.among("quiz", "forum", rows=30),
            },
        ),
        (
            "studentInfo.csv",
            {
                "id_student": students,
                "gender": made.among("M", "F", rows=50),
                "num_of_prev_attempts": made.among(0, 1, 2, rows=50),
            },
        ),
    )
    assert data["reader"]["init_args"]["time_unit"] == "unknown"
    assert "seconds" not in said
    assert "an order, no dates" in said
    assert "rating" not in columns_of(data)
    assert [field["init_args"]["column"] for field in data["user_fields"]] == [
        "gender",
        "num_of_prev_attempts",
    ]
    assert "sum_click (4 distinct numbers from 1 to 11)" in text


def test_reviews_of_books(guess, made):
    data, _, said = guess(
        (
            "reviews.jsonl",
            {
                "user_id": [f"{k:032x}" for k in made.of(50)],
                "book_id": [str(24375664 + k) for k in made.of(30)],
                "rating": made.among(0, 3, 4, 5),
                "date_added": made.times("%a %b %d %H:%M:%S -0700 %Y"),
                "read_at": made.among("", "Tue Oct 01 00:00:00 -0700 2019"),
                "n_votes": made.of(9),
            },
        ),
        (
            "books.jsonl",
            {
                "book_id": [str(24375664 + k) for k in range(30)],
                "title": made.titles(30),
                "is_ebook": made.among("true", "false", rows=30),
            },
        ),
    )
    assert columns_of(data) == {"item_id": "book_id", "timestamp": "date_added"}
    assert data["text"]["init_args"]["columns"] == ["title"]
    assert "not used: read_at" in said


def test_semicolons_and_numbers_of_books(guess, made):
    isbn = [f"{1_500_000_000 + k}" for k in range(30)]
    data, _, said = guess(
        (
            "ratings.csv",
            {
                "User-ID": made.of(50, 1_276_700_000),
                "ISBN": [isbn[k] for k in made.of(30)],
                "Book-Rating": made.among(0, 5, 8, 10),
            },
        ),
        ("books.csv", {"ISBN": isbn, "Book-Title": made.titles(30)}),
        (
            "users.csv",
            {
                "User-ID": range(1_276_700_000, 1_276_700_050),
                "Email": [f"{k}@x.org" for k in range(50)],
            },
        ),
    )
    assert columns_of(data) == {"user_id": "User-ID", "item_id": "ISBN", "rating": "Book-Rating"}
    assert "user_fields" not in data
    assert "Not used: users.csv, since none of its columns can be a field: Email" in said


def test_days_and_months(guess, made):
    """All days are of the first twelve of a month: the shorter span of time is taken, and said."""
    days = [(START + timedelta(hours=k // 2)).strftime("%m/%d/%Y %H:%M") for k in range(ROWS)]
    days = [day if int(day[3:5]) <= 12 else f"10/12/2019 {day[11:]}" for day in days]
    orders, products = shop(made, ordered_at=days)
    data, _, said = guess(orders, products)
    assert data["reader"]["init_args"]["day_first"] is False
    assert "Assumed: the month is first" in said
    german = [f"{day[3:5]}.{day[:2]}.{day[6:]}" for day in days]
    data, _, said = guess(("orders.csv", {**orders[1], "ordered_at": german}), products)
    assert data["reader"]["init_args"]["day_first"] is True


def test_plays_without_times(guess, made):
    """The remedy names a column that works."""
    plays = {
        "user": made.of(50, 151603712),
        "game": [f"game {k}" for k in made.of(30)],
        "action": made.among("purchase", "play"),
        "hours": [round(made.chance.random() * 40, 1) for _ in range(ROWS)],
    }
    games = {"name": [f"game {k}" for k in range(30)], "genre": made.among("RPG", "Sim", rows=30)}
    tables = ("plays.csv", plays), ("games.csv", games)
    with pytest.raises(ConfigError, match="--rating_column hours") as error:
        guess(*tables)
    assert "next_item" not in str(error.value)
    data, _, _ = guess(*tables, columns={"rating": "hours"})
    assert columns_of(data) == {
        "user_id": "user",
        "item_id": "game",
        "rating": "hours",
        "event": "action",
    }
