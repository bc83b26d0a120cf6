"""What the items of a history say of others, against least squares, loops and sums by hand."""

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from lit_rec.data.batches.batch import HistorySlots, Items, Texts
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError
from lit_rec.models.heads import item_neighbors
from lit_rec.models.heads.item_neighbors import ItemNeighbors
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.heads.vector_heads import CosineHead
from lit_rec.models.items.id_item_encoder import IdItemEncoder
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.neighbors import add_ease, nearest_texts
from lit_rec.models.neighbors.baskets import Baskets
from lit_rec.models.neighbors.nearest_texts import NEAREST, ReadItems
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text import heavy_words
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.heavy_words import MOST, HeavyWords
from lit_rec.models.text.tuning import FrozenTuning
from lit_rec.models.users.user_encoder import MeanUserEncoder

ITEMS, WIDTH, TOKENS = 12, 6, 30
OPTIONS = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
OPTIONS |= {"intermediate_size": 4}


def facts_of(items=ITEMS):
    ids = tuple(f"i{place}" for place in range(items))
    return replace(Facts.example("next_item"), item_ids=ids, item_log_frequency=(0.0,) * items)


def part_of(text_width=WIDTH, **options):
    given = {"penalty": 60.0, "text_weight": 20.0, "recency": 0.8} | options
    return ItemNeighbors(facts_of(), text_width, TOKENS if text_width else 0, **given)


@pytest.fixture
def chance():
    return np.random.default_rng(0)


@pytest.fixture
def baskets(chance):
    user = np.repeat(np.arange(40), 4)
    item = np.concatenate([chance.permutation(ITEMS)[:4] for _ in range(40)])
    return Baskets.of_rows(user, item, ITEMS)


@pytest.fixture
def text(chance):
    vectors = torch.from_numpy(chance.normal(size=(ITEMS, WIDTH))).float()
    return torch.nn.functional.normalize(vectors, dim=1)


def read_of(vectors, words=None):
    """What is read of items; without words they have vectors alone."""
    token = torch.zeros(len(vectors), MOST, dtype=torch.int32)
    weight = torch.zeros(len(vectors), MOST)
    for place, line in enumerate(words or []):
        token[place, : len(line)] = torch.tensor(line, dtype=torch.int32)
        weight[place, : len(line)] = max(len(line), 1) ** -0.5
    return ReadItems(vectors, HeavyWords(token, weight))


def history_of(lines):
    longest = max(map(len, lines))
    mask = torch.tensor([[place < len(line) for place in range(longest)] for line in lines])
    item = torch.tensor([[*line, *[0] * (longest - len(line))] for line in lines])
    nothing = torch.zeros(mask.shape)
    return HistorySlots(item, mask, nothing, nothing.long(), nothing, nothing.long())


def whole(part):
    """The table ``[V, V]``, written out."""
    table = torch.zeros(len(part.value), len(part.value))
    table.scatter_add_(1, part.index.long(), part.value)
    return table[1:, 1:]


def by_least_squares(baskets, text, penalty, text_weight):
    """Each item from all others: users, coordinates of texts and the penalty are rows of one system."""
    users = np.zeros((baskets.user.max() + 1, ITEMS))
    users[baskets.user, baskets.item] = 1
    rows = np.vstack([users, math.sqrt(text_weight) * text.numpy().T])
    found = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        others = np.delete(np.arange(ITEMS), item)
        system = np.vstack([rows[:, others], math.sqrt(penalty) * np.eye(ITEMS - 1)])
        wanted = np.concatenate([rows[:, item], np.zeros(ITEMS - 1)])
        found[others, item] = np.linalg.lstsq(system, wanted, rcond=None)[0]
    return found


@pytest.mark.parametrize("dense", [True, False], ids=["whole table", "equations of neighbors"])
def test_the_table_is_ridge_regression_on_users_and_texts(baskets, text, dense, monkeypatch):
    if not dense:
        monkeypatch.setattr(add_ease, "DENSE_ITEMS", 1)
    part = part_of(penalty=3.0, text_weight=5.0)
    part.fit(baskets, read_of(text))
    expected = np.maximum(by_least_squares(baskets, text, 3.0, 5.0), 0)
    assert (expected > 0.01).sum() > 20
    np.testing.assert_allclose(whole(part), expected, atol=1e-4)


def test_only_the_largest_are_kept(baskets, text):
    part = part_of(neighbors=2, penalty=3.0, text_weight=5.0)
    part.fit(baskets, read_of(text))
    expected = np.maximum(by_least_squares(baskets, text, 3.0, 5.0), 0)
    for row in expected:
        row[np.argsort(-row)[2:]] = 0
    np.testing.assert_allclose(whole(part), expected, atol=1e-4)


