"""Classifier: against the module's own predictions on batches of the data, and one text against many."""

import numpy as np
import polars as pl
import pytest
import torch

from lit_rec.data.batches.collator import BatchRows
from lit_rec.errors import CheckpointError, ConfigError, DataError
from lit_rec.inference.classifier import Classification, Classifier
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.reranker import Reranker
from lit_rec.training.checkpoint.content import KEY

MANY = ["red river", "blue", {"title": "night day", "genres": "city"}, {"genres": "red"}]


@pytest.fixture
def classifier(text_checkpoints):
    return Classifier(*text_checkpoints["label"])


@pytest.fixture
def rater(text_checkpoints):
    return Classifier(*text_checkpoints["rating"])


def expected(data, checkpoint):
    """What the module predicts of every row of the data, in one batch."""
    module, _ = checkpoint
    rows = data.prepared.rows_of("all")
    with torch.no_grad():
        found = module.predict_step(data.collator(with_texts=True)(BatchRows(rows)), 0)[:, 0]
    items = data.prepared.items[data.prepared.item[rows]]
    return items.select("title", "genres").to_dicts(), found


def probabilities(classifier, texts):
    """[N, K], in the order of ``labels``."""
    found = classifier.classify(texts, len(classifier.labels))
    by_label = [{one.label: one.probability for one in of_text} for of_text in found]
    return np.array([[one[name] for name in classifier.labels] for one in by_label])


def test_probabilities_are_those_of_the_module(classifier, texts, text_checkpoints):
    records, prob = expected(texts["label"], text_checkpoints["label"])
    assert len(records) == 16
    assert prob.std(0).min() > 1e-3, "texts that differ"
    np.testing.assert_allclose(probabilities(classifier, records), prob, atol=1e-6)
    best = [of_text[0].label for of_text in classifier.classify(records)]
    assert best == [classifier.labels[place] for place in prob.argmax(1)]
    assert len(set(best)) > 1


def test_ratings_are_those_of_the_module(rater, texts, text_checkpoints):
    records, ratings = expected(texts["rating"], text_checkpoints["rating"])
    assert ratings.std() > 1e-3
    assert rater.rate(records) == pytest.approx(ratings.tolist(), abs=1e-6)
    assert rater.labels == ()
    assert rater.rate([]) == []


def test_one_text_or_many(classifier):
    together = probabilities(classifier, MANY * 3)
    for place, text in enumerate(MANY):
        alone = probabilities(classifier, [text])[0]
        for again in range(3):
            np.testing.assert_allclose(together[place + again * len(MANY)], alone, atol=1e-6)
    assert classifier.classify([]) == []
    assert len({tuple(row) for row in together.round(5)}) == len(MANY)


def test_equal_texts_are_encoded_once(classifier, monkeypatch):
    backbone = classifier._module.built().backbone
    encode, seen = backbone.forward, []
    monkeypatch.setattr(
        backbone, "forward", lambda c, **more: seen.append(len(c.mask)) or encode(c, **more)
    )
    # of these, "red river", "blue", "city" and the empty text differ
    classifier.classify(["red river", "blue", "red river", {"title": "blue", "genres": "city"}] * 5)
    assert sum(seen) == 4


def test_the_most_probable_labels_come_first(classifier):
    for k in (1, 2, 3, 99):
        for of_text in classifier.classify(MANY, k):
            assert len(of_text) == min(k, 3)
            shares = [one.probability for one in of_text]
            assert shares == sorted(shares, reverse=True)
    whole = classifier.classify(MANY, 3)[0]
    assert sum(one.probability for one in whole) == pytest.approx(1)
    assert isinstance(whole[0], Classification)


def test_a_lone_text_stands_in_the_first_column(classifier):
    assert classifier.columns == ("title", "genres")
    forms = [["red river"], [{"title": "red river"}], [{"title": "red river", "genres": None}]]
    found = [classifier.classify(form, 3) for form in forms]
    assert found[0] == found[1] == found[2]
    assert classifier.classify([{"genres": "red river"}], 3) != found[0]


