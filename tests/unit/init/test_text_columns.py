"""Texts and categories of items."""

import polars as pl
import pytest

from lit_rec.errors import ConfigError
from lit_rec.init.text_columns import guess_text_columns


def test_title_first_and_categories_apart(items, table):
    shuffled = items.select("plot", "genre", "title", "k").with_columns(
        year=pl.int_range(40) + 1950,
        price=pl.int_range(40),
        link=pl.lit("http://a.b/") + pl.col("k"),
    )
    found = guess_text_columns(table(shuffled), "k")
    assert found.fields == {"title": ["title", "year", "plot"], "genre": ["genre"]}
    assert found.why["genre"] == "4 distinct values in 40 items, 1.0 words each, such as 'Action'"
    assert found.why["year"] == "a year, such as '1950'"
    # 3 + 1 + 9 words
    assert found.max_tokens == 32
    assert found.foreign == 0


def test_lists_are_categories(items, table):
    found = guess_text_columns(table(items.with_columns(pl.concat_list("genre"))), "k")
    assert found.fields["genre"] == ["genre"]


def test_titles_of_one_word(table):
    names = ["Alien", "Heat", "Tootsie", "Seven", "Fargo", "Psycho", "Jaws", "Ran", "Brazil"]
    frame = pl.DataFrame({"id": range(9), "Name": names})
    frame = frame.with_columns(code=pl.lit("xy") + pl.col("id").cast(pl.String))
    assert guess_text_columns(table(frame), "id").fields == {"Name": ["Name"]}


def test_long_texts(items, table):
    long = items.with_columns(plot=pl.lit("word " * 400) + pl.col("k"))
    assert guess_text_columns(table(long), "k").max_tokens == 256


def test_columns_that_are_named(items, table):
    found = guess_text_columns(table(items), "k", ["genre", "title"])
    assert found.fields == {"text": ["genre", "title"]}
    for named, seen in ((["titel"], "no column 'titel'"), ([], "no column is named")):
        with pytest.raises(ConfigError, match=seen):
            guess_text_columns(table(items), "k", named)


def test_nothing_to_read(items, table):
    with pytest.raises(ConfigError, match=r"x\.csv has k, n"):
        guess_text_columns(table(items.select("k", n=pl.int_range(40))), "k")
