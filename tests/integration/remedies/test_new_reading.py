"""Remedies of what is predicted and of how tables are read; see ``followed``."""

import subprocess

import polars as pl
import pytest

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.history.histories import PastHistory, Where
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.splits import LeaveLastOutSplit, TimeSplit
from lit_rec.data.texts.template import TextTemplate

from .followed import follow, refused

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def shop(workplace, tmp_path):
    """Return a datamodule's facts over views, and purchases that are older than the newest rows."""
    kinds = ["view", "buy", "view", "buy", "view", "buy", *["view"] * 14]
    rows = [(f"u{u}", f"i{k}", kind, 60 * k + u) for u in range(5) for k, kind in enumerate(kinds)]
    events = pl.DataFrame(rows, ["user_id", "item_id", "kind", "timestamp"], orient="row")
    events.write_csv(tmp_path / "events.csv")
    items = pl.DataFrame({"item_id": [f"i{k}" for k in range(20)], "title": "a thing"})
    items.write_csv(tmp_path / "items.csv")

    def facts(task="next_item", history=None, split=None, columns=None, **options):
        columns = {"event": "kind"} if columns is None else columns
        data = BehaviorDataModule(
            TableReader(
                f"{tmp_path}/events.csv", f"{tmp_path}/items.csv", behavior_columns=columns
            ),
            f"{workplace}/checkpoints/assets/all-MiniLM-L6-v2",
            TextTemplate(["title"]),
            split or LeaveLastOutSplit(),
            history,
            task,
            cache_folder=f"{tmp_path}/cache",
            **options,
        )
        return data.facts

    return facts


@pytest.mark.parametrize(
    ("broken", "mended", "says"),
    [
        ({"task": "rating"}, {}, "set BehaviorDataModule.task to next_item"),
        ({"target_events": []}, {}, "name one"),
        ({"target_events": []}, {"target_events": None}, "or leave it out"),
        ({"target_events": ["bye"]}, {}, "did you mean 'buy'?"),
        ({"target_events": ["transaction"]}, {}, "name one of these"),
        ({"columns": {}}, {}, "behavior_columns: {event: NAME}"),
        ({"columns": {}}, {"columns": {}, "target_events": None}, "or leave the option out"),
        (
            {"history": PastHistory(where=Where(events=["view"]))},
            {"history": PastHistory(where=Where(events=["view", "buy"]))},
            "add them to Where.events",
        ),
        (
            {"history": PastHistory(where=Where(events=["view"]))},
            {"history": PastHistory(where=Where())},
            "or leave that option out",
        ),
        ({"split": TimeSplit(0.1, 0.1)}, {}, "set the split to LeaveLastOutSplit"),
        ({"split": TimeSplit(0.1, 0.1)}, {"split": TimeSplit(0.8, 0.1)}, "a larger share"),
    ],
)
def test_events_that_are_predicted(shop, broken, mended, says):
    follow(
        lambda: shop(**{"target_events": ["buy"]} | broken),
        lambda: shop(**{"target_events": ["buy"]} | mended),
        says=says,
    )


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_byte_of_another_encoding(tmp_path, ending):
    """Converted as the remedy says, or where nobody reads the column."""
    pl.DataFrame({"user_id": ["u"], "item_id": ["a"]}).write_csv(tmp_path / "b.csv")
    file, items = tmp_path / f"i.{ending}", pl.DataFrame({"item_id": ["a"], "title": ["cafe"]})
    items.write_csv(file) if ending == "csv" else items.write_ndjson(file)
    file.write_bytes(file.read_bytes().replace(b"cafe", b"caf\xe9"))

    def titles():
        tables = TableReader(f"{tmp_path}/b.csv", str(file)).read()
        tables.check_decoded("items", ["title"])
        return tables.items["title"].to_list()

    def converted():
        subprocess.run(refused(titles)[0].remedy.split("`")[1], shell=True, check=True)
        (tmp_path / f"utf8_i.{ending}").replace(file)
        return titles()

    assert follow(titles, converted, says="convert it to UTF-8") == ["café"]
