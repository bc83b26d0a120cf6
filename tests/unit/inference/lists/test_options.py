"""Which lists may be asked for, and of which models."""

from dataclasses import replace

import pytest

from lit_rec.cli.predict_cli import list_options, with_columns
from lit_rec.errors import ConfigError, DataError
from lit_rec.inference.lists.list_module import ListModule, ListOptions

pytestmark = pytest.mark.filterwarnings("default")


def test_texts_without_users_are_refused(texts, text_checkpoints, lists):
    network = text_checkpoints["rating"][0]._factory
    with pytest.raises(ConfigError, match="ItemTextDataModule has no users to make lists for"):
        lists(ListModule(network), texts["rating"], k=5)


def test_a_cross_encoder_is_refused(data, cross_checkpoint, lists):
    module = ListModule(cross_checkpoint[0]._factory)
    with pytest.raises(ConfigError, match="a CrossEncoder has no table of item vectors"):
        lists(module, data, k=5)


def test_which_lists_are_asked_for(data, texts):
    ratings, labels = data.facts, texts["label"].facts
    follows = replace(ratings, task="next_item")
    assert list_options(ratings, None, None, exclude_seen=True) is None
    assert list_options(ratings, 3, None, exclude_seen=False) == ListOptions(3, False)
    assert list_options(follows, None, None, exclude_seen=False) == ListOptions(10, False)
    assert list_options(labels, 3, "bad", exclude_seen=True) == ListOptions(3, True, "bad")


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        ((0, None, True), ConfigError, "0 is too small"),
        ((None, None, False), ConfigError, "--exclude_seen: no lists are made"),
        ((None, "yes", True), ConfigError, "--label: no lists are made"),
        ((3, "yes", True), DataError, "a model of ratings has no labels"),
    ],
)
def test_options_that_are_wrong(data, words, error, says):
    k, label, exclude_seen = words
    with pytest.raises(error, match=says):
        list_options(data.facts, k, label, exclude_seen=exclude_seen)


def test_one_of_three_labels_has_to_be_named(texts):
    with pytest.raises(DataError, match="no label is named"):
        list_options(texts["label"].facts, 3, None, exclude_seen=True)


def test_columns_of_lists():
    lists, known = ListOptions(3), ["title", "year", "a, b"]
    assert with_columns(lists, "title, year,title", known).columns == ("title", "year")
    assert with_columns(lists, "a, b", known).columns == ("a, b",)
    with pytest.raises(ConfigError, match=r"no column 'titel'[\s\S]*did you mean 'title'"):
        with_columns(lists, "year,titel", known)
    with pytest.raises(ConfigError, match=r"--columns: no lists are made[\s\S]*add --k 10"):
        with_columns(None, "title", known)
