"""The frozen text vectors of a fake encoder."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lit_rec.data.tokens import SpecialTokens, TokenStore
from lit_rec.errors import ConfigError
from lit_rec.training import frozen_vectors
from lit_rec.training.frozen_vectors import frozen_item_vectors, readable_frozen_vectors


class FakeBackbone(nn.Module):
    """Token k becomes the k-th of some vectors."""

    width = 2
    vectors = torch.tensor([[9.0, 9.0], [1.0, 1.0], [3.0, 1.0], [1.0, 5.0], [2.0, 2.0]])

    def forward(self, chunk):
        return self.vectors[chunk.input_ids]  # [P', T, D]


def frozen(text_of_item):
    """Vectors of a catalogue whose four texts are the tokens 1, 2, 3 and 2 4."""
    store = TokenStore(np.array([1, 2, 3, 2, 4], np.int32), np.array([0, 1, 2, 3, 5]))
    network = nn.Module()
    network.backbone = FakeBackbone()
    built = []

    def new_network(facts, *, pretrained):
        built.append(pretrained)
        return network

    data = SimpleNamespace(
        facts=SimpleNamespace(special=SpecialTokens((), (), 0)),
        catalogue=SimpleNamespace(store=store, text_of_item=np.array(text_of_item)),
    )
    module = SimpleNamespace(new_network=new_network, device=torch.device("cpu"), _trainer=None)
    vectors = frozen_item_vectors(module, data)
    assert built == [True]
    return vectors


def test_frozen_vectors_of_one_field_are_centred_and_of_unit_norm():
    """Texts (1, 1), (3, 1), (1, 5) about their mean (5/3, 7/3): (-2, -4)/3, (4, -4)/3, (-2, 8)/3."""
    centred = [[-2, -4], [4, -4], [-2, 8]]
    expected = [[x / np.hypot(x, y), y / np.hypot(x, y)] for x, y in centred]
    assert frozen([[0], [1], [2]]) == pytest.approx(np.array(expected))


def test_frozen_vectors_of_two_fields_stand_side_by_side():
    """The mean of both fields' cosines. Second field: text 3, the mean (2.5, 1.5) of its tokens, and text 2, (1, 5), twice."""
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
        found = readable_frozen_vectors(
            SimpleNamespace(new_network=new_network), SimpleNamespace(facts=None)
        )
    assert found is None


def test_a_bar_counts_the_texts(monkeypatch):
    """Three of one token and one of two: chunks go by their length, and all of these fit into one."""
    asked = []

    @contextlib.contextmanager
    def record(what, total, **more):
        asked.append((total, done := []))
        yield done.append

    monkeypatch.setattr(frozen_vectors, "slow_bar", record)
    frozen([[0], [1], [2]])
    ((total, done),) = asked
    assert total == done[-1] == 4
    assert done == sorted(done)
