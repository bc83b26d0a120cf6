import numpy as np
import pytest

from lit_rec.data.batches.negatives import (
    BatchNegatives,
    CatalogueNegatives,
    DrawnItems,
    PopularNegatives,
    UniformNegatives,
)
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError

COUNTS = np.array([50, 30, 15, 4, 1])
LOG_FREQUENCY = np.log(COUNTS / COUNTS.sum())


@pytest.mark.parametrize("negatives", [UniformNegatives(2), PopularNegatives(4)])
def test_items_are_met_as_often_as_is_said(negatives):
    chance = np.random.default_rng(0)
    draws = [negatives.draw(LOG_FREQUENCY, chance) for _ in range(4000)]
    for drawn in draws:
        assert (np.diff(drawn) > 0).all()
    met = np.bincount(np.concatenate(draws), minlength=5) / len(draws)
    np.testing.assert_allclose(met, np.exp(negatives.log_prob(LOG_FREQUENCY, 99)), atol=0.02)


def test_the_items_of_a_batch_are_met_as_often_as_is_said():
    chance = np.random.default_rng(0)
    batches = chance.choice(5, p=COUNTS / 100, size=(4000, 7))
    met = [(batches == item).any(1).mean() for item in range(5)]
    said = np.exp(BatchNegatives().log_prob(LOG_FREQUENCY, 7))
    np.testing.assert_allclose(met, said, atol=0.02)


def test_rare_items_are_corrected_by_their_log_frequency():
    rare = np.log([1e-6, 3e-6, 1 - 4e-6])
    said = BatchNegatives().log_prob(rare, 100)
    assert said[1] - said[0] == pytest.approx(np.log(3), abs=1e-3)
    assert said[2] == pytest.approx(0, abs=1e-9)


def test_a_single_item_and_more_draws_than_items():
    assert PopularNegatives(9).draw(np.zeros(1), np.random.default_rng(0)).tolist() == [0]
    assert np.isfinite(PopularNegatives(9).log_prob(np.zeros(1), 1)).all()
    assert UniformNegatives(9).draw(LOG_FREQUENCY, np.random.default_rng(0)).tolist() == [*range(5)]
    assert UniformNegatives(9).log_prob(LOG_FREQUENCY, 1).tolist() == [0.0] * 5


@pytest.mark.parametrize("made", [UniformNegatives, PopularNegatives])
def test_no_draw_at_all_is_refused(made):
    with pytest.raises(ConfigError, match="0 is too small"):
        made(0)


def test_items_that_training_never_saw_and_items_that_are_gone_are_not_drawn():
    facts = Facts.example(
        "next_item", item_ids=("a", "b", "c"), item_log_frequency=(-1.0, -1.0, -1.0)
    )
    # a catalogue of: c, unseen, a; b is gone
    drawn = DrawnItems(CatalogueNegatives(), facts, np.array([3, 0, 1]))
    assert drawn.draw(np.random.default_rng(0)).tolist() == [2, 0]
