"""The simulation of active learning: what a round is, and how labels saved are read off."""

import numpy as np
import pytest

from lit_rec.inference.acquisition.strategies import STRATEGIES
from tools.benchmarks.quality.active_learning import Texts, curve, first_of_each, saved, table


@pytest.fixture
def texts():
    """Three labels, each a direction, and noise; two thirds train."""
    draws = np.random.default_rng(0)
    label = np.arange(180) % 3
    vectors = np.eye(5)[label] + 0.8 * draws.normal(size=(180, 5))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Texts(unit.astype(np.float32), label, 120)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_accuracy_grows_with_labels(texts, strategy):
    found = curve(texts, strategy, draw=1, rounds=4)
    assert found.shape == (4, 2)
    assert (found[-1] > 0.4).all()  # of three labels
    again = curve(texts, strategy, draw=1, rounds=2)
    np.testing.assert_array_equal(again, found[:2])
    assert not np.array_equal(curve(texts, strategy, draw=2, rounds=4), found)


def test_all_strategies_begin_alike(texts):
    firsts = {tuple(curve(texts, name, draw=3, rounds=1)[0]) for name in STRATEGIES}
    assert len(firsts) == 1


def test_the_first_rows_have_each_label_equally_often():
    assert first_of_each(np.array([0, 0, 1, 0, 1, 1]), 2).tolist() == [0, 1, 2, 4]


def test_labels_saved_are_read_off_the_line_between_rounds():
    random = np.array([[0.5, 0.7, 0.6, 0.8], [0.5, 0.6, 0.7, 0.8]])
    # the first: .75 is halfway from the third round (which counts as .7) to the fourth
    assert saved(np.array([0.75, 0.65]), random, 2, 10) == pytest.approx([15.0, 5.0], abs=1e-3)
    assert saved(random[:, 1], random, 2, 10) == pytest.approx([0.0, 0.0], abs=1e-3)


def test_rows_of_the_table():
    random = np.array([[[0.4, 0.5], [0.5, 0.6], [0.6, 0.8]]] * 2)
    margin = np.array([[[0.4, 0.5], [0.6, 0.7]], [[0.4, 0.5], [0.6, 0.8]]])
    rows = table({"random": random, "margin": margin}, {"random": 1.0, "margin": 2.0}, 10, rounds=2)
    found = {(row["name"].split()[-1], row["metric"]): row["value"] for row in rows}
    assert found["margin", "test accuracy, 20 labels"] == pytest.approx(0.75)
    assert found["margin", "validation accuracy, 20 labels"] == pytest.approx(0.6)
    assert found["margin", "test accuracy - random, 20 labels"] == pytest.approx(0.15)
    assert found["margin", "labels saved at 20"] == pytest.approx(7.5)
    assert ("random", "labels saved at 20") not in found
    assert found["random", "test accuracy, 30 labels"] == pytest.approx(0.8)
    assert ("margin", "test accuracy, 30 labels") not in found
    margin[:, -1, 1] = 0.9
    rows = table({"random": random, "margin": margin}, {"random": 1.0, "margin": 2.0}, 10, rounds=2)
    assert rows[-1]["metric"] == "labels saved at 20, or more"
    assert rows[-1]["value"] == pytest.approx(10.0, abs=1e-3)