def test_texts_count_only_with_a_weight(baskets, text):
    without, blind = part_of(text_weight=0.0), part_of(text_width=0)
    without.fit(baskets, read_of(text))
    blind.fit(baskets, None)
    assert torch.equal(whole(without), whole(blind))
    assert without.nearest is None
    assert blind.nearest is None


@pytest.mark.parametrize("numbers", [2**24, 40], ids=["at once", "in blocks"])
def test_unknown_items_are_represented_by_the_nearest_texts(baskets, text, numbers, monkeypatch):
    monkeypatch.setattr(nearest_texts, "_NUMBERS", numbers)
    monkeypatch.setattr(heavy_words, "_NUMBERS", numbers)
    part = part_of()
    words = [[place, place + 1, 29] for place in range(ITEMS)]
    part.fit(baskets, read_of(text, words))
    new = torch.stack([text[3], torch.zeros(WIDTH), -text[3]])
    read = read_of(new, [[6, 7], [], [20]])
    found = part.described(torch.tensor([0, 0, 0, 4]), read)
    row, weight = found[:, :NEAREST].long(), found[:, NEAREST:]
    shared = [len({6, 7} & set(line)) / math.sqrt(2 * 3) for line in words]
    similarity = ((new[0] @ text.T + torch.tensor(shared)) / 2).clamp(min=0)
    order = similarity.argsort(descending=True)[:NEAREST]
    wanted = similarity[order] ** 8
    wanted *= similarity.max() ** 0.25 / wanted.sum()
    assert {4, 7} <= set(row[0].tolist()), "the same vector, and the same words"
    there = wanted > 0
    assert row[0][there].tolist() == (order[there] + 1).tolist()
    torch.testing.assert_close(weight[0], wanted)
    assert not weight[1].any(), "a text that says nothing"
    assert 0 < weight[2].sum() < 1
    assert row[3, 0] == 4
    assert weight[3].tolist() == [1.0] + [0.0] * 4


@pytest.mark.parametrize("numbers", [2**24, 40], ids=["at once", "in blocks"])
def test_scores_are_sums_over_the_history(baskets, text, chance, numbers, monkeypatch):
    monkeypatch.setattr(item_neighbors, "_NUMBERS", numbers)
    part = part_of(recency=0.5, new_item_weight=1.3, repeat_weight=0.7)
    part.fit(baskets, read_of(text))
    rows = torch.tensor([0, 5, 1, 0, 12, 7])  # two that training never saw
    texts = torch.from_numpy(chance.normal(size=(6, WIDTH))).float()
    read = read_of(torch.nn.functional.normalize(texts, dim=1)[rows == 0])
    described = part.described(rows, read)
    lines = [[1, 0, 2], [4], [], [3, 3, 5, 0]]
    scores = part.of(described, history_of(lines))
    table, expected = whole(part), torch.zeros(4, 6)
    of_new = 1.3 * (table + 0.05 * torch.eye(ITEMS))  # for items that training never saw
    stands = torch.zeros(6, ITEMS)
    for item in range(6):
        for row, weight in zip(described[item, :NEAREST], described[item, NEAREST:], strict=True):
            if row > 0:
                stands[item, int(row) - 1] += weight
    for place, line in enumerate(lines):
        for behavior, item in enumerate(line):
            counts = 0.5 ** (len(line) - 1 - behavior)
            for other in range(6):
                added = of_new if rows[other] == 0 else table
                expected[place, other] += counts * stands[item] @ added @ stands[other]
            expected[place, item] += 0.7 * 0.8 ** (len(line) - 1 - behavior)
    torch.testing.assert_close(scores.of_all(slice(0, 4)), expected)
    torch.testing.assert_close(scores.of_all(slice(3, 4)), expected[3:])
    asked = torch.tensor([[0, 1, 2, 5], [5, 4, 3, 3], [1, 1, 1, 1], [0, 2, 4, 5]])
    torch.testing.assert_close(scores.of_items(asked), expected.gather(1, asked))
    assert not expected[2].any()
    # item 5 came one behavior before the newest, item 3 two and three before; item 1 is not there
    again = [
        scores.of_targets_alone(slice(3, 4), torch.tensor([item])).item() for item in (5, 3, 1)
    ]
    assert again == pytest.approx([0.7 * 0.8, 0.7 * (0.8**2 + 0.8**3), 0.0])


def test_more_is_said_of_items_with_few_users(baskets, text):
    part = part_of(rarity=0.3)
    part.fit(baskets, read_of(text))
    plain = part_of()
    plain.fit(baskets, read_of(text))
    users = np.bincount(baskets.item, minlength=ITEMS)
    raised = ((users.mean() + 1) / (users + 1)) ** 0.3
    described = part.described(torch.arange(1, ITEMS + 1), None)
    history = history_of([[1, 0, 2], [4]])
    before, after = (p.of(described, history).of_all(slice(None)) for p in (plain, part))
    assert before.abs().max() > 0.1
    torch.testing.assert_close(after, before * torch.from_numpy(raised).float())


