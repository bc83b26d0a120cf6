"""What the report of labels is made of: clicks among what was shown, labels of users, and texts without users."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from lit_rec.data.history.histories import GivenHistory, NoHistory, PastHistory
from lit_rec.data.prepared import Prepared, prepare
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.data.training_facts import training_facts
from lit_rec.evaluation.metrics.labels import LabelMeasures
from lit_rec.tasks.label import label_report, shared_history

VECTORS = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [-1.0, 0.0]])


def data_of(folder, rows, rule, *, with_users=True, **columns):
    """``rows`` of (user, item, label, part) over the items x, y, z and w, in the order of time."""
    user, item, label, part = zip(*rows, strict=True)
    frame = pl.DataFrame(
        {
            "user_id": user,
            "item_id": item,
            "label": pl.Series(label, dtype=pl.String),
            "timestamp": [float(second) for second in range(len(rows))],
            "row": range(len(rows)),
            **columns,
        }
    )
    items = pl.DataFrame({"item_id": ["x", "y", "z", "w"], "title": ["x", "y", "z", "w"]})
    template = TextTemplate(["title"])
    prepare(Tables(frame, items), pl.Series("part", part), template, folder)
    prepared = Prepared.open(folder)
    facts = training_facts(
        prepared,
        "label",
        fields=["title"],
        max_tokens=8,
        special=SpecialTokens((), (), 0),
        with_users=with_users,
    )
    return SimpleNamespace(prepared=prepared, facts=facts, history=rule)


@pytest.fixture(params=[True, False])
def vectors(request):
    """With frozen text vectors, and where the encoder cannot be read."""
    return VECTORS if request.param else None


def report_of(data, prob, vectors):
    rows = data.prepared.rows_of("test")
    return label_report(data, rows, np.array(prob), vectors)


def models_of(report):
    return list(dict.fromkeys(row.model for row in report.rows))


SHOWN = [
    ("a", "x", "1", "train"),
    ("a", "y", "0", "train"),
    ("a", "w", "0", "val"),
    ("a", "z", "1", "test"),
    ("a", "w", "0", "test"),
    ("b", "y", "0", "test"),
    ("b", "z", "1", "test"),
    ("b", "x", None, "test"),
]


def shown(folder, history):
    """User a was shown z (clicked) and w after x; user b, who is new, y, z (clicked) and x, which has no label."""
    return data_of(
        folder,
        SHOWN,
        history,
        impression_id=["1", "1", "2", "3", "3", "4", "4", "4"],
        history=[[], [], [], ["x"], ["x"], [], [], []],
    )


def test_clicks_among_what_was_shown_by_hand(tmp_path, vectors):
    prob = [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.2, 0.8], [0.5, 0.5]]
    report = report_of(shown(tmp_path, GivenHistory()), prob, vectors)
    assert models_of(report) == [
        "lit_rec",
        "majority",
        "item_label_frequency",
        "popularity",
        *(["text_knn", "logistic_regression", "history_text"] if vectors is not None else []),
    ]
    assert report.meta["labels"] == ["0", "1"]
    options = {"item_label_frequency": {"shrinkage"}}
    if vectors is not None:
        options["text_knn"] = {"neighbours", "power", "shrinkage_of_votes", "shrinkage"}
        options["logistic_regression"] = {"C"}
    assert {name: set(chosen) for name, chosen in report.meta["chosen"].items()} == options
    assert report.main == "impression_auc"
    # the impression of user a is the wrong way round, that of b right; the row without a label is not there
    assert report.value("lit_rec") == 0.5
    assert report.value("lit_rec", "mrr") == pytest.approx((1 / 2 + 1) / 2)
    assert report.value("lit_rec", "accuracy") == 3 / 4
    assert report.value("lit_rec", "accuracy", "new_users") == 1
    assert {row.slice for row in report.rows} == {
        "all",
        "new_users",
        "few_shot_users",
        "new_items",
    }
    counts = {row.slice: row.count for row in report.rows if row.metric == "accuracy"}
    assert counts == {"all": 4, "new_users": 2, "few_shot_users": 2, "new_items": 3}
    # one click and one row without among the training rows: nothing to choose by
    assert report.value("majority") == report.value("majority", "auc") == 0.5
    # neither z nor w nor y was clicked in training
    assert report.value("popularity") == 0.5
    assert report.value("popularity", "accuracy") is None
    # y was shown in vain: user b's impression is right, user a's is a tie of two new items
    assert report.value("item_label_frequency") == 0.75
    if vectors is not None:
        # x has cosines 0.6 with z and -1 with w; without a history b's candidates are level
        assert report.value("history_text") == 0.75
        assert report.value("history_text", "log_loss") is None
        assert report.value("text_knn", "log_loss") > 0
    row = next(r for r in report.rows if r.metric == "impression_auc" and r.slice == "all")
    assert (row.low, row.high, row.count) == (0.0, 1.0, 2)


def test_impressions_without_histories_have_no_history_baseline(tmp_path):
    report = report_of(shown(tmp_path, NoHistory()), np.full((5, 2), 0.5), VECTORS)
    assert models_of(report)[3:] == ["popularity", "text_knn", "logistic_regression"]


def test_labels_of_users_without_impressions(tmp_path, vectors):
    rows = [row for row in SHOWN if row[2] is not None]
    report = report_of(data_of(tmp_path, rows, PastHistory()), np.full((4, 2), 0.5), vectors)
    frozen = ["text_knn", "logistic_regression"] if vectors is not None else []
    assert models_of(report) == ["lit_rec", "majority", "item_label_frequency", *frozen]
    assert report.main == "accuracy"
    assert {row.metric for row in report.rows} == {
        "accuracy",
        "macro_f1",
        "log_loss",
        "auc",
        "accuracy_difference",
    }
    assert report.value("lit_rec", "log_loss") == pytest.approx(np.log(2))


def test_texts_without_users_have_one_slice_whose_rows_are_drawn(tmp_path, vectors):
    """Items x, y and z train with labels of their own; w is tested twice."""
    rows = [
        ("nobody", "x", "p", "train"),
        ("nobody", "y", "q", "train"),
        ("nobody", "z", "r", "train"),
        ("nobody", "x", "p", "val"),
        ("nobody", "w", "p", "test"),
        ("nobody", "w", "q", "test"),
    ]
    data = data_of(tmp_path, rows, NoHistory(), with_users=False)
    report = report_of(data, [[0.6, 0.3, 0.1], [0.6, 0.3, 0.1]], vectors)
    assert {row.slice for row in report.rows} == {"all"}
    assert report.meta["labels"] == ["p", "q", "r"]
    assert "auc" not in {row.metric for row in report.rows}
    assert report.value("lit_rec") == 0.5
    row = report.rows[0]
    assert (row.metric, row.low, row.high, row.count) == ("accuracy", 0.0, 1.0, 2)
    assert report.value("majority", "log_loss") == pytest.approx(np.log(3))
    if vectors is not None:
        # w is opposite to x and level with y: z alone, -0.6, is no neighbour either
        assert report.value("text_knn", "log_loss") == pytest.approx(np.log(3))


def test_a_test_row_changes_nothing_but_its_own_prediction(tmp_path, vectors, monkeypatch):
    """Neither its label nor its item is seen by what is fitted, or by another row."""
    chance = np.random.default_rng(0)
    label = chance.choice(["0", "1"], 60)
    rows = [
        ("u" + str(place % 7), "xyzw"[chance.integers(4)], label[place], part)
        for place, part in enumerate(["train"] * 50 + ["test"] * 10)
    ]
    changed = [
        *rows[:-1],
        ("u3", "x" if rows[-1][1] != "x" else "y", "1" if label[-1] == "0" else "0", "test"),
    ]
    seen, chosen = [], []

    def measures(found, *rest):
        seen.append(found)
        return LabelMeasures(found, *rest)

    monkeypatch.setattr("lit_rec.tasks.label.LabelMeasures", measures)
    for name, each in (("as_it_is", rows), ("changed", changed)):
        (tmp_path / name).mkdir()
        data = data_of(tmp_path / name, each, PastHistory())
        chosen.append(report_of(data, np.full((10, 2), 0.5), vectors).meta["chosen"])
    assert chosen[0] == chosen[1]
    differ = [(before != after).any(1).sum() for before, after in zip(*seen, strict=True)]
    assert max(differ) == 1


def test_test_rows_without_labels_leave_an_empty_report(tmp_path, vectors):
    rows = [row if row[3] != "test" else (*row[:2], None, "test") for row in SHOWN]
    report = report_of(data_of(tmp_path, rows, PastHistory()), np.full((5, 2), 0.5), vectors)
    assert {(row.value, row.count) for row in report.rows} == {(None, 0)}
    assert "lit_rec" in str(report)


def test_no_scored_row_leaves_an_empty_report(tmp_path, vectors):
    data = data_of(tmp_path, SHOWN, PastHistory())
    report = label_report(data, np.empty(0, np.int64), np.empty(0), vectors)
    assert {(row.value, row.count) for row in report.rows} == {(None, 0)}


@pytest.mark.parametrize("block", [1, 2, 3, 100])
def test_shared_history_is_that_of_each_row(tmp_path, monkeypatch, block):
    monkeypatch.setattr("lit_rec.tasks.label._ROWS", block)
    data = shown(tmp_path, GivenHistory())
    rows = data.prepared.rows_of("test")
    found = shared_history(data, rows)
    lists = [found.item[found.offsets[of] : found.offsets[of + 1]].tolist() for of in found.of_row]
    assert lists == [[0], [0], [], [], []]
    if block == 100:
        assert found.of_row.tolist() == [0, 0, 1, 1, 1]


def test_histories_of_one_length_are_told_apart_by_their_items(tmp_path):
    """Code 0 is an item as well as what stands in padding."""
    history = [[], [], [], ["x"], ["y"], ["x"], [], ["x", "x"]]
    data = data_of(tmp_path, SHOWN, GivenHistory(), history=history)
    found = shared_history(data, data.prepared.rows_of("test"))
    assert found.of_row.tolist() == [0, 1, 2, 3, 4]
    assert found.offsets.tolist() == [0, 1, 2, 3, 3, 5]
