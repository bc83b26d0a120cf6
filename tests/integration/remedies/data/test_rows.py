"""Remedies of the datamodule, of histories and of what batches need; see ``followed``."""

import re
from functools import partial

import polars as pl
import pytest
import yaml

from lit_rec.data.batches.negatives import BatchNegatives, UniformNegatives
from lit_rec.data.batches.plan import BatchPlan
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.fields.category import CategoryField
from lit_rec.data.history.histories import GivenHistory, PastHistory, TrainingHistory
from lit_rec.data.history.rule import Where
from lit_rec.data.readers.frames import FrameReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.splits import LeaveLastOutSplit, RandomSplit, TimeSplit
from lit_rec.data.texts.template import TextTemplate
from tests.integration.remedies.followed import each_remedy_of, follow, refused

from .conftest import ITEMS, WAYS, follow_to_order, mapping_of, rows

PAST = {"history": PastHistory()}
NEXT = {"task": "next_item", "history": PastHistory()}
UNORDERED = {
    "past": (PAST, {"history": TrainingHistory()}, "or use TrainingHistory"),
    "oldest": ({"history": TrainingHistory(oldest=True)}, {}, "leave the option out"),
}


@pytest.mark.parametrize("case", UNORDERED)
@pytest.mark.parametrize("way", WAYS)
def test_histories_without_an_order(data, case, way):
    follow_to_order(data, way, *UNORDERED[case])


@pytest.mark.parametrize("order", [{"mapping": {"timestamp": "when"}}, {"ordered": True}])
def test_the_next_item_needs_an_order(data, order):
    follow(
        partial(data, **NEXT | {"history": TrainingHistory()}),
        partial(data, **NEXT, **order),
        says="use PastHistory with a timestamp column or ordered: true in the reader",
    )


@pytest.mark.parametrize("option", ["batch_size", "eval_batch_size", "num_workers", "seed"])
def test_numbers_that_are_too_small(data, option):
    broken = partial(data, "rating", **{option: -1})
    start = int(refused(broken)[0].remedy.split()[0])
    follow(broken, partial(data, "rating", **{option: start}), says="is a start")


def test_fields_that_the_model_does_not_know(data):
    trained = data("rating", text=TextTemplate({"name": ["title"]}))

    def restored(text):
        made = data("rating", text=text)
        again = BehaviorDataModule(
            made.reader, made.encoder, text, made.split, cache_folder=made.cache_folder
        )
        again.restore(trained.facts, trained.tokenizer_files)
        return again.catalogue

    broken = partial(restored, TextTemplate(["title"]))
    printed = re.search(r"(\{.*\})", refused(broken)[0].remedy)[1]
    columns = yaml.safe_load(printed.replace("COLUMN", "title"))
    follow(broken, partial(restored, TextTemplate(columns)), says="name the columns of each field")


@pytest.mark.parametrize("way", ["TableReader", "FrameReader", "leave both out"])
@pytest.mark.parametrize(
    "wrong", [{"user_text": TextTemplate(["job"])}, {"user_fields": [CategoryField("job")]}]
)
def test_profiles_without_a_users_table(data, tmp_path, way, wrong):
    jobs = ["cook", "smith"] * 4
    users = pl.DataFrame({"user_id": [f"u{user}" for user in range(8)], "job": jobs})
    users.write_csv(tmp_path / "users.csv")
    rated = rows().rename({"stars": "rating"}).drop("earlier")
    rated.write_csv(tmp_path / "rated.csv")
    files = (f"{tmp_path}/rated.csv", f"{tmp_path}/items.csv", f"{tmp_path}/users.csv")
    right = {
        "TableReader": {"reader": TableReader(*files), **wrong},
        "FrameReader": {"reader": FrameReader(rated, ITEMS, users), **wrong},
    }
    follow(
        partial(data, "rating", **wrong), partial(data, "rating", **right.get(way, {})), says=way
    )


FEW = {"frame": rows().filter(pl.col("when") % 6 < 3), "split": LeaveLastOutSplit()}
SAME = {"frame": rows(when=[1.0] * 48)}
RARE = {"frame": rows(stars=[5] + [1] * 47), "history": PastHistory(where=Where(min_rating=5.0))}
ALONE = {  # users without two rows that train, one later than the other
    "user ids": ({"frame": rows(user_id=[f"u{row}" for row in range(48)])}, {"frame": rows()}),
    "timestamps": (SAME, {"frame": rows()}),
    "History.where": (RARE, PAST),
    "split": (FEW, {"split": RandomSplit()}),
    "set ordered: true in the reader": (SAME, {"ordered": True}),
}


@pytest.mark.parametrize("way", ALONE)
def test_no_row_follows_another(data, way):
    class Sequences(BehaviorDataModule):
        def __init__(self, **options):
            super().__init__(**options)
            self.follow(BatchPlan(in_sequences=True))

    wrong, right = ALONE[way]
    wrong = {"make": Sequences, **NEXT} | wrong
    columns = ("timestamp", "rating")
    follow(partial(data, *columns, **wrong), partial(data, *columns, **wrong | right), says=way)


@pytest.mark.parametrize("way", ["1000 is a start", "BatchNegatives takes the batch's own items"])
def test_no_negatives(way):
    right = BatchNegatives if "Batch" in way else partial(UniformNegatives, 1000)
    follow(lambda: UniformNegatives(0), right, says=way)


@pytest.mark.parametrize("way", ["behavior_columns", "or use PastHistory"])
def test_a_history_that_the_data_does_not_give(data, way):
    broken = partial(data, "rating", "timestamp", history=GivenHistory())
    right = PAST
    if way == "behavior_columns":
        right = {"history": GivenHistory(), "mapping": mapping_of(broken, "earlier")}
    follow(broken, partial(data, "rating", "timestamp", **right), says=way)


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        (partial(PastHistory, 0), partial(PastHistory, 50), "50 suits"),
        (partial(TrainingHistory, keep=1.5), partial(TrainingHistory, keep=0.5), "0.5 draws"),
    ],
)
def test_numbers_of_histories(wrong, right, says):
    follow(wrong, right, says=says)


@pytest.mark.parametrize("column", ["labels", "events"])
@pytest.mark.parametrize("way", ["correct the names", "leave the option out"])
def test_names_that_do_not_count(data, column, way):
    frame = rows().with_columns(event="opinion")
    named = {column: ["good"]} if way == "correct the names" else {}
    wrong, right = (TrainingHistory(where=Where(**to)) for to in ({column: ["god"]}, named))
    follow(
        partial(data, "rating", "label", frame=frame, history=wrong),
        partial(data, "rating", "label", frame=frame, history=right),
        says=way,
    )


def test_a_file_that_grows_while_it_is_read(data, tmp_path):
    class Growing(TableReader):
        grows = True

        def read(self):
            found = super().read()
            if self.grows:
                with open(self.behaviors, "a") as file:
                    file.write("\n")
            return found

    mapped = {"behavior_columns": {"rating": "stars"}}
    reader = Growing(f"{tmp_path}/rows.csv", f"{tmp_path}/items.csv", **mapped)
    broken = partial(data, reader=reader)

    def complete():
        reader.grows = False
        broken()

    follow(broken, complete, says="wait until the file is complete, then start the command again")


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


test_each_remedy_was_followed = each_remedy_of(
    "data/batches",
    "data/datamodule.py",
    "data/entities.py",
    "data/history",
    "data/prepare.py",
    "data/training_facts.py",
)
