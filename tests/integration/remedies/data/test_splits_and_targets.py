"""Remedies of splits and of rules for targets; see ``followed``."""

import re
from functools import partial

import polars as pl
import pytest

from lit_rec.data.history.histories import PastHistory
from lit_rec.data.history.rule import Where
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.few_labels import FewLabelsSplit
from lit_rec.data.splits.new_items import NewItemSplit
from lit_rec.data.splits.new_users import NewUserSplit
from lit_rec.data.splits.splits import GivenSplit, LeaveLastOutSplit, RandomSplit, TimeSplit
from lit_rec.data.targets.registry import target_rule
from tests.integration.remedies.followed import each_remedy_of, follow, refused

from .conftest import WAYS, follow_to_order, mapping_of, rows

UNORDERED = {
    "time": ({"split": TimeSplit()}, {"split": RandomSplit()}, "or use RandomSplit"),
    "last": ({"split": LeaveLastOutSplit()}, {"split": RandomSplit()}, "or use RandomSplit"),
    "items": ({"split": NewItemSplit(last=True)}, {"split": NewItemSplit()}, "or leave it out"),
    "users": ({"split": NewUserSplit(0.2)}, {"split": NewUserSplit(0.2, shown=0)}, "set it to 0"),
}


@pytest.mark.parametrize("case", UNORDERED)
@pytest.mark.parametrize("way", WAYS)
def test_splits_of_rows_without_an_order(data, case, way):
    follow_to_order(data, way, *UNORDERED[case])


SHARES = {
    "a percentage": (partial(TimeSplit, 10), partial(TimeSplit, 0.1), "0.1 is a tenth"),
    "no test": (partial(TimeSplit, 0.1, -1), partial(TimeSplit, 0.1, 0.1), "0.1 is a tenth"),
    "all": (partial(TimeSplit, 0.5, 0.5), partial(TimeSplit, 0.1, 0.1), "0.1 and 0.1 leave 80 %"),
    "all users": (partial(NewUserSplit, 0.5, 0.5), partial(NewUserSplit, 0.1, 0.1), "0.1 and 0.1"),
    "1.5 users": (partial(NewUserSplit, 1.5), partial(NewUserSplit, 0.1), "0.1 is a tenth of the"),
    "-1 users": (partial(NewUserSplit, 1, -1), partial(NewUserSplit, 1, 100), "100 a hundred"),
    "shown": (partial(NewUserSplit, shown=-1), partial(NewUserSplit, shown=5), "with 5, little"),
    "none": (partial(NewUserSplit, shown=-1), partial(NewUserSplit, shown=0), "with 0, nothing"),
}


@pytest.mark.parametrize("case", SHARES)
def test_shares(case):
    wrong, right, says = SHARES[case]
    follow(wrong, right, says=says)


THREE, TWO = rows(users=1)[:3], rows().filter(pl.col("when") % 6 < 2)
TIMES = [1 + row // 16 for row in range(48)]
HELD = {"frame": rows(part=["val", "test"] * 24), "split": GivenSplit()}
EMPTY = {  # the wrong options, those of the remedy, and its words
    "few": ({"frame": THREE}, {"split": RandomSplit(0.4)}, "raise RandomSplit.validation"),
    "too few": ({"frame": THREE}, {"frame": rows()}, "give more rows"),
    "all": (
        {"frame": THREE[:2], "split": RandomSplit(0.9, 0.0)},
        {"split": RandomSplit(0.5, 0.0)},
        "lower RandomSplit.validation",
    ),
    "one time": (
        {"frame": rows(when=[1] * 48), "split": TimeSplit()},
        {"split": RandomSplit()},
        "use RandomSplit",
    ),
    "three times": (
        {"frame": rows(when=TIMES), "split": TimeSplit()},
        {"split": TimeSplit(0.4)},
        "raise TimeSplit.validation",
    ),
    "no third row": (
        {"frame": TWO, "split": LeaveLastOutSplit()},
        {"frame": rows()},
        "give more validation rows",
    ),
    "given": (HELD, {"frame": rows()}, "give more training rows"),
    "given, drawn": (HELD, {"split": RandomSplit()}, "use RandomSplit"),
    "few given": (
        {"frame": THREE, "split": GivenSplit()},
        {"split": GivenSplit(0.4)},
        "raise GivenSplit.validation",
    ),
    "no user": (
        {"split": NewUserSplit(0.01)},
        {"split": NewUserSplit(1)},
        "raise NewUserSplit.validation",
    ),
    "all users": (
        {"split": NewUserSplit(7, 1)},
        {"split": NewUserSplit(7, 0)},
        "lower NewUserSplit.validation or NewUserSplit.test",
    ),
    "no item": (
        {"split": NewItemSplit(0.01)},
        {"split": NewItemSplit(0.2)},
        "raise NewItemSplit.validation",
    ),
}


@pytest.mark.parametrize("case", EMPTY)
def test_a_part_without_rows(data, case):
    wrong, right, says = EMPTY[case]
    columns = ("rating", "timestamp", *(["split"] if "given" in case else []))
    follow(partial(data, *columns, **wrong), partial(data, *columns, **wrong | right), says=says)


@pytest.mark.parametrize("split", [RandomSplit(), TimeSplit(), NewUserSplit(1, 0)])
def test_no_advice_to_draw_where_that_leaves_nothing_either(split):
    frame = THREE.rename({"when": "timestamp"}).with_columns(row=pl.int_range(pl.len()))
    if isinstance(split, TimeSplit):
        frame = frame.with_columns(timestamp=1.0)
    error, _ = refused(partial(split.assign, frame))
    assert "RandomSplit()" not in error.remedy
    assert "use RandomSplit" not in error.remedy


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        (NewUserSplit(7, 2), NewUserSplit(5, 2), "ask for 8 or fewer"),
        (NewUserSplit(7, 2, shown=6), NewUserSplit(1, 1), "lower NewUserSplit.shown"),
    ],
)
def test_more_new_users_than_there_are(data, wrong, right, says):
    timed = partial(data, "rating", "timestamp")
    follow(partial(timed, split=wrong), partial(timed, split=right), says=says)


