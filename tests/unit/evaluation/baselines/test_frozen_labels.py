"""Baselines of labels on frozen text, by hand and against loops that follow their definitions."""

from itertools import product

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import KNeighborsClassifier

from lit_rec.evaluation.arrays import LabelRows, SharedHistory
from lit_rec.evaluation.baselines import frozen_labels as frozen_text_labels
from lit_rec.evaluation.baselines.frozen_labels import (
    NEIGHBOURS,
    POWERS,
    SHRINKAGES_OF_VOTES,
    HistoryTextBaseline,
    TextLabelKnnBaseline,
)
from lit_rec.evaluation.baselines.labels import ItemLabelFrequencyBaseline
from lit_rec.evaluation.metrics.labels import log_loss

NONE = np.empty(0, np.int64)


def rows_of(item, label):
    return LabelRows(np.zeros(len(item), np.int64), np.array(item), np.array(label))


def nothing(rows):
    return SharedHistory(np.zeros(2, np.int64), NONE, np.zeros(rows, np.int64))


def predicted(baseline, train, item, labels):
    baseline.fit(train, len(baseline.unit), labels)
    return baseline.predict(np.array(item), nothing(len(item)))


def knn(vectors, neighbours=20, shrinkage_of_votes=1.0, power=1.0):
    """Without a choice."""
    return TextLabelKnnBaseline(vectors, (neighbours,), (power,), (shrinkage_of_votes,))


def unit(items, width, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(items, width))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_votes_by_hand():
    """Item 3, new, has cosines 0.6, 0.8 and -0.6 with the items 0 (labels 0, 0), 1 (label 1) and 2 (label 1)."""
    vectors = np.array([[0.6, 0.8], [0.8, 0.6], [-0.6, 0.8], [1.0, 0.0]])
    train = rows_of([0, 0, 1, 2], [0, 0, 1, 1])
    found = predicted(knn(vectors), train, [3], 2)
    votes = np.array([2 * 0.6, 0.8])  # and one row as all rows are: a half each
    assert found[0] == pytest.approx((votes + 0.5) / (2.0 + 1), abs=1e-6)
    # of its own rows item 1 has one, beside three as the others vote: cosines 0.96 with item 0, 0 with item 2
    found = predicted(knn(vectors), train, [1], 2)
    votes = np.array([2 * 0.96, 0.0])
    prior = (votes + 0.5) / (1.92 + 1)
    assert found[0] == pytest.approx((np.array([0, 1]) + 3 * prior) / 4, abs=1e-6)


@pytest.mark.parametrize("block", [7, 20_000_000])
@pytest.mark.parametrize(("neighbours", "power"), [(1, 1), (3, 1), (3, 4), (50, 2)])
def test_knn_equals_the_loop(neighbours, power, block, monkeypatch):
    monkeypatch.setattr(frozen_text_labels, "_BLOCK", block)
    chance = np.random.default_rng(2)
    units = unit(12, 3)
    train = rows_of(chance.integers(0, 9, 40), chance.integers(-1, 3, 40))
    baseline = knn(units, neighbours, 2.0, power)
    found = predicted(baseline, train, np.arange(12), 3)
    pairs = [
        (i, k) for i, k in zip(train.item.tolist(), train.label.tolist(), strict=True) if k >= 0
    ]
    overall = np.array([sum(k == of for _, k in pairs) for of in range(3)]) / len(pairs)
    for item in range(12):
        others = sorted(
            {i for i, _ in pairs if i != item}, key=lambda other: -units[item] @ units[other]
        )[:neighbours]
        votes, own = 2.0 * overall, np.zeros(3)
        for other, label in pairs:
            cosine = units[item] @ units[other]
            votes[label] += cosine**power if other in others and cosine > 0 else 0
            own[label] += other == item
        expected = own + baseline.shrinkage * votes / votes.sum()
        assert found[item] == pytest.approx(expected / expected.sum(), abs=1e-6)


def test_new_texts_have_the_votes_of_scikit_learn():
    """Without shrinkage, and with a row per text, this is kNN weighed by the cosine."""
    chance = np.random.default_rng(4)
    centres = unit(3, 8, seed=5)
    label = chance.integers(0, 3, 80)
    vectors = centres[label] + chance.normal(0, 0.2, (80, 8))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = predicted(
        knn(units, 5, 0.0),
        rows_of(np.arange(60), label[:60]),
        np.arange(60, 80),
        3,
    )
    peer = KNeighborsClassifier(5, metric="cosine", weights=lambda distance: 1 - distance)
    peer.fit(units[:60], label[:60])
    assert found == pytest.approx(peer.predict_proba(units[60:]), abs=1e-5)


def of_classes(rows, spread, seed=0):
    """Unit vectors of ``rows`` texts around the centres of three labels, and the labels."""
    chance = np.random.default_rng(seed)
    label = chance.integers(0, 3, rows)
    vectors = unit(3, 6, seed=5)[label] + chance.normal(0, spread, (rows, 6))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), label


