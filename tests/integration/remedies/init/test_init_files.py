"""Remedies of ``lit-rec init`` for files; a command or an option that an error prints is run as a shell would."""

import shlex
from pathlib import Path

import polars as pl
import pytest

from lit_rec.cli.init import init
from lit_rec.data.readers.plain import TableReader
from lit_rec.errors import LitRecError
from tests.integration.init_tables import (
    FILMS,
    PAIRS,
    RATINGS,
    STARS,
    TITLES,
    obeyed,
    run,
    two,
    write,
)
from tests.integration.remedies.followed import each_remedy_of, follow, refused


def test_names_of_files_are_quoted():
    words = [write(name, FILMS | {"x": TITLES}) for name in ("a b.csv", "it's.csv")]
    obeyed(words, says="--behaviors", then=LitRecError)
    obeyed([words[1], *words, words[0]], says="'a b.csv'", then=LitRecError)


def test_an_error_ends_with_its_command():
    """A full stop after it would be copied as a part of the value."""
    error, _ = refused(lambda: run(*two({**PAIRS, "price": STARS})))
    assert str(error).splitlines()[-1].split("; ")[0].endswith("--rating_column price")
    assert str(refused(lambda: run("behaviors.csv"))[0]).endswith(
        "lit-rec init behaviors.csv items.csv"
    )


def test_one_file_of_two():
    two()
    obeyed(["items.csv"], says="name the other table too: lit-rec init items.csv behaviors.csv")
    alone, films = write("alone/x.csv", RATINGS), write("films.csv", FILMS)
    follow(lambda: run(alone), lambda: run(alone, films), says="name the other table too; of items")


def test_more_files_than_three():
    words = [*two(), write("a.csv", FILMS), write("b.csv", FILMS)]
    obeyed(words, says="lit-rec init behaviors.csv items.csv")


def test_a_file_twice():
    one, other = two()
    follow(lambda: run(one, one), lambda: run(one, other), says="name the other table too")


def test_files_with_different_delimiters():
    words = [write("a.csv", RATINGS, delimiter=";"), write("b.csv", FILMS)]
    follow(
        lambda: run(*words),
        lambda: write(words[0], RATINGS) and run(*words),
        says=".csv with commas",
    )


def test_names_for_one_of_two_files():
    """Neither has a header, and both have two columns."""
    named = ["--behavior_names", "user,item", "--item_names", "key,title"]
    files = two(PAIRS, FILMS, header=False)
    obeyed([*files, *named], says="--behaviors behaviors.csv", then=LitRecError)
    obeyed([*files, *named[2:]], says="--behaviors behaviors.csv", then=LitRecError)
    follow(
        lambda: run(*files, *named),
        lambda: run(*two(PAIRS | {"rating": STARS}, FILMS)),
        says="write the names as the first line of their file",
    )
    pl.DataFrame(RATINGS).write_parquet("b.parquet")
    pl.DataFrame(FILMS).write_parquet("i.parquet")
    files = ["b.parquet", "i.parquet"]
    follow(lambda: run(*files, *named[:2]), lambda: run(*files), says="leave --behavior_names out")


def test_files_without_headers():
    """Their columns get names, one file after the other, also a table of users."""
    files = two(header=False)
    users = {"who": [f"u{k}" for k in range(20)], "plan": ["a", "b"] * 10, "age": range(20)}
    words = [*files, write("users.csv", users, header=False)]
    for option in ("--behavior_names", "--item_names", "--user_names"):
        error, _ = refused(lambda: run(*words))  # noqa: B023
        assert error.remedy.endswith("; if it is a header, add --header")
        assert f"{option} column_1,column_2" in error.remedy
        words += shlex.split(error.remedy.partition("example: ")[2].partition("; if")[0])
    run(*words)
    assert "users.csv" in Path("my_data.yaml").read_text()


@pytest.mark.parametrize(
    "says", ["leave out columns that no model reads", "like configs/own_data.yaml"]
)
def test_more_columns_than_are_looked_at(says):
    words = two(items={f"c{k}": ["x"] for k in range(2000)} | {"item_id": ["i1"], "title": ["x"]})
    by_hand = "configs" in says
    follow(
        lambda: run(*words),
        lambda: TableReader(*words).read() if by_hand else run(*two()),
        says=says,
    )


def test_a_file_that_is_there():
    words = two()
    Path("my_data.yaml").write_text("mine")
    plain = lambda *more: init([*words, "--encoder", "x", *more])  # noqa: E731
    follow(plain, lambda: plain("--output", "b.yaml"), says="choose another name with --output")
    assert Path("my_data.yaml").read_text() == "mine"
    follow(plain, lambda: plain("--force"), says="or add --force to replace my_data.yaml")
    assert "--force" not in Path("my_data.yaml").read_text()
    obeyed([*words, "--output=."], says="--output my_data.yaml")


test_each_remedy_was_followed = each_remedy_of("cli/init.py", "init/table_files.py")