@pytest.mark.parametrize("way", ["behavior_columns", "name the files in the reader", "RandomSplit"])
def test_parts_that_the_data_does_not_give(data, tmp_path, way):
    broken = partial(data, "rating", split=GivenSplit())
    right = {"split": RandomSplit()}
    if way == "behavior_columns":
        right = {"split": GivenSplit(), "mapping": mapping_of(broken, "part")}
    elif "files" in way:
        rows().write_csv(tmp_path / "test.csv")
        reader = TableReader(
            f"{tmp_path}/rows.csv", f"{tmp_path}/items.csv", behavior_columns={"rating": "stars"}
        )
        reader.test_behaviors = f"{tmp_path}/test.csv"
        right = {"split": GivenSplit(), "reader": reader}
    follow(broken, partial(data, "rating", **right), says=way)


def test_parts_of_other_names(data):
    wrong = rows().with_columns(pl.col("part").replace("val", "valid"))
    right = wrong.with_columns(pl.col("part").replace("valid", "val"))
    given = partial(data, "rating", "split", split=GivenSplit())
    follow(
        partial(given, frame=wrong), partial(given, frame=right), says="write train, val or test"
    )


@pytest.mark.parametrize("way", ["behavior_columns", "use GivenSplit"])
def test_few_labels_of_none(data, way):
    broken = partial(data, "rating", "split", split=FewLabelsSplit())
    right = {"split": GivenSplit()}
    if way == "behavior_columns":
        right = {"split": FewLabelsSplit(), "mapping": mapping_of(broken, "opinion")}
    mended = partial(data, "rating", "split", **right)
    follow(broken, mended, says=way)
    # a column without values is no column of labels either
    empty = rows(opinion=pl.Series([None] * 48, dtype=pl.String))
    follow(partial(broken, "label", frame=empty), mended, says=way)


def opinions(*names):
    """Rows whose opinions are these, of each user's six rows."""
    return rows(opinion=[names[row % 6] for row in range(48)])


UNSEEN = opinions("bad", "good", "bad", "good", "bad", "odd")
MORE = pl.concat([UNSEEN, UNSEEN.filter(opinion="odd").with_columns(part=pl.lit("train"))])
UNLABELLED = opinions(None, None, None, None, "good", "bad")
UNLEARNED = {
    "give training rows with it": (UNSEEN, {"frame": MORE}),
    "leave these rows out": (UNSEEN, {"frame": UNSEEN.filter(pl.col("opinion") != "odd")}),
    "split in another way": (UNSEEN, {"split": RandomSplit()}),
    "give training rows a label": (UNLABELLED, {"frame": rows()}),
    "or split in another way": (UNLABELLED, {"split": RandomSplit()}),
    "behavior_columns: {label: NAME}": (rows(opinion="good"), {"mapping": {"label": "stars"}}),
}


@pytest.mark.parametrize("way", UNLEARNED)
def test_labels_that_nothing_can_be_learned_of(data, way):
    frame, right = UNLEARNED[way]
    wrong = {"frame": frame, "task": "label", "split": GivenSplit()}
    columns = ("split", "label")
    if "NAME" in way:
        right = right | {"split": RandomSplit()}
    follow(partial(data, *columns, **wrong), partial(data, *columns, **wrong | right), says=way)


@pytest.mark.parametrize("labels", [["good", "bad"], None])
def test_labels_of_other_names(data, labels):
    labelled = partial(data, "label", task="label")
    says = "correct the names, or leave the option out"
    follow(partial(labelled, labels=["god", "bad"]), partial(labelled, labels=labels), says=says)


@pytest.mark.parametrize(("task", "column"), [("rating", "stars"), ("label", "opinion")])
def test_nothing_to_predict(data, task, column):
    broken = partial(data, task=task)
    mapped = partial(data, task=task, mapping=mapping_of(broken, column))
    follow(broken, mapped, says="map the column with behavior_columns")
    other = partial(data, task="next_item", ordered=True, history=PastHistory())
    follow(broken, other, says="predict something else (BehaviorDataModule.task)")


@pytest.mark.parametrize("way", ["leave where out", "name events, labels or ratings"])
def test_nothing_that_follows(data, way):
    rated = partial(data, "rating", task="next_item", ordered=True)
    right = Where(min_rating=4.0) if "name" in way else None
    follow(
        partial(rated, history=PastHistory(where=Where(min_rating=9.0))),
        partial(rated, history=PastHistory(where=right)),
        says=way,
    )


@pytest.mark.parametrize(("task", "way"), [("ratings", "did you mean"), ("xyz", "name one of")])
def test_a_task_of_another_name(task, way):
    broken = partial(target_rule, task)
    error, _ = refused(broken)
    named = re.search(r"'(\w+)'|^", error.remedy)[1] or re.search(r"one of (\w+)", error.rule)[1]
    follow(broken, partial(target_rule, named), says=way)


test_each_remedy_was_followed = each_remedy_of("data/splits", "data/targets")
