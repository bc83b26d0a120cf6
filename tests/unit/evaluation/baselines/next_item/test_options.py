"""Held-out rows, what is chosen by them, and the baselines of small and large catalogues."""

import numpy as np
import pytest
import torch

from lit_rec.evaluation.baselines.next_item import fitted as fitted_module
from lit_rec.evaluation.baselines.next_item import options as options_module
from lit_rec.evaluation.baselines.next_item import trial as trial_module
from lit_rec.evaluation.baselines.next_item.add_ease import (
    PENALTIES,
    RECENCIES,
    TEXT_WEIGHTS,
    chosen_add_ease,
)
from lit_rec.evaluation.baselines.next_item.fitted import fitted_baselines
from lit_rec.evaluation.baselines.next_item.options import chosen_options
from lit_rec.evaluation.baselines.next_item.trial import Trial
from lit_rec.models.neighbors import add_ease as add_ease_module
from lit_rec.models.neighbors.add_ease import AddEase
from lit_rec.models.neighbors.baskets import Baskets
from lit_rec.models.neighbors.item_tables import recency_weights


def test_ndcg_is_that_of_a_sorted_list(baskets):
    chance = np.random.default_rng(1)
    history, mask = chance.integers(0, 15, (30, 4)), np.sort(chance.random((30, 4)) < 0.7)[:, ::-1]
    target = chance.integers(0, 15, 30)
    trial = Trial.of_rows(baskets, history, mask, target)
    scores = chance.permuted(np.tile(np.arange(15.0), (len(trial.target), 1)), axis=1)
    gains = []
    for row, own in enumerate(trial.target.tolist()):
        seen = set(trial.history[row][trial.mask[row]].tolist()) - {own}
        order = [i for i in np.argsort(-scores[row]) if i not in seen]
        place = order.index(own) + 1
        gains.append(1 / np.log2(1 + place) if place <= 10 else 0.0)
    assert len(gains) == mask.any(1).sum()
    assert trial.ndcg(torch.from_numpy(scores)) == pytest.approx(np.mean(gains))


def test_large_data_is_held_out_in_part(baskets, monkeypatch):
    monkeypatch.setattr(trial_module, "_ITEMS", 6)
    monkeypatch.setattr(trial_module, "_SCORES", 18)
    frequent = np.sort(np.argsort(-baskets.counts, kind="stable")[:6])
    history = np.array([[14, frequent[2], frequent[0]], [14, 14, 14]] * 5)
    trial = Trial.of_rows(baskets, history, np.ones((10, 3), bool), np.full(10, frequent[5]))
    assert trial.baskets.items == 6
    assert trial.history.tolist() == [[2, 0, 0]] * 3  # of ten rows five have a usable history
    assert trial.mask.tolist() == [[True, True, False]] * 3
    assert trial.target.tolist() == [5] * 3
    assert np.flatnonzero(trial.code >= 0).tolist() == frequent.tolist()


@pytest.fixture
def planted():
    """200 users who go from item i to i + 1; texts say the same, the item two before says something else."""
    chance = np.random.default_rng(2)
    items, length = 30, 6
    start = chance.integers(0, items, 200)
    taken = (start[:, None] + np.arange(length)) % items
    user = np.repeat(np.arange(200), length - 1)
    baskets = Baskets.of_rows(user, taken[:, :-1].ravel(), items)
    history, mask = taken[:, :-1], np.ones((200, length - 1), bool)
    angle = 2 * np.pi * np.arange(items) / items
    vectors = torch.from_numpy(np.stack([np.cos(angle), np.sin(angle)], 1)).float()
    return baskets, history, mask, taken[:, -1], vectors


def test_chosen_options_are_the_best_of_all(planted, monkeypatch):
    """Every combination by hand, a fitted baseline at a time."""
    baskets, history, mask, target, vectors = planted
    for name, values in {"PENALTIES": (10.0, 1.0), "SHRINKAGES": (10.0, 1.0)}.items():
        monkeypatch.setattr(options_module, name, values)
    trial = Trial.of_rows(baskets, history, mask, target)
    found = chosen_options(trial, vectors)
    assert list(found) == ["item_knn", "ease", "ease_text", "text_knn"]
    counts = torch.zeros(30)
    chosen = {name: dict(options) for name, options in found.items()}
    best = {name: figure_of(name, chosen, trial, counts, vectors) for name in found}
    for name, option, values in (
        ("item_knn", "shrinkage", (10.0, 1.0)),
        ("item_knn", "recency", options_module.RECENCIES),
        ("ease", "penalty", (10.0, 1.0)),
        ("ease", "recency", options_module.RECENCIES),
        ("text_knn", "power", options_module.POWERS),
        ("text_knn", "recency", options_module.RECENCIES),
        ("ease_text", "text_weight", options_module.TEXT_WEIGHTS),
        ("ease_text", "recency", options_module.RECENCIES),
    ):
        for value in values:
            other = {**chosen, name: {**chosen[name], option: value}}
            assert figure_of(name, other, trial, counts, vectors) <= best[name] + 1e-9
    assert best["ease_text"] >= best["ease"]


