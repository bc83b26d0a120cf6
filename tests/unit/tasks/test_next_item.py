"""What the report of the next item is made of: held-out training rows, the model's histories, no evaluation row."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from lit_rec.data.history.histories import GivenHistory, PastHistory
from lit_rec.data.prepared import Prepared, prepare
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate
from lit_rec.evaluation.report.report import Report
from lit_rec.tasks.next_item import baseline_ranks, next_item_baselines, next_item_report

USERS, LENGTH, ITEMS = 25, 7, 12


def made(folder, item, history=None):
    """Behaviors in order, of each user the last but one for validation and the last for test."""
    rows = pl.DataFrame(
        {
            "user_id": [f"u{user:02}" for user in range(USERS) for _ in range(LENGTH)],
            "item_id": [f"i{code:02}" for code in item],
            "timestamp": [float(time) for _ in range(USERS) for time in range(LENGTH)],
            "row": range(USERS * LENGTH),
        }
    )
    if history is not None:
        lists = [item[at - at % LENGTH : at] for at in range(len(item))]
        rows = rows.with_columns(history=pl.Series([[f"i{c:02}" for c in one] for one in lists]))
    items = pl.DataFrame({"item_id": [f"i{code:02}" for code in range(ITEMS)]})
    part = pl.Series([*["train"] * (LENGTH - 2), "val", "test"] * USERS)
    folder.mkdir()
    tables = Tables(rows, items.with_columns(title="item_id"))
    prepare(tables, part, TextTemplate(["title"]), folder)
    facts = SimpleNamespace(
        task="next_item",
        labels=(),
        target_events=(),
        target=SimpleNamespace(of_rows=lambda p, *_: np.array(p.item, np.int64)),
    )
    return SimpleNamespace(
        prepared=Prepared.open(folder), facts=facts, history=history or PastHistory(max_length=3)
    )


@pytest.fixture
def item():
    """Users go on to one of the next three items of a circle."""
    chance = np.random.default_rng(0)
    steps = chance.integers(1, 4, (USERS, LENGTH))
    return (steps.cumsum(1) % ITEMS).ravel()


@pytest.fixture
def vectors():
    angle = 2 * np.pi * np.arange(ITEMS) / ITEMS
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def ranks_by_baseline(data, vectors):
    prepared = data.prepared
    baselines = next_item_baselines(data, prepared.rows_of("train"), vectors)
    return {
        b.name: (b.chosen, baseline_ranks(b, data, prepared.rows_of("test"))) for b in baselines
    }


def test_an_evaluation_row_changes_no_option_and_no_other_rank(item, vectors, tmp_path):
    changed = item.copy()
    changed[LENGTH - 1] = (changed[LENGTH - 1] + 5) % ITEMS  # the first user's test row
    changed[LENGTH * 4 - 2] = (
        changed[LENGTH * 4 - 2] + 5
    ) % ITEMS  # the fourth user's validation row
    before = ranks_by_baseline(made(tmp_path / "before", item), vectors)
    after = ranks_by_baseline(made(tmp_path / "after", changed), vectors)
    names = ["popularity", "item_knn", "text_knn", "ease", "ease_text", "add_ease"]
    assert list(before) == names
    others = np.setdiff1d(np.arange(USERS), [0, 3])
    for name, (chosen, ranks) in before.items():
        assert after[name][0] == chosen
        assert (after[name][1][others] == ranks[others]).all()


def test_given_lists_count_as_what_was_taken(item, vectors, tmp_path):
    """Where the lists are the earlier rows, the baskets and so the ranks are those of PastHistory."""
    past = ranks_by_baseline(made(tmp_path / "past", item), vectors)
    given = ranks_by_baseline(made(tmp_path / "given", item, GivenHistory(max_length=3)), vectors)
    for name, (chosen, ranks) in past.items():
        assert given[name][0] == chosen
        assert (given[name][1] == ranks).all()


def test_the_report_leads_with_what_was_not_seen(item, vectors, tmp_path):
    data = made(tmp_path / "data", item)
    rows = data.prepared.rows_of("test")
    report = next_item_report(data, rows, np.full((USERS, 2), 2.0), vectors)
    assert report.main == "masked_ndcg@10"
    assert report.value("lit_rec", "masked_recall@1") == 0
    trained = np.bincount(data.prepared.item[data.prepared.rows_of("train")], minlength=ITEMS)
    often = trained[data.prepared.item[rows]]
    counts = {row.slice: row.count for row in report.rows}
    assert list(counts) == [
        *("all", "new_users", "few_shot_users", "new_items", "known_items"),
        *("seen_1_4", "seen_5_9", "seen_10_19", "seen_20_more"),
    ]
    assert counts["seen_5_9"] == ((often >= 5) & (often <= 9)).sum()
    assert (
        sum(count for name, count in counts.items() if name.startswith(("seen", "new_i"))) == USERS
    )
    assert report.meta["chosen"]["ease_text"].keys() == {
        "penalty",
        "text_weight",
        "power",
        "recency",
    }
    assert report.meta["approximated"] == {}
    table = str(report)
    assert "seen items left out" in table
    assert "all items" in table
    report.write(tmp_path / "report.json")
    assert Report.read(tmp_path / "report.json") == report


def test_users_of_one_training_row_leave_nothing_to_hold_out(vectors, tmp_path):
    """The options are then those by default; without a history the baselines rank by popularity."""
    data = made(tmp_path / "data", np.tile(np.arange(LENGTH), USERS))
    prepared = data.prepared
    first = prepared.rows_of("train")[:: LENGTH - 2]
    found = {b.name: b for b in next_item_baselines(data, first, None)}
    assert found["item_knn"].chosen == {"shrinkage": 10.0, "recency": 0.8}
    ranks = {name: baseline_ranks(b, data, first) for name, b in found.items()}
    assert (ranks["ease"] == ranks["popularity"]).all()
