"""Precomputed vectors of a table."""

import numpy as np
import polars as pl
import pytest

from lit_rec.data.fields.vector import VectorFacts, VectorField, vectors_of
from lit_rec.errors import ConfigError, DataError


def table(values, kind=None):
    overrides = {"image": kind} if kind else None
    ids = [f"i{n}" for n in range(len(values))]
    return pl.DataFrame({"item_id": ids, "image": values}, schema_overrides=overrides)


EXPECTED = np.array([[1, 2.5], [np.nan, np.nan], [-3, 0], [np.nan, np.nan]], np.float32)
NUMBERS = [[1, 2.5], None, [-3, 0], []]


@pytest.mark.parametrize(
    "frame",
    [
        table(NUMBERS, pl.List(pl.Float32)),
        table([*NUMBERS[:3], None], pl.Array(pl.Float64, 2)),
        table(["1 2.5", None, "[-3, 0]", " "]),
        table(["(1;2.5)".strip("()"), "", "[-3\n 0.0]", "[]"]),
    ],
    ids=["lists", "arrays", "texts", "texts of several kinds"],
)
def test_vectors_are_read_from_lists_and_texts(frame):
    found = vectors_of(frame, "image", "x")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, EXPECTED)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([[1.0, 2.0], [1.0]], "item_id 'i1' ([1.0])"),
        ([[1.0, 2.0], [1.0, None]], "item_id 'i1' ([1.0, None])"),
        ([[1.0, 2.0], [1.0, float("nan")]], "item_id 'i1' ([1.0, nan])"),
        (["1 2", "1 red"], "item_id 'i1' ('1 red')"),
    ],
)
def test_a_vector_that_is_not_as_the_first_is_named(values, shown):
    with pytest.raises(DataError) as error:
        vectors_of(table(values), "image", "data.item_fields")
    assert "image is not a vector of 2 finite numbers, as the first is" in str(error.value)
    assert shown in str(error.value)


def test_numbers_are_no_vectors():
    with pytest.raises(DataError, match="image is not a vector: item_id 'i0' "):
        vectors_of(table([1, None]), "image", "x")


def test_no_vector_in_training_is_refused():
    with pytest.raises(ConfigError, match="'image' has no vector in 2 training rows"):
        VectorField("image").fit(table([None, None], pl.List(pl.Float32)), "x")


def test_vectors_of_another_width_are_refused_later():
    facts = VectorField("image").fit(table(NUMBERS, pl.List(pl.Float32)), "x")
    assert facts == VectorFacts("image", 2)
    np.testing.assert_array_equal(facts.encode(table([None, "3 4"]), "x")[1], [3, 4])
    assert facts.encode(table([None, None]), "x").shape == (2, 2)
    with pytest.raises(DataError, match="add_items: image has vectors of 3 numbers"):
        facts.encode(table(["1 2 3"]), "add_items")
