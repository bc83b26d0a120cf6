"""Numbers of a table: read, divided into bins."""

import numpy as np
import polars as pl
import pytest

from lit_rec.data.fields.number import NumberField
from lit_rec.errors import ConfigError, DataError


def table(values, **options):
    return pl.DataFrame(
        {"item_id": [f"i{n}" for n in range(len(values))], "price": values}, **options
    )


def test_edges_are_quantiles_of_the_rows_given():
    chance = np.random.default_rng(0)
    prices = chance.lognormal(size=200)
    edges = NumberField("price", bins=4).fit(table(prices), "data.item_fields").edges
    ordered = np.sort(prices)
    inside = [int((ordered < edge).sum()) for edge in edges[1:-1]]
    assert (edges[0], edges[-1]) == (ordered[0], ordered[-1])
    assert inside == [50, 100, 150]


def test_equal_quantiles_fall_together():
    assert NumberField("price", bins=4).fit(table([1, 1, 1, 1, 5]), "x").edges == (1.0, 5.0)


@pytest.mark.parametrize(
    "values", [["1", " 2.5 ", "", None], [1.0, 2.5, float("nan"), None]], ids=["texts", "numbers"]
)
def test_texts_are_read_and_what_is_empty_is_absent(values):
    found = NumberField("price").fit(table(values), "x").encode(table(values), "x")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array([1, 2.5, np.nan, np.nan], np.float32))


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (["1", "cheap"], "item_id 'i1' ('cheap')"),
        ([1.0, float("inf")], "item_id 'i1' (inf)"),
        ([[1], [2]], "item_id 'i0' ("),
    ],
)
def test_what_is_no_number_is_named(values, shown):
    with pytest.raises(DataError) as error:
        NumberField("price").fit(table(values), "data.item_fields")
    assert "data.item_fields: price is not a finite number" in str(error.value)
    assert shown in str(error.value)


@pytest.mark.parametrize(
    ("values", "seen"), [([2, 2], "the one value 2"), ([None, None], "no value")]
)
def test_a_number_that_says_nothing_is_refused(values, seen):
    with pytest.raises(ConfigError, match=f"'price' has {seen} in 2 training rows"):
        NumberField("price").fit(table(values, schema_overrides={"price": pl.Int64}), "x")


def test_a_number_has_a_bin():
    with pytest.raises(ConfigError, match="bins of the number field 'price': 0 is too small"):
        NumberField("price", bins=0)
