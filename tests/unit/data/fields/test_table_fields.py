"""The fields of a table together."""

from dataclasses import asdict

import numpy as np
import polars as pl
import pytest

from lit_rec.data.fields.category import CategoryField
from lit_rec.data.fields.number import NumberField
from lit_rec.data.fields.table_fields import (
    check_fields,
    encode_fields,
    fit_fields,
    fitted_from_plain,
    vector_columns,
)
from lit_rec.data.fields.vector import VectorField
from lit_rec.errors import ConfigError

FIELDS = [NumberField("price"), CategoryField("brand"), VectorField("image")]
TABLE = pl.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "price": [1.0, 2.0, 9.0, None],
        "brand": ["x", "y", "z", "x"],
        "image": [[1.0, 0.0], [0.0, 1.0], None, [5.0, 5.0]],
    }
)


@pytest.fixture
def fitted():
    vectors = vector_columns(FIELDS, TABLE, "data.item_fields")
    return fit_fields(FIELDS, TABLE, np.array([0, 1]), vectors, "data.item_fields")


def test_fields_know_only_the_rows_they_were_fitted_on(fitted):
    number, category, vector = fitted
    assert (number.edges[0], number.edges[-1]) == (1.0, 2.0)
    assert category.names == ("x", "y")
    assert vector.width == 2


def test_every_row_is_encoded(fitted):
    vectors = vector_columns(FIELDS, TABLE, "x")
    found = encode_fields(fitted, TABLE.drop("image"), "x", vectors)
    np.testing.assert_array_equal(found["price"], np.array([1, 2, 9, np.nan], np.float32))
    assert found["brand"].tolist() == [[1], [2], [0], [1]]
    np.testing.assert_array_equal(found["image"][[0, 3]], [[1, 0], [5, 5]])


def test_columns_that_are_absent_are_empty(fitted):
    found = encode_fields(fitted, TABLE.select("item_id"), "x")
    assert np.isnan(found["price"]).all()
    assert found["brand"].tolist() == [[0]] * 4
    assert np.isnan(found["image"]).all()


def test_facts_come_back_from_plain_values(fitted):
    assert tuple(fitted_from_plain(asdict(field)) for field in fitted) == fitted


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["prise"], "the table has no column 'prise'; it has item_id, price, brand, image"),
        (["price", "price"], "column 'price' is named 2 times"),
    ],
)
def test_wrong_columns_are_named(names, says):
    with pytest.raises(ConfigError, match=says) as error:
        check_fields([NumberField(name) for name in names], TABLE, "data.item_fields")
    assert error.value.where == "data.item_fields"
