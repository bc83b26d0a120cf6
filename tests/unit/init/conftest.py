"""Two tables of a shop under neutral column names, for tests to rename.

Behaviors: user u, item i, stars r, second t. Items: key k, title, plot, genre.
"""

import random

import polars as pl
import pytest

from lit_rec.init.table_files import TableFile

WORDS = ("red", "blue", "night", "day", "river", "city", "love", "war", "star", "home", "gold")


@pytest.fixture(scope="session")
def behaviors():
    """600 rows of 70 users and 40 items, in the order of time."""
    chance = random.Random(0)
    rows = [
        (
            f"u{chance.randrange(70)}",
            f"i{chance.randrange(40)}",
            chance.randint(1, 5),
            1_600_000_000 + 60 * k,
        )
        for k in range(600)
    ]
    return pl.DataFrame(rows, schema=["u", "i", "r", "t"], orient="row")


@pytest.fixture(scope="session")
def items():
    """40 items; every genre is of ten of them."""
    chance = random.Random(1)
    genres = ("Action", "Comedy", "Drama", "Horror")
    rows = [
        (
            f"i{k}",
            f"{' '.join(chance.sample(WORDS, 2))} {k}",
            " ".join(chance.sample(WORDS, 9)),
            genres[k % 4],
        )
        for k in range(40)
    ]
    return pl.DataFrame(rows, schema=["k", "title", "plot", "genre"], orient="row")


@pytest.fixture
def table():
    """Return a table under the path that it would have."""

    def make(frame, path="x.csv"):
        return TableFile(path, frame)

    return make


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a table into the working folder by its ending, and return its name."""
    monkeypatch.chdir(tmp_path)

    def to_file(frame, name):
        writers = {
            "csv": frame.write_csv,
            "tsv": lambda path: frame.write_csv(path, separator="\t"),
            "parquet": frame.write_parquet,
            "jsonl": frame.write_ndjson,
        }
        writers[name.rpartition(".")[2]](tmp_path / name)
        return name

    return to_file
