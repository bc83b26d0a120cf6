"""Texts of a frozen encoder, or its lower layers, are encoded before training, in an order that no batch decides."""

import functools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from transformers.models.bert.modeling_bert import BertLayer

from lit_rec import processes as of_run
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.facts import Facts
from lit_rec.data.texts.tokens import TokenStore
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.tuning import FrozenTuning, FullTuning, TopLayersTuning
from lit_rec.vectors import frozen_texts
from lit_rec.vectors.frozen_texts import encode_frozen_texts

CPU = torch.device("cpu")
SMALL = {
    "vocab_size": 20,
    "hidden_size": 16,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 16,
}
QUIET = SimpleNamespace(progress_bar_callback=None)


class Parts(nn.Module):
    """An item encoder in a network, with or without a table of items."""

    def __init__(self, tuning, *, has_item_table=True, num_hidden_layers=1, **options):
        super().__init__()
        torch.manual_seed(0)
        facts = Facts.example(user_ids=("u",), fields=("title", "genre"), max_tokens=16)
        of_encoder = SMALL | {"num_hidden_layers": num_hidden_layers}
        backbone = functools.partial(
            ConfiguredBackbone, model_type="bert", options=of_encoder, tuning=tuning
        )
        self.item_encoder = ItemEncoder(facts, backbone, width=4, **options)
        self.has_item_table = has_item_table

    def vectors(self, data, item):
        return self.item_encoder(*data.catalogue.take(np.array(item)))


@pytest.fixture
def data(tmp_path):
    """Six items; the first four have rows to train or validate, and their texts are 0 to 6."""
    chance = np.random.default_rng(0)
    lengths = chance.integers(1, 9, 10)
    tokens = chance.integers(3, 20, lengths.sum()).astype(np.int32)
    store = TokenStore(tokens, np.cumsum([0, *lengths]))
    text_of_item = np.array([[3, 0], [1, 0], [2, 4], [6, 5], [7, 8], [9, 8]])
    rows = {"train": [0, 1, 4], "val": [2], "test": [3, 5], "shown": []}
    prepared = SimpleNamespace(
        item=np.array([3, 0, 1, 4, 2, 5]), rows_of=lambda part: np.array(rows[part], np.int64)
    )
    catalogue = Catalogue(store, text_of_item, np.zeros(6, np.int64), name="tokens-1")
    return SimpleNamespace(catalogue=catalogue, prepared=prepared, cache_folder=tmp_path)


@pytest.fixture
def passed(monkeypatch):
    """How many texts passed an encoder."""
    counted = []
    forward = ConfiguredBackbone.forward
    monkeypatch.setattr(
        ConfiguredBackbone,
        "forward",
        lambda self, chunk, **rest: counted.append(len(chunk.mask)) or forward(self, chunk, **rest),
    )
    return counted


@pytest.mark.parametrize("block", [1, 4, 100])
def test_no_batch_encodes_any_afterwards(data, passed, monkeypatch, block):
    monkeypatch.setattr(frozen_texts, "_TEXTS_AT_ONCE", block)
    network = Parts(FrozenTuning())
    wanted = Parts(FullTuning()).eval().vectors(data, range(6))
    encode_frozen_texts(network, data, CPU, QUIET)
    passed.clear()
    torch.testing.assert_close(network.vectors(data, range(6)), wanted)
    assert network.training
    assert not passed


def test_what_was_kept_before_is_computed_anew(data, passed):
    """Whatever was asked for first: the bits are those of a process that begins with this."""
    network = Parts(FrozenTuning(), max_tokens_per_chunk=12)
    network.vectors(data, [4, 1])
    passed.clear()
    encode_frozen_texts(network, data, CPU, QUIET)
    assert sum(passed) == 10
    other = Parts(FrozenTuning(), max_tokens_per_chunk=12)
    encode_frozen_texts(other, data, CPU, QUIET)
    assert torch.equal(network.vectors(data, range(6)), other.vectors(data, range(6)))


@pytest.mark.parametrize(
    ("tuning", "options", "count"),
    [
        (FullTuning(), {}, 0),
        (FrozenTuning(), {"max_kept_texts": 0}, 0),
        (FrozenTuning(), {"max_kept_texts": 4}, 4),
        (FrozenTuning(), {"has_item_table": False}, 7),
    ],
)
def test_texts_that_are_asked_for(data, passed, tuning, options, count):
    """Without a table of items, those that only rows of the test have are not."""
    encode_frozen_texts(Parts(tuning, **options), data, CPU, QUIET)
    assert sum(passed) == count


def test_nothing_is_kept_where_processes_share_the_encoder(data, passed):
    network = Parts(FrozenTuning())
    network.item_encoder.share(lambda calls: calls)
    encode_frozen_texts(network, data, CPU, QUIET)
    assert not passed