def network_of(encoder, **options):
    neighbors = functools.partial(ItemNeighbors, **options)
    return TwoTower(facts_of(), encoder, MeanUserEncoder, CosineHead, neighbors=neighbors)


def encoder_of(tuning=None):
    more = {} if tuning is None else {"tuning": tuning}
    backbone = functools.partial(ConfiguredBackbone, model_type="bert", options=OPTIONS, **more)
    return functools.partial(ItemEncoder, backbone=backbone, width=3)


def test_what_is_read_of_an_item():
    assert network_of(encoder_of(FrozenTuning())).neighbors.nearest is not None
    assert network_of(encoder_of(), text_weight=0.0).neighbors.nearest is None
    assert network_of(IdItemEncoder).neighbors.nearest is None
    assert network_of(encoder_of()).neighbors.nearest is None, "texts of an encoder that is trained"


def test_a_new_item_of_the_same_text_stands_for_the_known_one(baskets):
    """From texts to rows of the vocabulary, the known items read in two parts."""
    network = network_of(encoder_of(FrozenTuning()))
    token = torch.arange(2 * ITEMS) % 7 + 1  # item i has tokens 2i and 2i + 1
    texts = Texts(token, torch.arange(0, 2 * ITEMS + 1, 2))
    place = torch.arange(ITEMS)
    known = Items(place.unsqueeze(1), place, place + 1)
    parts = [(texts, known.take(place[:7])), (texts, known.take(place[7:]))]
    network.calibrate(texts, known)
    options = {"penalty": 60.0, "text_weight": 20.0, "recency": 0.8}
    network.neighbors.fit(baskets, network.read_items(parts), options)
    having = [sum(word in token[2 * i : 2 * i + 2] for i in range(ITEMS)) for word in range(9)]
    expected = [math.log((ITEMS + 1) / (count + 1)) for count in having]
    assert network.neighbors.nearest.words.idf.tolist() == pytest.approx(expected)
    both = Items(place.unsqueeze(1), place, torch.where(place % 2 == 0, 0, place + 1))
    table = network.described_in(network.encode_items(texts, both))
    text_of = [set(token[2 * i : 2 * i + 2].tolist()) for i in range(ITEMS)]
    for item in range(ITEMS):
        row = int(table[item, 0]) - 1
        assert text_of[row] == text_of[item]
        assert (table[item, 1] > 0) == (item % 2 == 0), "a known item stands for itself alone"


def test_ids_alone_are_neighbors_too(baskets):
    network = network_of(functools.partial(IdItemEncoder, width=3), share=2.0)
    network.neighbors.fit(baskets, None, {"penalty": 3.0, "recency": 0.8})
    rows = torch.arange(1, ITEMS + 1)
    table = network.encode_items(None, Items(torch.empty(ITEMS, 0), rows - 1, rows))
    assert table.shape == (ITEMS, network.table_width)
    assert network.vectors_of(table).shape == (ITEMS, 4)


def test_what_does_not_fit_is_refused():
    with pytest.raises(
        ConfigError,
        match=r"TwoTower.neighbors: neighbors by text beside an encoder that is trained"
        r"[\s\S]*FrozenTuning, or set text_weight to 0",
    ):
        network_of(encoder_of(), text_weight=5.0)
    with pytest.raises(
        ConfigError, match=r"TwoTower.neighbors: neighbors beside DotHead[\s\S]*leave it out"
    ):
        TwoTower(facts_of(), IdItemEncoder, MeanUserEncoder, DotHead, neighbors=ItemNeighbors)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neighbors": 0}, r"ItemNeighbors.neighbors: 0 cannot be used"),
        ({"penalty": 0.0}, r"ItemNeighbors.penalty: 0.0 cannot be used"),
        ({"text_weight": -1.0}, r"ItemNeighbors.text_weight: -1.0 cannot be used"),
        ({"recency": 80.0}, r"ItemNeighbors.recency: 80.0 cannot be used"),
        ({"repeat_weight": -0.1}, r"ItemNeighbors.repeat_weight: -0.1 cannot be used"),
        ({"new_item_weight": 0.0}, r"ItemNeighbors.new_item_weight: 0.0 cannot be used"),
        ({"rarity": -0.1}, r"ItemNeighbors.rarity: -0.1 cannot be used"),
        ({"share": 0.0}, r"ItemNeighbors.share: 0.0 cannot be used"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        part_of(**options)
