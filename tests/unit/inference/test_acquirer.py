"""Acquirer: against the classifier's own answers, and which rows are left out."""

import numpy as np
import polars as pl
import pytest

from lit_rec.errors import ConfigError, DataError
from lit_rec.inference.acquirer import Acquirer
from lit_rec.inference.acquisition.strategies import STRATEGIES
from lit_rec.inference.classifier import Classifier

# two columns of words, none of them a text of training
NEW = [{"title": f"{a} {b}", "genres": c} for a, b, c in zip(
    ["city", "city", "river", "river", "city", "river", "day", "night"],
    ["red", "blue", "red", "blue", "day", "night", "red", "red"],
    ["city", "day", "city", "day", "red", "blue", "city", "city"], strict=True)]  # fmt: skip


@pytest.fixture
def acquirer(text_checkpoints):
    return Acquirer(*text_checkpoints["label"])


def test_the_least_certain_come_first(acquirer, text_checkpoints):
    classifier = Classifier(*text_checkpoints["label"])
    found = acquirer.choose(NEW, 5, "margin")
    gaps = [best.probability - next_.probability for best, next_, _ in classifier.classify(NEW, 3)]
    assert found.row.tolist() == np.argsort(gaps, kind="stable")[:5].tolist()
    np.testing.assert_allclose(found.score, 1 - np.sort(gaps)[:5], atol=1e-6)
    assert acquirer.choose(pl.DataFrame(NEW), 5).row.tolist() == found.row.tolist()


def test_rows_that_are_no_choice_are_told(acquirer, texts):
    """An empty row, a repeated one, one that is equal where it is cut, and one that training had."""
    data = texts["label"]
    trained = data.prepared.items[int(data.prepared.item[data.prepared.rows_of("train")[0]])]
    table = pl.DataFrame(
        [
            NEW[0],
            {"title": "", "genres": None},
            NEW[1],
            NEW[0],
            {**NEW[1], "title": f"{NEW[1]['title']} night"},  # cut at four tokens
            trained.select("title", "genres").to_dicts()[0],
            NEW[2],
        ]
    )
    for strategy in STRATEGIES:
        found = acquirer.choose(table, 100, strategy)
        assert sorted(found.row) == [0, 2, 6]
        assert found.empty.tolist() == [1]
        assert found.repeated.tolist() == [3, 4]
        assert found.labelled.tolist() == [5]
    records = table.to_dicts()
    assert acquirer.choose(records, 100).row.tolist() == acquirer.choose(table, 100).row.tolist()
    assert acquirer.choose(records, 100).empty.tolist() == [1]


def test_texts_labelled_since_are_not_chosen(acquirer):
    found = acquirer.choose(NEW, 100, labelled=[NEW[3], NEW[5]])
    assert sorted(found.row) == [0, 1, 2, 4, 6, 7]
    assert found.labelled.tolist() == [3, 5]


def test_the_farthest_from_all_that_are_labelled(acquirer, texts, text_checkpoints):
    """The first choice of k_center, by a loop over vectors that the module encodes."""
    module, _ = text_checkpoints["label"]
    data = texts["label"]
    trained = data.prepared.item[data.prepared.rows_of("train")]
    known = module.item_table(data.catalogue, np.unique(trained))[:, :-1].double()
    rendered, _ = acquirer._texts.read_with_text(pl.DataFrame(NEW), where="pool")
    own = module.item_table(acquirer._texts.catalogue(rendered))[:, :-1].double()
    nearest = [min(float((one - other).norm()) for other in known) for one in own]
    found = acquirer.choose(NEW, 1, "k_center")
    assert found.row.tolist() == [int(np.argmax(nearest))]
    assert found.score[0] == pytest.approx(max(nearest), rel=1e-3)
    again = acquirer.choose(NEW, 1, "k_center", labelled=[NEW[found.row[0]]])
    assert again.row.tolist() != found.row.tolist()


def test_nothing_to_choose(acquirer):
    found = acquirer.choose(["", " "], 3)
    assert found.row.tolist() == []
    assert found.empty.tolist() == [0, 1]
    assert acquirer.choose([], 3, "badge").row.tolist() == []
    assert acquirer.choose([], 3, "k_center").row.tolist() == []


def test_a_model_of_ratings(text_checkpoints):
    acquirer = Acquirer(*text_checkpoints["rating"])
    assert len(acquirer.choose(NEW, 3, "k_center").row) == 3
    assert len(acquirer.choose(NEW, 3, "random").row) == 3
    for strategy in ("margin", "entropy", "badge"):
        with pytest.raises(ConfigError, match=r"predicts a rating[\s\S]*use k_center"):
            acquirer.choose(NEW, 3, strategy)


def test_wrong_requests(acquirer, checkpoint):
    with pytest.raises(ConfigError, match=r"no strategy[\s\S]*did you mean 'entropy'"):
        acquirer.choose(NEW, 3, "entrpy")
    with pytest.raises(DataError, match="0 is too small"):
        acquirer.choose(NEW, 0)
    with pytest.raises(DataError, match="pool, number 2: there is no column 'x'"):
        acquirer.choose([NEW[0], {"x": "red"}], 3)
    with pytest.raises(DataError, match="labelled: there is no column 'genres'"):
        acquirer.choose(NEW, 3, labelled=pl.DataFrame({"title": ["red"]}))
    with pytest.raises(ConfigError, match="a TwoTower is no classifier of texts"):
        Acquirer(*checkpoint)
