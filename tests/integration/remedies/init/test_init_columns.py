"""Remedies of ``lit-rec init`` for columns and for what joins tables, followed as a shell would take them."""

from pathlib import Path

import polars as pl
import pytest

from lit_rec.errors import LitRecError
from tests.integration.init_tables import (
    FILMS,
    ITEMS,
    KEYS,
    MORE,
    PAIRS,
    PRICES,
    RATINGS,
    ROWS,
    STARS,
    TIMES,
    TITLES,
    USERS,
    obeyed,
    printed,
    run,
    two,
    write,
)
from tests.integration.remedies.followed import each_remedy_of, follow

BUYS = {"item_id": ITEMS, "rating": STARS}
STRANGE = ["a b", "it's", "né", "--k", "$HOME", "", '"q"', "x\xa0y", "a,b"]


@pytest.mark.parametrize("name", STRANGE)
def test_names_of_columns_are_quoted(name):
    """Whatever a column is called: the option of the error names it, and the text columns are read."""
    behaviors = {name: USERS, "other": USERS[::-1], "item_id": ITEMS, "rating": STARS}
    words = two(behaviors, {"item_id": KEYS, f"n{name}": PRICES})
    obeyed(words, says="say which: --user_column", then=LitRecError)
    said = printed(lambda: run(*words))[0]
    words = [*words, *said]
    obeyed(words, says="--text_columns")


# what is wrong -> behaviors, items, more words, and the option that settles it
OBEYED = {
    "two columns of items": (
        {"a": ITEMS, "b": ITEMS, "user": USERS, "stars": STARS},
        FILMS,
        [],
        "--item_column a",
    ),
    "two users": ({"buyer": USERS, "reader": USERS[::-1]} | BUYS, FILMS, [], "--user_column buyer"),
    "a user by no name": ({"x": USERS, "y": USERS[::-1]} | BUYS, FILMS, [], "--user_column x"),
    "a user of two words": (
        {"x": [f"Ann {u}" for u in USERS]} | BUYS,
        FILMS,
        [],
        "--user_column x",
    ),
    "two ratings": (PAIRS | {"stars": MORE, "grade": STARS}, FILMS, [], "--rating_column grade"),
    "no rating by its name": (
        PAIRS | {"price": MORE, "qty": [1] * ROWS},
        FILMS,
        [],
        "--rating_column price",
    ),
    "no time by its name": (
        PAIRS | {"rating": STARS, "x": MORE},
        FILMS,
        ["--task=next_item"],
        "--time_column x",
    ),
    "numbers for texts": (RATINGS, {"item_id": KEYS, "price": PRICES}, [], "--text_columns price"),
}
FEW = [f"{i}x" if k % 3 else i for k, i in enumerate(ITEMS)]
OBEYED["ids that the items lack"] = (RATINGS | {"item_id": FEW}, FILMS, [], "--item_column item_id")


@pytest.mark.parametrize("name", OBEYED)
def test_an_option_that_the_error_prints(name):
    behaviors, items, words, says = OBEYED[name]
    obeyed([*two(behaviors, items), *words], says=says)


