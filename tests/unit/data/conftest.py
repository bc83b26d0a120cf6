"""A small data set as tables, with ties, an impression, an event, gaps and a history of its own."""

import polars as pl
import pytest

from lit_rec.data.prepared import Prepared, prepare
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate


@pytest.fixture(scope="session")
def toy_tables():
    behaviors = pl.DataFrame(
        {
            "user_id": ["v", "u", "u", "v", "u", "u", "v"],
            "item_id": ["a", "b", "c", "a", "d", "a", "e"],
            "rating": [1.0, 2.0, None, 4.0, 5.0, 3.0, 2.0],
            "label": ["no", "yes", None, "yes", "no", "no", "yes"],
            "event": ["click", None, "buy", "click", "share", "click", None],
            "timestamp": [86400.0 * t for t in (5, 3, 1, 4, 3, 2, 4)],
            "history": [["a"], [], None, ["e", "b"], ["c"], [], ["a", "a", "d"]],
            "row": range(7),
        }
    )
    items = pl.DataFrame({"item_id": list("abcde"), "title": ["one", "two", "one", None, "six"]})
    return Tables(behaviors, items)


@pytest.fixture(scope="session")
def toy_parts():
    return pl.Series("part", ["test", "val", "train", "train", "train", "train", "val"])


@pytest.fixture(scope="session")
def toy_prepared(toy_tables, toy_parts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    prepare(toy_tables, toy_parts, TextTemplate(["title"]), folder)
    return Prepared.open(folder)
