"""Scores of several batches and processes, each row once, and predictions.parquet."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch

from lit_rec.training.callbacks import score_writers
from lit_rec.training.callbacks.score_writers import CollectedScores, PredictionWriter, ReportWriter


def test_no_batches_give_no_rows():
    rows, scores = CollectedScores().gather()
    assert len(rows) == len(scores) == 0


def test_a_row_scored_twice_is_a_mistake():
    collected = CollectedScores()
    collected.add(torch.tensor([1, 2]), torch.zeros(2, 1))
    collected.add(torch.tensor([2]), torch.zeros(1, 1))
    with pytest.raises(ValueError, match="twice"):
        collected.gather()


def test_scores_of_several_labels_stay_together():
    collected = CollectedScores()
    collected.add(torch.tensor([4]), torch.tensor([[[0.25, 0.75, 0.0]]]))
    collected.add(torch.tensor([1, 2]), torch.tensor([[[1.0, 0.0, 0.0]], [[0.5, 0.25, 0.25]]]))
    rows, scores = collected.gather()
    assert rows.tolist() == [1, 2, 4]
    assert scores.tolist() == [[1.0, 0.0, 0.0], [0.5, 0.25, 0.25], [0.25, 0.75, 0.0]]


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float32])
def test_scores_come_back_as_float64_whatever_the_precision(kind):
    collected = CollectedScores()
    collected.add(torch.tensor([0]), torch.tensor([[[0.25, 0.75]]], dtype=kind))
    scores = collected.gather()[1]
    assert scores.dtype == np.float64
    assert scores.tolist() == [[0.25, 0.75]]


def test_more_than_one_candidate_is_a_mistake():
    with pytest.raises(ValueError, match="not 2"):
        CollectedScores().add(torch.tensor([0]), torch.zeros(1, 2))


@pytest.mark.parametrize("mine", [0, 1])
def test_process_without_rows_gathers_those_of_the_other(mine, monkeypatch):
    """It has no label to tell of, so its scores have no second axis."""
    of_rank = [
        (np.empty(0, np.int64), np.empty(0, np.float32)),
        (np.array([3]), np.array([[0.25, 0.75]], np.float32)),
    ]

    def all_gather_object(parts, own):
        assert [array.shape for array in own] == [array.shape for array in of_rank[mine]]
        parts[:] = of_rank

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_gather_object", all_gather_object)
    collected = CollectedScores()
    if mine:
        collected.add(torch.tensor([3]), torch.tensor([[[0.25, 0.75]]]))
    rows, scores = collected.gather()
    assert rows.tolist() == [3]
    assert scores.tolist() == [[0.25, 0.75]]


@pytest.fixture
def written(monkeypatch):
    """What each writer was given to write, (rows, scores) each time."""
    calls = []
    for writer in (ReportWriter, PredictionWriter):
        monkeypatch.setattr(
            writer,
            "write",
            lambda self, trainer, module, rows, scores: calls.append(
                (rows.tolist(), scores.tolist())
            ),
        )
    return calls


def run_stage(writer, stage, batches, *, is_first):
    """Call the hooks of a stage as Lightning does."""
    trainer = SimpleNamespace(is_global_zero=is_first)
    getattr(writer, f"on_{stage}_start")(trainer, None)
    for place, (rows, scores) in enumerate(batches):
        batch = SimpleNamespace(row=torch.tensor(rows))
        outputs = torch.tensor(scores)[:, None]
        getattr(writer, f"on_{stage}_batch_end")(trainer, None, outputs, batch, place)
    getattr(writer, f"on_{stage}_end")(trainer, None)


WRITERS = [(ReportWriter, "test"), (PredictionWriter, "predict")]


@pytest.mark.parametrize(("writer", "stage"), WRITERS)
def test_writer_is_given_each_row_of_its_stage_once_in_order(writer, stage, written):
    made = writer()
    run_stage(made, stage, [([5, 2], [0.5, 0.25]), ([3], [1.5])], is_first=True)
    run_stage(made, stage, [([2], [4.0])], is_first=True)  # a second stage begins anew
    assert written == [([2, 3, 5], [0.25, 1.5, 0.5]), ([2], [4.0])]


@pytest.mark.parametrize(("writer", "stage"), WRITERS)
@pytest.mark.parametrize("is_first", [True, False])
def test_first_of_several_processes_writes_what_all_scored(
    writer, stage, is_first, written, monkeypatch
):
    """Every process takes part in the gathering, or the others would wait for it for ever."""
    gathered = []

    def all_gather_object(parts, mine):
        gathered.append(mine[0].tolist())
        parts[:] = [mine, (np.array([1, 9]), np.array([2.0, 3.0], np.float32))]

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_gather_object", all_gather_object)
    run_stage(writer(), stage, [([5], [0.5])], is_first=is_first)
    assert gathered == [[5]]
    assert written == ([([1, 5, 9], [2.0, 0.5, 3.0])] if is_first else [])


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
    monkeypatch.setattr(score_writers, "run_folder", lambda trainer: tmp_path)

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