def test_texts_are_cut_where_training_cut_them(classifier):
    """Four tokens, the two special ones included."""
    long = probabilities(classifier, ["red river city night", "red river", "red"])
    np.testing.assert_array_equal(long[0], long[1])
    assert not np.allclose(long[1], long[2], atol=1e-4)


def test_a_table_may_have_other_columns_and_other_kinds(classifier):
    frame = pl.DataFrame({"note": [1, 2], "title": ["red", None], "genres": [["day", "city"], []]})
    with pytest.raises(DataError, match="texts, row 2: has no text"):
        classifier.classify(frame)
    record = {"title": "red", "genres": ["day", "city"]}
    assert classifier.classify(frame[:1], 3) == classifier.classify([record], 3)
    assert classifier.classify(frame[:1], 3) == classifier.classify(
        [{"title": "red", "genres": "day, city"}], 3
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("red", "texts: 'red' is one entry, not a list"),
        ({"title": "red"}, "texts: .* is one entry"),
        (["red", ""], "texts, number 2: '' has no text"),
        (["red", " \n"], "texts, number 2: .* has no text"),
        ([{"title": None, "genres": " "}], "texts, number 1: .* has no text"),
        ([{}], "texts, number 1: {} has no text"),
        (["red", 5], "texts, number 2: 5 is int, neither a text nor a mapping"),
        ([None], "texts, number 1: None is NoneType"),
        ([{"titel": "red"}], r"number 1: there is no column 'titel' \(near: title\)"),
        ([{"title": "red", "label": "x"}], "number 1: there is no column 'label'"),
        (pl.DataFrame({"title": ["a"]}), "no column 'genres'; the table has title"),
    ],
)
def test_texts_that_are_wrong(classifier, given, said):
    with pytest.raises(DataError, match=said) as found:
        classifier.classify(given)
    assert "Try:" in str(found.value)


def test_all_wrong_texts_are_told_at_once(classifier):
    with pytest.raises(DataError) as found:
        classifier.classify(["", "red", "", 5, "", ""])
    lines = str(found.value).splitlines()
    assert lines[0] == "texts, number 1: '' has no text."
    assert [line.strip()[:9] for line in lines[1:4]] == ["number 3:", "number 4:", "number 5:"]
    assert lines[4].strip() == "... and 1 more"


def test_asking_for_what_the_model_does_not_predict(classifier, rater):
    with pytest.raises(ConfigError, match=r"predicts a label[\s\S]*call classify"):
        classifier.rate(["red"])
    with pytest.raises(ConfigError, match=r"predicts a rating[\s\S]*call rate"):
        rater.classify(["red"])
    with pytest.raises(DataError, match="k: 0 is too small"):
        classifier.classify(["red"], 0)


def test_checkpoints_of_other_kinds_name_the_class_that_takes_them(
    checkpoint, cross_checkpoint, text_checkpoints
):
    made = {
        Recommender: (checkpoint, "TwoTower", "recommender.Recommender"),
        Reranker: (cross_checkpoint, "CrossEncoder", "reranker.Reranker"),
        Classifier: (text_checkpoints["label"], "TextClassifier", "classifier.Classifier"),
    }
    for asked in made:
        for kind, (content, network, path) in made.items():
            if asked is kind:
                asked(*content)
                continue
            with pytest.raises(ConfigError, match=f"a {network} ") as found:
                asked(*content)
            assert f"lit_rec.inference.{path}, or `lit-rec" in str(found.value)
            assert str(found.value).startswith(f"{asked.__name__}: ")


def test_a_checkpoint_of_python_loads_with_its_network(text_checkpoints, tmp_path):
    module, content = text_checkpoints["label"]
    path = tmp_path / "own.ckpt"
    torch.save({"state_dict": module.state_dict(), KEY: content}, path)
    factory = module._factory
    loaded = Classifier.from_checkpoint(path, network=factory)
    assert loaded.classify(MANY, 3) == Classifier(module, content).classify(MANY, 3)
    with pytest.raises(ConfigError, match=r"own\.ckpt: a TextClassifier does not read history"):
        Reranker.from_checkpoint(path, network=factory)
    with pytest.raises(CheckpointError, match=r"no configuration[\s\S]*network=FACTORY"):
        Classifier.from_checkpoint(path)
