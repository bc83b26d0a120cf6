"""Which table is which, and what joins them."""

import polars as pl
import pytest

from lit_rec.errors import ConfigError
from lit_rec.init.table_roles import find_roles


@pytest.mark.parametrize("swap", [False, True])
def test_two_tables_in_any_order(behaviors, items, table, swap):
    files = [table(behaviors, "one.csv"), table(items, "two.csv")]
    roles = find_roles(files[::-1] if swap else files)
    assert (roles.behaviors.path, roles.items.path) == ("one.csv", "two.csv")
    assert (roles.item.column, roles.item.key) == ("i", "k")
    assert (roles.item.shared, roles.item.covered) == (1.0, 1.0)


def numbered(behaviors, items):
    """Users and items both count from 0, and there are more users: each user's number is not an item's."""
    return (
        behaviors.with_columns(pl.col("u", "i").str.slice(1).cast(pl.Int64)),
        items.with_columns(pl.col("k").str.slice(1).cast(pl.Int64)),
    )


def test_numbers_of_users_that_are_numbers_of_items_too(behaviors, items, table):
    behaviors, items = numbered(behaviors.with_columns(u=pl.col("i").shuffle(0)), items)
    with pytest.raises(ConfigError, match="both match 'k'"):
        find_roles([table(behaviors, "b.csv"), table(items, "i.csv")])
    files = [table(behaviors.rename({"u": "userId"}), "b.csv"), table(items, "i.csv")]
    assert find_roles(files).item.column == "i"
    files = [table(behaviors, "b.csv"), table(items, "i.csv")]
    assert find_roles(files, item_column="i").item.column == "i"
    assert find_roles(files, user_column="u").item.column == "i"


def test_a_table_of_users(behaviors, items, table):
    users = pl.DataFrame({"id": [f"u{k}" for k in range(70)], "city": ["a b", "c d"] * 35})
    files = [table(users, "u.csv"), table(items, "i.csv"), table(behaviors, "b.csv")]
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        roles = find_roles([files[place] for place in order])
        assert (roles.behaviors.path, roles.items.path, roles.users.path) == (
            "b.csv",
            "i.csv",
            "u.csv",
        )
        assert (roles.user.column, roles.user.key) == ("u", "id")


def test_numbered_users_and_items_are_told_apart_by_their_names(behaviors, items, table):
    behaviors, items = numbered(behaviors, items)
    users = pl.DataFrame({"user": range(70), "age": [30] * 70})
    files = [
        table(users, "u.csv"),
        table(items.rename({"k": "movie"}), "i.csv"),
        table(behaviors.rename({"u": "user", "i": "movie"}), "b.csv"),
    ]
    roles = find_roles(files)
    assert (roles.item.column, roles.user.column) == ("movie", "user")


def test_nothing_joins_them(behaviors, items, table):
    apart = items.with_columns(pl.col("k").str.replace("i", "x")).rename({"k": "sku"})
    files = [table(behaviors.rename({"i": "sku"}), "b.csv"), table(apart, "i.csv")]
    with pytest.raises(ConfigError) as error:
        find_roles(files)
    text = str(error.value)
    assert "b.csv has u, sku, r, t; sku holds 'i" in text
    assert "i.csv has sku, title, plot, genre; sku holds 'x0', 'x1'" in text
    assert "'sku' of b.csv and 'sku' of i.csv share 0 of 40 ids" in text
    with pytest.raises(
        ConfigError, match=r"of 'sku' in b\.csv, 0 of 40 ids are in 'sku' of i\.csv"
    ):
        find_roles(files, item_column="sku")


def test_a_column_that_is_named_is_believed(behaviors, items, table):
    """Few ids match; the error names the option, and with it the roles are found."""
    few = items.with_columns(pl.when(pl.int_range(40) < 10).then("k").otherwise("0" + pl.col("k")))
    files = [table(behaviors.rename({"i": "sku"}), "b.csv"), table(few, "i.csv")]
    with pytest.raises(ConfigError, match="--item_column sku") as error:
        find_roles(files)
    assert "10 of 40 ids; without leading zeros 40" in str(error.value)
    link = find_roles(files, item_column="sku").item
    assert (link.column, link.key, link.shared) == ("sku", "k", 0.25)


@pytest.mark.parametrize("name", ["isbn", "article", "i"])
def test_ids_in_the_range_of_times(behaviors, items, table, name):
    number = 1_400_000_000 + pl.col("i").str.slice(1).cast(pl.Int64)
    behaviors = behaviors.with_columns(i=number.cast(pl.String).str.zfill(11)).rename({"i": name})
    items = items.with_columns(k=("0" + (1_400_000_000 + pl.int_range(40)).cast(pl.String)))
    link = find_roles([table(behaviors, "b.csv"), table(items, "i.csv")]).item
    assert (link.column, link.key) == (name, "k")


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_row_numbers_of_pandas_are_no_keys(behaviors, items, table, name):
    numbers = {name: pl.int_range(pl.len())}
    behaviors, items = numbered(behaviors, items)
    files = [
        table(behaviors.rename({"i": "item_id"}).with_columns(**numbers), "b.csv"),
        table(items.rename({"k": "item_id"}).with_columns(**numbers), "i.csv"),
    ]
    roles = find_roles(files)
    assert (roles.behaviors.path, roles.item.column, roles.item.key) == (
        "b.csv",
        "item_id",
        "item_id",
    )


def test_a_third_table_that_nothing_joins(behaviors, items, table):
    people = pl.DataFrame({"id": [f"p{k}" for k in range(9)], "age": [30, 40, 50] * 3})
    roles = find_roles(
        [table(f, p) for f, p in ((behaviors, "b.csv"), (people, "p.csv"), (items, "i.csv"))]
    )
    assert (roles.behaviors.path, roles.items.path, roles.users) == ("b.csv", "i.csv", None)
    assert roles.left.path == "p.csv"


def test_two_tables_that_both_look_like_behaviors(table):
    one = pl.DataFrame({"a": ["1", "2", "3"], "b": ["x", "y", "z"]})
    two = pl.DataFrame({"a": ["1", "2", "3"], "c": ["x", "y", "z"]})
    files = [table(one, "one.csv"), table(two, "two.csv")]
    with pytest.raises(ConfigError, match="both look like behaviors"):
        find_roles(files, item_column="a")
    assert find_roles(files, behaviors="two.csv", item_column="a").items.path == "one.csv"


def test_names_that_are_not_there(behaviors, items, table):
    files = [table(behaviors, "b.csv"), table(items, "i.csv")]
    with pytest.raises(ConfigError, match=r"'other\.csv' is none of the files"):
        find_roles(files, behaviors="other.csv")
    with pytest.raises(ConfigError, match="no column 'sku'"):
        find_roles(files, item_column="sku")
