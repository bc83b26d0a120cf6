"""A few training rows of each label, counted by hand."""

import polars as pl
import pytest

from lit_rec.data.splits.few_labels import FewLabelsSplit
from lit_rec.data.splits.splits import GivenSplit
from lit_rec.errors import ConfigError

FRAME = pl.DataFrame(
    {
        "split": ["train"] * 60 + ["test"] * 6,
        "label": ["a"] * 30 + ["b"] * 20 + ["c"] * 4 + [None] * 6 + ["a"] * 6,
    }
)


def parts(**options):
    part = FewLabelsSplit(**options).assign(FRAME)
    return part, FRAME.with_columns(part=part)


def test_so_many_rows_of_each_label_train():
    _, table = parts(rows_per_label=5, validation=0.1)
    counts = table.filter(part="train").group_by("label").len()
    found = dict(counts.iter_rows())
    assert (found["a"], found["b"]) == (5, 5)
    assert found["c"] == len(table.filter(pl.col("label") == "c", pl.col("part") != "val"))
    assert None not in found
    assert table.filter(part="test").height == 6


def test_validation_rows_are_those_of_all_rows():
    part, _ = parts(rows_per_label=5, validation=0.1, seed=3)
    whole = GivenSplit(validation=0.1, seed=3).assign(FRAME)
    assert (part == "val").to_list() == (whole == "val").to_list()
    assert set(part.filter(whole == "train")) == {"train", "shown"}


def test_draws_differ_by_seed_alone():
    assert parts(seed=1)[0].to_list() == parts(seed=1)[0].to_list()
    assert parts(seed=1)[0].to_list() != parts(seed=2)[0].to_list()


def test_wrong_numbers():
    with pytest.raises(ConfigError, match="rows_per_label"):
        FewLabelsSplit(rows_per_label=0)
