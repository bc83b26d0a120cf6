"""The frozen text vectors of a fake encoder."""

import contextlib
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.texts.tokens import SpecialTokens, TokenStore
from lit_rec.errors import ConfigError
from lit_rec.vectors import frozen_texts
from lit_rec.vectors.frozen_texts import frozen_item_vectors, readable_frozen_vectors

CPU = torch.device("cpu")


class FakeBackbone(nn.Module):
    """Token k becomes the k-th of some vectors."""

    width = 2

    def __init__(self):
        super().__init__()
        known = [[9.0, 9.0], [1.0, 1.0], [3.0, 1.0], [1.0, 5.0], [2.0, 2.0]]
        self.register_buffer("vectors", torch.tensor(known))
        self.texts = 0

    def forward(self, chunk):
        self.texts += len(chunk.input_ids)
        return self.vectors[chunk.input_ids]  # [P', T, D]


@pytest.fixture
def read(tmp_path):
    """Return vectors of a catalogue and how many texts were encoded for them.

    The four texts of the catalogue are the tokens 1, 2, 3 and 2 4.
    """

    def made(text_of_item, last=4, weight=9.0, special=((), ())):
        store = TokenStore(np.array([1, 2, 3, 2, last], np.int32), np.array([0, 1, 2, 3, 5]))
        network, built = nn.Module(), []
        network.backbone = FakeBackbone()
        network.backbone.vectors[0, 0] = weight

        def new_network(facts, *, pretrained):
            built.append(pretrained)
            return network

        data = SimpleNamespace(
            facts=SimpleNamespace(special=SpecialTokens(*special, 0)),
            catalogue=Catalogue(
                store, np.array(text_of_item), np.zeros(len(text_of_item), np.int64)
            ),
            cache_folder=tmp_path,
        )
        vectors = frozen_item_vectors(new_network, data, CPU, None)
        assert built == [True]
        return vectors, network.backbone.texts

    return made


@pytest.fixture
def frozen(read):
    return lambda text_of_item: read(text_of_item)[0]


def test_a_text_is_encoded_for_one_report_and_found_for_the_next(read):
    (first, encoded), (second, again) = read([[0], [1], [3]]), read([[0], [1], [3]])
    assert (encoded, again) == (4, 0)
    assert np.array_equal(first, second)
    assert read([[3], [2], [2]])[1] == 0, "the texts count, not the items that have them"


@pytest.mark.parametrize(
    ("other", "encoded"),
    [
        ({"last": 1}, 1),  # another text
        ({"weight": 8.0}, 4),  # another encoder
        ({"special": ((1,), ())}, 4),  # other tokens around each
    ],
)
def test_other_texts_or_another_encoder_are_encoded(read, tmp_path, other, encoded):
    """Of what is not as it was before; and the vectors are those of an empty cache."""
    items = [[0], [1], [3]]
    read(items)
    found, count = read(items, **other)
    assert count == encoded
    shutil.rmtree(tmp_path / "vectors")
    again, count = read(items, **other)
    assert count == 4
    assert np.array_equal(found, again)


def test_frozen_vectors_of_one_field_are_centred_and_of_unit_norm(frozen):
    """Texts (1, 1), (3, 1), (1, 5) about their mean (5/3, 7/3): (-2, -4)/3, (4, -4)/3, (-2, 8)/3."""
    centred = [[-2, -4], [4, -4], [-2, 8]]
    expected = [[x / np.hypot(x, y), y / np.hypot(x, y)] for x, y in centred]
    assert frozen([[0], [1], [2]]) == pytest.approx(np.array(expected))


def test_frozen_vectors_of_two_fields_stand_side_by_side(frozen):
    """The mean of both fields' cosines.

    Second field: text 3, the mean (2.5, 1.5) of its tokens, and text 2, (1, 5), twice.
    """
    first = frozen([[0], [1], [2]])
    both = frozen([[0, 3], [1, 2], [2, 2]])
    assert both.shape == (3, 4)
    away = np.array([1.5, -3.5]) / np.hypot(1.5, 3.5)  # (2.5, 1.5) - (1, 5)
    second = np.array([away, -away, -away])
    assert both @ both.T == pytest.approx((first @ first.T + second @ second.T) / 2)
    assert both == pytest.approx(np.hstack([first, second]) / np.sqrt(2))


def test_encoder_that_cannot_be_read_is_a_warning():
    def new_network(facts, *, pretrained):
        raise ConfigError("no such folder", where="model.name", rule="a folder", remedy="name it")

    with pytest.warns(UserWarning, match="no frozen-text baselines: .*no such folder"):
        found = readable_frozen_vectors(new_network, SimpleNamespace(facts=None), CPU, None)
    assert found is None


def test_a_bar_counts_the_texts(frozen, monkeypatch):
    """Three of one token and one of two: chunks go by their length, and all of these fit into one."""
    asked = []

    @contextlib.contextmanager
    def record(what, total, **more):
        asked.append((total, done := []))
        yield done.append

    monkeypatch.setattr(frozen_texts, "slow_bar", record)
    frozen([[0], [1], [2]])
    ((total, done),) = asked
    assert total == done[-1] == 4
    assert done == sorted(done)