def test_options_are_the_best_of_five_folds():
    """Each fold is fitted without its rows and predicted, as a user of the class would do it."""
    vectors, label = of_classes(60, 0.5)
    item = np.arange(60)
    chosen = TextLabelKnnBaseline(vectors)
    chosen.fit(rows_of(item, label), 60, 3)
    fold = np.random.default_rng(0).permutation(60) % 5
    losses = {}
    for options in product(NEIGHBOURS, POWERS, SHRINKAGES_OF_VOTES):
        losses[options] = 0.0
        for held in range(5):
            one = TextLabelKnnBaseline(vectors, *[(option,) for option in options])
            out = fold == held
            found = predicted(one, rows_of(item[~out], label[~out]), item[out], 3)
            losses[options] += log_loss(found, label[out]) * out.sum()
    best = min(losses, key=losses.get)
    assert tuple(chosen.chosen().values())[:3] == best
    assert len({round(loss, 6) for loss in losses.values()}) > 20


def test_the_wider_the_groups_of_texts_the_more_neighbours_vote():
    """Sixty groups of five texts each, or three wide ones."""
    group = np.repeat(np.arange(60), 5)
    narrow = unit(60, 16)[group] + np.random.default_rng(1).normal(0, 0.01, (300, 16))
    wide, label = of_classes(300, 0.5)
    counts = []
    for vectors, of_item in ((narrow, group % 3), (wide, label)):
        baseline = TextLabelKnnBaseline(vectors)
        baseline.fit(rows_of(np.arange(300), of_item), 300, 3)
        counts.append(baseline.neighbours)
    assert counts[0] <= 5
    assert counts[1] >= 20


def test_some_items_vote_for_a_large_catalogue(monkeypatch):
    monkeypatch.setattr(frozen_text_labels, "_VOTERS", 100)
    monkeypatch.setattr(frozen_text_labels, "_ASKED", 50)
    vectors, label = of_classes(400, 0.2)
    baseline = TextLabelKnnBaseline(vectors)
    found = predicted(baseline, rows_of(np.arange(300), label[:300]), np.arange(300, 400), 3)
    assert baseline.chosen()["items"] == 100
    assert (found.argmax(1) == label[300:]).mean() > 0.9


def test_texts_without_differences_leave_the_frequencies_of_items():
    """Equal vectors are zero once centred: no neighbour votes."""
    chance = np.random.default_rng(3)
    train = rows_of(chance.integers(0, 9, 40), chance.integers(0, 3, 40))
    found = predicted(TextLabelKnnBaseline(np.zeros((12, 4))), train, np.arange(12), 3)
    plain = ItemLabelFrequencyBaseline()
    plain.fit(train, 12, 3)
    assert found == pytest.approx(plain.predict(np.arange(12), nothing(12)))


def test_history_by_hand():
    """The mean of (1, 0) and (0, 1) has cosine (0.6 + 0.8) / sqrt(2) with (0.6, 0.8); an empty history has 0."""
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [-1.0, 0.0]])
    history = SharedHistory(np.array([0, 2, 2, 3]), np.array([0, 1, 2]), np.array([0, 0, 1, 2, 2]))
    found = HistoryTextBaseline(vectors).predict(np.array([2, 3, 2, 2, 0]), history)
    assert found == pytest.approx([1.4 / np.sqrt(2), -1 / np.sqrt(2), 0, 1, 0.6], abs=1e-6)


@pytest.mark.parametrize("block", [1, 40, 20_000_000])
def test_history_equals_scikit_learn(block, monkeypatch):
    """Lists of 0 to 4 items, some shared; vectors of a field without differences are zero."""
    monkeypatch.setattr(frozen_text_labels, "_BLOCK", block)
    chance = np.random.default_rng(6)
    vectors = unit(9, 4) / np.sqrt(2)
    vectors[8] = 0
    sizes = np.array([0, 3, 0, 0, 4, 1, 2, 0])
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    history = SharedHistory(offsets, chance.integers(0, 9, 10), np.sort(chance.integers(0, 8, 30)))
    item = chance.integers(0, 9, 30)
    found = HistoryTextBaseline(vectors).predict(item, history)
    for row, of in enumerate(history.of_row):
        items = history.item[offsets[of] : offsets[of + 1]]
        mean = vectors[items].mean(0) if len(items) else np.zeros(4)
        expected = cosine_similarity([mean], [vectors[item[row]]])[0, 0]
        assert found[row] == pytest.approx(expected, abs=1e-6)


def test_no_row_is_predicted_as_none():
    history = SharedHistory(np.zeros(1, np.int64), NONE, NONE)
    assert HistoryTextBaseline(unit(3, 2)).predict(NONE, history).shape == (0,)
    assert predicted(TextLabelKnnBaseline(unit(3, 2)), rows_of([0, 1], [0, 1]), NONE, 2).shape == (
        0,
        2,
    )
