from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from lit_rec.training.callbacks import predictions
from lit_rec.training.callbacks.predictions import PredictionWriter

# behaviors are sorted by user: their rows 0, 1 and 2 are the lines 2, 0 and 1 of the input
PREPARED = SimpleNamespace(
    user=np.array([0, 0, 1], np.int32),
    item=np.array([2, 0, 1], np.int32),
    row=np.array([2, 0, 1]),
    user_ids=["a", "b"],
    items=pl.DataFrame({"item_id": ["x", "y", "z"]}),
)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write what is predicted of all rows, and read it."""
    monkeypatch.setattr(predictions, "run_folder", lambda trainer: tmp_path)

    def writes(scores, task, *, labels=(), user_ids=("a",), rows=(0, 1, 2)):
        facts = SimpleNamespace(task=task, labels=labels, user_ids=user_ids)
        trainer = SimpleNamespace(datamodule=SimpleNamespace(prepared=PREPARED, facts=facts))
        PredictionWriter().write(trainer, None, np.array(rows, np.int64), np.array(scores))
        return pl.read_parquet(tmp_path / "predictions.parquet")

    return writes


def test_ratings_in_the_order_of_the_input(write):
    found = write([3.5, 1.5, 2.5], "rating")
    assert found.to_dict(as_series=False) == {
        "user_id": ["a", "b", "a"],
        "item_id": ["x", "y", "z"],
        "score": [1.5, 2.5, 3.5],
    }


def test_labels_with_the_probability_of_the_most_probable(write):
    prob = [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]]
    found = write(prob, "label", labels=("p", "q", "r"))
    assert found.to_dict(as_series=False) == {
        "user_id": ["a", "b", "a"],
        "item_id": ["x", "y", "z"],
        "label": ["p", "q", "r"],
        "probability": [0.6, 0.8, 0.5],
    }


def test_of_two_labels_the_score_is_that_of_the_positive_one(write):
    found = write([[0.75, 0.25], [0.25, 0.75], [0.5, 0.5]], "label", labels=("0", "1"))
    assert found.drop("user_id", "item_id").to_dict(as_series=False) == {
        "label": ["1", "0", "0"],
        "probability": [0.75, 0.5, 0.75],
        "score": [0.75, 0.5, 0.25],
    }


@pytest.mark.parametrize(("task", "scores"), [("rating", [3.5, 1.5, 2.5]), ("label", np.eye(3, 2))])
def test_without_users_there_is_no_user_id(write, task, scores):
    found = write(scores, task, labels=("0", "1"), user_ids=())
    assert found.columns[0] == "item_id"
    assert "user_id" not in found.columns


@pytest.mark.parametrize(
    ("task", "columns"),
    [
        ("rating", ["user_id", "item_id", "score"]),
        ("label", ["user_id", "item_id", "label", "probability", "score"]),
    ],
)
def test_no_row_is_a_table_without_rows(write, task, columns):
    found = write([], task, labels=("0", "1"), rows=())
    assert found.columns == columns
    assert len(found) == 0