def figure_of(name, options, trial, counts, vectors):
    """nDCG@10 of held-out rows by the baseline of some options."""
    original = fitted_module.chosen_options
    fitted_module.chosen_options = lambda *about: options
    try:
        for baseline in fitted_baselines(trial.baskets, counts, trial, vectors):
            if baseline.name == name:
                return trial.ndcg(baseline.scores(trial.history, trial.mask))
    finally:
        fitted_module.chosen_options = original
    raise AssertionError(name)


def test_a_large_catalogue_has_nearly_the_same_scores(monkeypatch):
    """Where every two items share users, and with lists as long as the catalogue, only the power of cosines differs."""
    chance = np.random.default_rng(3)
    taken = np.stack([chance.permutation(12)[:6] for _ in range(300)])
    baskets = Baskets.of_rows(np.repeat(np.arange(300), 5), taken[:, :5].ravel(), 12)
    history, mask, target = taken[:, :5], np.ones((300, 5), bool), taken[:, 5]
    vectors = torch.nn.functional.normalize(torch.from_numpy(chance.normal(size=(12, 4))).float())
    monkeypatch.setattr(options_module, "POWERS", (1.0,))
    trial, counts = Trial.of_rows(baskets, history, mask, target), torch.zeros(12)
    given = torch.from_numpy(history), torch.from_numpy(mask)
    small = {b.name: b.scores(*given) for b in fitted_baselines(baskets, counts, trial, vectors)}
    monkeypatch.setattr(add_ease_module, "DENSE_ITEMS", 11)
    for baseline in fitted_baselines(baskets, counts, trial, vectors):
        np.testing.assert_allclose(baseline.scores(*given), small[baseline.name], atol=1e-4)
        assert bool(baseline.approximated) == (baseline.name != "popularity")


def test_without_vectors_there_is_no_text(planted):
    baskets, history, mask, target, _ = planted
    trial = Trial.of_rows(baskets, history, mask, target)
    names = [b.name for b in fitted_baselines(baskets, torch.zeros(30), trial, None)]
    assert names == ["popularity", "item_knn", "ease"]


def test_a_large_catalogue_chooses_the_penalty_of_ease_for_its_own_form(planted, monkeypatch):
    """With two neighbors of each item, not all: another penalty may be the best one."""
    baskets, history, mask, target, vectors = planted
    monkeypatch.setattr(options_module, "PENALTIES", (1000.0, 10.0, 0.1))
    monkeypatch.setattr(add_ease_module, "DENSE_ITEMS", 1)
    monkeypatch.setattr(fitted_module, "_sizes", lambda items: (4, 2))
    trial, counts = Trial.of_rows(baskets, history, mask, target), torch.zeros(30)
    chosen = {b.name: b.chosen for b in fitted_baselines(trial.baskets, counts, trial, vectors)}
    figures = []
    for penalty in (1000.0, 10.0, 0.1):
        for recency in options_module.RECENCIES:
            other = {**chosen, "ease": {"penalty": penalty, "recency": recency}}
            figures.append(figure_of("ease", other, trial, counts, vectors))
    assert figure_of("ease", chosen, trial, counts, vectors) == max(figures)
    assert len(set(figures)) > 2


@pytest.mark.parametrize("whole", [True, False], ids=["whole table", "equations of neighbors"])
def test_no_step_from_the_options_of_add_ease_is_better(planted, whole):
    """The next smaller and larger penalty and text weight, and each recency, an option at a time."""
    baskets, history, mask, target, vectors = planted
    trial = Trial.of_rows(baskets, history, mask, target)

    def figure(options):
        table = AddEase(baskets, vectors, whole=whole).table(
            options["penalty"], options["text_weight"]
        )
        weights = recency_weights(trial.mask, options["recency"])
        return trial.ndcg(table.scores(trial.history, weights))

    found = chosen_add_ease(trial, vectors, whole)
    begun = {"penalty": 100.0, "text_weight": 10.0}
    at_first = {**found, "recency": max((0.8, 1.0), key=lambda r: figure({**begun, "recency": r}))}
    place = TEXT_WEIGHTS.index(found["text_weight"])
    for weight in TEXT_WEIGHTS[max(place - 1, 0) : place + 2]:
        assert figure({**at_first, "text_weight": weight}) <= figure(at_first)
    for recency in RECENCIES:
        assert figure({**found, "recency": recency}) <= figure(found)
    before = {**at_first, "text_weight": 10.0}
    place = PENALTIES.index(found["penalty"])
    for penalty in PENALTIES[max(place - 1, 0) : place + 2]:
        assert figure({**before, "penalty": penalty}) <= figure(before)
    assert figure(found) >= figure({"penalty": 100.0, "text_weight": 10.0, "recency": 0.8})


def test_options_that_are_given_are_not_chosen(planted):
    baskets, history, mask, target, vectors = planted
    trial = Trial.of_rows(baskets, history, mask, target)
    given = {"penalty": 7.0, "recency": 0.33}
    found = chosen_add_ease(trial, vectors, whole=True, given=given)
    assert {name: found[name] for name in given} == given
    assert found["text_weight"] in TEXT_WEIGHTS
