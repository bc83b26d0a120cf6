"""Categories of a table: found, counted, coded."""

import polars as pl
import pytest

from lit_rec.data.fields.category import CategoryField
from lit_rec.errors import ConfigError


def table(values):
    return pl.DataFrame({"item_id": [f"i{n}" for n in range(len(values))], "tags": values})


LISTS = [["b", "a", "b"], [], None, ["c", " a", ""]]
CODES = [[2, 1], [0, 0], [0, 0], [3, 1]]


@pytest.mark.parametrize(
    ("values", "separator"),
    [(LISTS, None), (["b|a|b", "", None, "c| a|"], "|")],
    ids=["lists", "texts"],
)
def test_each_category_of_a_row_is_coded_once(values, separator):
    fitted = CategoryField("tags", separator).fit(table(values), "x")
    assert fitted.names == ("a", "b", "c")
    assert fitted.encode(table(values), "x").tolist() == CODES


def test_a_text_without_separator_is_one_category():
    values = ["a|b", "b", None]
    fitted = CategoryField("tags").fit(table(values), "x")
    assert fitted.encode(table(values), "x").tolist() == [[1], [2], [0]]


def test_numbers_are_categories_too():
    assert CategoryField("tags").fit(table([3, 1, 3]), "x").names == ("1", "3")


def test_unseen_and_rare_categories_have_no_code():
    fitted = CategoryField("tags", min_count=2).fit(table(["a", "a", "b", "b", "c"]), "x")
    assert fitted.names == ("a", "b")
    assert fitted.encode(table(["c", "b", "new"]), "x").tolist() == [[0], [2], [0]]


@pytest.mark.parametrize(
    ("values", "seen"), [(["a", "a", None], "the one category 'a'"), ([None, ""], "no category")]
)
def test_a_category_that_says_nothing_is_refused(values, seen):
    with pytest.raises(ConfigError, match=f"'tags' has {seen} in {len(values)} training rows"):
        CategoryField("tags").fit(table(values), "data.item_fields")


@pytest.mark.parametrize(
    ("options", "says"),
    [({"min_count": 0}, "min_count of .*: 0 is"), ({"separator": ""}, "separator of .*: '' is")],
)
def test_wrong_options_are_named(options, says):
    with pytest.raises(ConfigError, match=says):
        CategoryField("tags", **options)