NEXT = ["--task=next_item"]
ORDER = PAIRS | {"timestamp": TIMES}
WORDS = ORDER | {"rating": ["good"] * ROWS}
UPPER = {"item_id": [k.upper() for k in KEYS], "title": TITLES}
BOTH_WRONG = ["--user_column=title", "--item_column=rating"]
BOTH_RIGHT = ["--user_column=user_id", "--item_column=item_id"]
# what is wrong -> tables and options as they are and as they are mended, and what the remedy says
MENDED = {
    "other ids": ((RATINGS, UPPER), (RATINGS, FILMS), "make the ids of both tables equal"),
    "other ids of a named column": (
        (RATINGS, UPPER, ["--item_column=item_id"]),
        (RATINGS, FILMS, ["--item_column=item_id"]),
        "write the ids of both tables alike",
    ),
    "no user": (
        (BUYS, FILMS),
        (RATINGS, FILMS),
        "add a column of users to behaviors.csv, such as user_id",
    ),
    "no rating": (
        (PAIRS, FILMS),
        (PAIRS | BUYS, FILMS),
        "add to behaviors.csv a column of ratings",
    ),
    "no rating and no time": ((PAIRS, FILMS), (ORDER, FILMS), "or one of times"),
    "a rating in words": (
        (ORDER | {"stars": ["good"] * ROWS}, FILMS),
        (ORDER | {"stars": ["good"] * ROWS}, FILMS, NEXT),
        "predict what comes next: --task next_item",
    ),
    "a column rating in words": (
        (WORDS, FILMS, NEXT),
        (RATINGS, FILMS, NEXT),
        "write numbers there",
    ),
    "the same by another name": (
        (WORDS, FILMS, NEXT),
        (ORDER | {"rating_text": ["good"] * ROWS}, FILMS, NEXT),
        "rename it, such as to rating_text",
    ),
    "times in words": (
        (RATINGS | {"timestamp": ["May"] * ROWS}, FILMS),
        (PAIRS | BUYS | {"timestamp_text": ["May"] * ROWS}, FILMS),
        "rename it, such as to timestamp_text",
    ),
    "no time": (
        (PAIRS, FILMS, NEXT),
        (ORDER, FILMS, NEXT),
        "add a column of times to behaviors.csv, such as timestamp",
    ),
    "ratings without a time": (
        (PAIRS | BUYS, FILMS, NEXT),
        (PAIRS | BUYS, FILMS),
        "leave --task out to predict the rating",
    ),
    "one time": (
        (ORDER | {"timestamp": [TIMES[0]] * ROWS}, FILMS),
        (ORDER, FILMS),
        "add behaviors of other times",
    ),
    "no texts": (
        (RATINGS, {"item_id": KEYS, "empty": [""] * 20}),
        (RATINGS, FILMS),
        "add a column with titles or descriptions to items.csv",
    ),
    "columns of two tables": (
        (RATINGS, FILMS, BOTH_WRONG),
        (RATINGS, FILMS, BOTH_RIGHT),
        "name two columns of one table",
    ),
    "one option": (
        (RATINGS, FILMS, BOTH_WRONG),
        (RATINGS, FILMS, ["--item_column=item_id"]),
        "leave one of the options out",
    ),
}
# an option, the one that the remedy asks for, and what it says
OPTIONS = [
    ("--item_column=film", "--item_column=item_id", "name one of these columns"),
    ("--item_column=itemid", "--item_column=item_id", "did you mean 'item_id'?"),
    ("--time_column=when", "--time_column=timestamp", "name one of these columns"),
    ("--time_column=time_stamp", "--time_column=timestamp", "did you mean 'timestamp'?"),
    ("--item_column=user_id", "--item_column=item_id", "name another column"),
    ("--item_column=user_id", None, "leave the option out"),
    ("--rating_column=user_id", "--rating_column=rating", "name a column of numbers"),
    ("--rating_column=user_id", None, "leave the option out"),
    ("--text_columns=plot", "--text_columns=title", "name some of these columns"),
    ("--text_columns=titel", "--text_columns=title", "did you mean 'title'?"),
    ("--text_columns=", None, "leave the option out"),
]
for before, after, said in OPTIONS:
    mended = [] if after is None else [after]
    MENDED[f"{before}, {said}"] = ((RATINGS, FILMS, [before]), (RATINGS, FILMS, mended), said)


@pytest.mark.parametrize("name", MENDED)
def test_tables_and_options_that_are_mended(name):
    def run_on(behaviors, items, words=()):
        run(*two(behaviors, items), *words)

    broken, mended, says = MENDED[name]
    follow(lambda: run_on(*broken), lambda: run_on(*mended), says=says)


@pytest.mark.parametrize("way", [0, 1])
def test_a_file_of_behaviors_that_is_none(way):
    then = LitRecError if way else None  # the items hold no users
    obeyed(
        [*two(), "--behaviors=x.csv"],
        says="--behaviors behaviors.csv; or --behaviors items.csv",
        way=way,
        then=then,
    )


def test_two_tables_like_behaviors():
    one = {"user_id": USERS[:20], "item_id": KEYS, "rating": STARS[:20], "title": TITLES}
    obeyed([write("a.csv", one), write("b.csv", one)], says="--behaviors a.csv")


@pytest.mark.parametrize("form", [",", ";", ".tsv", ".parquet", "there"])
def test_orders_in_a_table_of_their_own(form):
    """The command joins them into a new file; where it cannot, the words say what to join."""
    lines = {"order_id": [f"o{k // 4}" for k in range(ROWS)], "item_id": ITEMS, "rating": STARS}
    orders = {"order_nr": [f"o{k}" for k in range(ROWS // 4)], "user_id": USERS[: ROWS // 4]}
    ending = form if form.startswith(".") else ".csv"
    words = [f"li'nes{ending}", f"orders{ending}"]
    for name, table in zip(words, (lines, orders), strict=True):
        if form == ".parquet":
            pl.DataFrame(table).write_parquet(name)
        else:
            write(name, table, delimiter={";": ";", ".tsv": "\t"}.get(form, ","))
    if form == "there":
        Path("joined.csv").write_text("mine")
    words.append(write("items.csv", FILMS, delimiter=";" if form == ";" else ","))
    found = printed(lambda: run(*words))
    assert bool(found) == (form not in (".parquet", "there"))

    def mended():
        if found:
            exec(found[0][2], {})
        else:
            joined = pl.DataFrame(lines).join(
                pl.DataFrame(orders), left_on="order_id", right_on="order_nr"
            )
            joined.write_csv("joined.csv")
        if form == ";":
            write("items.csv", FILMS)
        run("joined.csv", "items.csv")

    follow(lambda: run(*words), mended, says="join them by 'order_nr' into one table first")


test_each_remedy_was_followed = each_remedy_of(
    *(f"init/{name}.py" for name in ("behavior_columns", "plan", "table_roles", "text_columns"))
)