def test_another_run_of_the_same_encoder_finds_them(data, passed):
    """To the last bit; another encoder, and other texts, are encoded."""
    network = Parts(FrozenTuning(), max_tokens_per_chunk=12)
    encode_frozen_texts(network, data, CPU, QUIET)
    passed.clear()
    other = Parts(FrozenTuning(), max_tokens_per_chunk=50)
    encode_frozen_texts(other, data, CPU, QUIET)
    assert torch.equal(network.vectors(data, range(6)), other.vectors(data, range(6)))
    assert not passed
    data.catalogue.store.tokens[0] += 1
    encode_frozen_texts(Parts(FrozenTuning()), data, CPU, QUIET)
    assert sum(passed) == 1
    passed.clear()
    with torch.no_grad():
        other.item_encoder.backbone.model.embeddings.word_embeddings.weight[3] += 1
    encode_frozen_texts(other, data, CPU, QUIET)
    assert sum(passed) == 10


def test_processes_encode_a_part_each_and_know_all(data, passed, monkeypatch):
    parts, text = [], np.arange(10)
    monkeypatch.setattr(of_run, "gather_from_all", lambda part: parts.append(part) or part[None])
    counts = []

    def encoded():
        encoder = Parts(FrozenTuning()).item_encoder
        return frozen_texts._encoded(encoder, data.catalogue, text, device=CPU, trainer=QUIET)

    for process in range(3):
        monkeypatch.setattr(of_run, "_process", lambda at=process: (at, 3))
        passed.clear()
        encoded()
        counts.append(sum(passed))
    assert counts == [4, 3, 3]
    monkeypatch.undo()
    monkeypatch.setattr(of_run, "gather_from_all", lambda part: torch.stack(parts))
    monkeypatch.setattr(of_run, "_process", lambda: (1, 3))
    encoder = Parts(FrozenTuning()).eval().item_encoder
    torch.testing.assert_close(encoded(), encoder.encode_uncached(data.catalogue.texts(text)))


def deep(tuning, **options):
    """An encoder of two layers."""
    return Parts(tuning, num_hidden_layers=2, **options)


@pytest.fixture
def layers(monkeypatch):
    """How many texts passed each layer of a BERT."""
    counted = [0, 0]
    forward = BertLayer.forward

    def count(self, hidden, *rest, **named):
        counted[self.attention.self.layer_idx] += len(hidden)
        return forward(self, hidden, *rest, **named)

    monkeypatch.setattr(BertLayer, "forward", count)
    return counted


def test_lower_layers_read_each_text_once(data, layers):
    """Steps and evaluations begin above them, with the vectors of an encoder that begins at the first."""
    network = deep(TopLayersTuning(1), max_tokens_per_chunk=12)
    encode_frozen_texts(network, data, CPU, QUIET)
    assert layers == [10 + 4, 4], "two short texts try whether the encoder can begin in its middle"
    wanted = deep(FullTuning()).eval().vectors(data, range(6))
    layers[:] = [0, 0]
    for mode in (network.eval(), network.train()):
        torch.testing.assert_close(mode.vectors(data, range(6)), wanted, rtol=1e-6, atol=1e-6)
    assert layers == [0, 20]


@pytest.mark.parametrize(
    ("tuning", "options", "cached"),
    [
        (TopLayersTuning(1), {"max_kept_tokens": 56}, True),
        (TopLayersTuning(1), {"max_kept_tokens": 55}, False),
        (TopLayersTuning(1), {"max_kept_tokens": 0}, False),
        (FullTuning(), {}, False),
    ],
)
def test_a_catalogue_that_does_not_fit_is_encoded_as_it_comes(
    data, layers, tuning, options, cached
):
    lengths = np.diff(data.catalogue.store.offsets)
    assert lengths.sum() + 2 * len(lengths) == 56
    network = deep(tuning, **options)
    encode_frozen_texts(network, data, CPU, QUIET)
    layers[:] = [0, 0]
    network.vectors(data, range(6))
    assert layers == [0 if cached else 10, 10]


def test_rows_of_other_texts_begin_at_the_first_layer(data, layers):
    """Without a table of items, texts that only rows of the test have are not cached."""
    network = deep(TopLayersTuning(1), has_item_table=False)
    encode_frozen_texts(network, data, CPU, QUIET)
    for items, below in (([0, 3], 0), ([0, 5], 4)):
        layers[:] = [0, 0]
        network.vectors(data, items)
        assert layers == [below, 4]


def test_what_lower_layers_give_is_the_same_whatever_was_asked_for_before(data):
    found = []
    for before in ([], [4, 1]):
        network = deep(TopLayersTuning(1), max_tokens_per_chunk=12)
        if before:
            network.vectors(data, before)
        encode_frozen_texts(network, data, CPU, QUIET)
        found.append(network.vectors(data, range(6)))
    assert torch.equal(*found)
