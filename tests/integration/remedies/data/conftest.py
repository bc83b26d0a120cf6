"""A small file of behaviors whose columns have names of their own, and a datamodule of it that is used as in a run."""

import re
from functools import partial

import polars as pl
import pytest
import yaml

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.histories import TrainingHistory
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.splits import RandomSplit
from lit_rec.data.texts.template import TextTemplate
from tests.integration.remedies.followed import follow, refused

TITLES = ["red", "blue", "sun", "war", "sea", "sky"]
ITEMS = pl.DataFrame({"item_id": list("abcdef"), "title": TITLES})
COLUMNS = {
    "timestamp": "when",
    "rating": "stars",
    "label": "opinion",
    "history": "earlier",
    "split": "part",
}


def rows(users=8, **columns):
    """Six rows of each user, one of each item."""
    count = 6 * users
    given = {
        "user_id": [f"u{row // 6}" for row in range(count)],
        "item_id": ["abcdef"[row % 6] for row in range(count)],
        "when": list(range(count)),
        "stars": [1 + row % 5 for row in range(count)],
        "opinion": [("bad", "good")[row % 2] for row in range(count)],
        "earlier": ["a b"] * count,
        "part": [[*["train"] * 4, "val", "test"][row % 6] for row in range(count)],
    }
    return pl.DataFrame(given | columns)


def mapping_of(broken, column):
    """The mapping of columns that a remedy prints, with the name of a column."""
    remedy = refused(broken)[0].remedy
    printed = re.search(r"behavior_columns: (\{.*?\})", remedy)[1]
    return yaml.safe_load(printed.replace("NAME", column))


WAYS = ["{timestamp: NAME}", "set ordered: true in the reader", ""]  # to an order, or without one


def follow_to_order(data, way, wrong, without, otherwise):
    """Follow one of the ways of an error about rows without an order; ``without`` is what needs none."""
    broken = partial(data, "rating", **wrong)
    right = without
    if "NAME" in way:
        right = wrong | {"mapping": mapping_of(broken, "when")}
    elif way:
        right = wrong | {"ordered": True}
    follow(broken, partial(data, "rating", **right), says=way or otherwise)


@pytest.fixture
def data(workplace, tmp_path):
    """Return a function that writes the rows, maps some columns, and makes the first batch."""

    def used(*mapped, frame=None, ordered=False, mapping=None, **options):
        (rows() if frame is None else frame).write_csv(tmp_path / "rows.csv")
        ITEMS.write_csv(tmp_path / "items.csv")
        columns = {name: COLUMNS[name] for name in mapped} | (mapping or {})
        files = (f"{tmp_path}/rows.csv", f"{tmp_path}/items.csv")
        given = {
            "reader": TableReader(*files, behavior_columns=columns, ordered=ordered),
            "encoder": f"{workplace}/checkpoints/assets/all-MiniLM-L6-v2",
            "text": TextTemplate(["title"]),
            "split": RandomSplit(),
            "history": TrainingHistory(),
            "cache_folder": f"{tmp_path}/cache",
        }
        make = options.pop("make", BehaviorDataModule)
        made = make(**given | options)
        made.prepare_data()
        made.setup("fit")
        next(iter(made.train_dataloader()))
        return made

    return used
