"""An item's hash changes with what its vector is made from, and with nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.item_inputs import input_hashes
from lit_rec.data.texts.tokens import TokenStore

TEXTS = [[7], [8, 9], [], [7, 8]]
NAN = float("nan")


def store_of(texts):
    offsets = np.cumsum([0, *map(len, texts)])
    return TokenStore(np.array([t for text in texts for t in text], np.int32), offsets)


@pytest.fixture
def catalogue():
    fields = {
        "price": np.array([1.0, 2.0, NAN], np.float32),
        "genres": np.array([[1, 2], [3, 0], [0, 0]]),
        "image": np.array([[0.0, 1.0], [NAN, NAN], [2.0, 3.0]], np.float32),
    }
    text_of_item = np.array([[0, 1], [2, 3], [1, 1]])
    return Catalogue(store_of(TEXTS), text_of_item, np.array([1, 0, 2]), fields)


def changed(catalogue, other):
    """Which items' hashes differ."""
    return (input_hashes(catalogue) != input_hashes(other)).any(1).tolist()


def test_every_item_is_told_from_the_others(catalogue):
    assert input_hashes(catalogue).shape == (3, 2)
    assert len(np.unique(input_hashes(catalogue), axis=0)) == 3


def test_neither_places_nor_other_items_count(catalogue):
    texts = [[5], *reversed(TEXTS)]
    order = [2, 0]
    fields = {
        "image": catalogue.fields["image"][order],
        "price": catalogue.fields["price"][order],
        # a longer list of another item's
        "genres": np.array([[0, 0, 0], [1, 2, 0]]),
    }
    moved = Catalogue(
        store_of(texts), 4 - catalogue.text_of_item[order], catalogue.vocab_row[order], fields
    )
    np.testing.assert_array_equal(input_hashes(moved), input_hashes(catalogue)[order])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("price", np.array([1.0, 2.5, NAN], np.float32)),
        ("genres", np.array([[1, 2], [3, 1], [0, 0]])),
        ("image", np.array([[0.0, 1.0], [NAN, 1.0], [2.0, 3.0]], np.float32)),
    ],
)
def test_a_changed_field(catalogue, column, values):
    other = replace(catalogue, fields={**catalogue.fields, column: values})
    assert changed(catalogue, other) == [False, True, False]


def test_a_changed_text_or_id(catalogue):
    texts = replace(catalogue, store=store_of([[7], [8, 9], [1], [7, 8]]))
    assert changed(catalogue, texts) == [False, True, False]
    exchanged = replace(catalogue, text_of_item=np.array([[0, 1], [3, 2], [1, 1]]))
    assert changed(catalogue, exchanged) == [False, True, False]
    ids = replace(catalogue, vocab_row=np.array([1, 5, 2]))
    assert changed(catalogue, ids) == [False, True, False]


def test_fields_of_other_names_are_other_inputs(catalogue):
    named = {"cost" if name == "price" else name: v for name, v in catalogue.fields.items()}
    assert all(changed(catalogue, replace(catalogue, fields=named)))


def test_no_texts_and_no_items():
    bare = Catalogue(store_of([]), np.empty((2, 0), np.int64), np.array([1, 2]))
    assert len(np.unique(input_hashes(bare), axis=0)) == 2
    none = Catalogue(store_of([]), np.empty((0, 1), np.int64), np.empty(0, np.int64))
    assert input_hashes(none).shape == (0, 2)
