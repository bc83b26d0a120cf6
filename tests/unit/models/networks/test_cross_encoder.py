"""Sequences and scores against loops; biases against a loop, and against the user bias of a UserEncoder."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from lit_rec.data.batches.batch import Texts
from lit_rec.data.targets.registry import _RULES, register_target
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.errors import ConfigError
from lit_rec.models.networks.cross_encoder import CrossEncoder, RatingBiases
from lit_rec.models.networks.pair_text import pair_sequences
from lit_rec.models.networks.slot_order import NearestFirst, NewestFirst
from lit_rec.models.text.backbone import ConfiguredBackbone

SPECIALS = [SpecialTokens((1,), (2,), 0), SpecialTokens((), (), 0), SpecialTokens((1,), (), 0)]


def by_hand(batch, order, special, max_tokens):
    """The same sequences by loops over rows, candidates and slots."""
    offsets, tokens = batch.texts.offsets.tolist(), batch.texts.tokens.tolist()

    def text_of(item):
        found = []
        for text in batch.items.text_index[item].tolist():
            found += tokens[offsets[text] : offsets[text + 1]]
        return found

    between = list(special.suffix or special.prefix)
    room = max_tokens - len(special.prefix) - len(special.suffix)
    sequences, slots = [], []
    for row in range(len(batch)):
        for column, candidate in enumerate(batch.candidates.item_index[row].tolist()):
            sequence = text_of(candidate)[: max(room // 2, 1)]
            slot = [-1] * len(sequence)
            real = int(batch.history.mask[row].sum())
            for place in (p for p in order[row, column].tolist() if p < real):
                words = text_of(int(batch.history.item_index[row, place]))
                left = room - len(sequence) - len(between)
                if words and left > 0:
                    kept = words[:left]
                    sequence += between + kept
                    slot += [-1] * len(between) + [place] * len(kept)
                elif words:
                    break
            sequences.append(sequence)
            slots.append(slot)
    return sequences, slots


@pytest.mark.parametrize("special", SPECIALS)
@pytest.mark.parametrize("max_tokens", [6, 9, 16, 200])
@pytest.mark.parametrize("fields", [1, 2])
@pytest.mark.parametrize("seed", range(3))
def test_sequences_equal_a_loop(make_batch, special, max_tokens, fields, seed):
    batch = make_batch(seed=seed, rows=7, longest=6, fields=fields)
    chance = torch.rand(7, 3, 6, generator=torch.Generator().manual_seed(seed))
    order = [NewestFirst()(batch), chance.argsort(2)][seed % 2]
    texts, slot = pair_sequences(batch, order, special, max_tokens)
    offsets = texts.offsets.tolist()
    spans = list(pairwise(offsets))
    found = [texts.tokens[a:b].tolist() for a, b in spans]
    sequences, slots = by_hand(batch, order, special, max_tokens)
    assert found == sequences
    assert [slot[a:b].tolist() for a, b in spans] == slots
    longest = max(map(len, found)) + len(special.prefix) + len(special.suffix)
    assert longest <= max_tokens


@pytest.fixture
def make_cross(facts, tiny_bert):
    def make(facts=facts, **options):
        torch.manual_seed(0)
        options = {"max_tokens": 24, **options}
        network = CrossEncoder(facts, lambda f: ConfiguredBackbone(f, "bert", tiny_bert), **options)
        with torch.no_grad():
            for parameter in (network.deed.weight, network.last.weight, network.beyond):
                torch.nn.init.normal_(parameter)
        return network.eval()

    return make


def test_row_alone_scores_as_in_a_batch(make_cross, batch, only_row):
    network = make_cross()
    together = network(batch)
    for row in range(len(batch)):
        alone = network(only_row(batch, row))
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-5)


def test_padding_and_what_stands_in_it_change_nothing(make_cross, batch, padded):
    network = make_cross()
    before = network(batch)
    more = padded(batch, 3)
    more.history.item_index[~more.history.mask] = 2
    more.history.rating[~more.history.mask] = 5.0
    torch.testing.assert_close(network(more), before, rtol=0, atol=1e-6)


def test_chunks_and_recomputation_change_nothing(make_cross, batch):
    whole, cut = make_cross(), make_cross(max_tokens_per_chunk=30, recompute=True)
    grads = []
    for network in (whole, cut):
        scores = network(batch)
        scores.square().sum().backward()
        grads.append([p.grad for p in network.parameters() if p.grad is not None])
    torch.testing.assert_close(whole(batch), cut(batch), rtol=0, atol=1e-5)
    assert len(grads[0]) == len(grads[1])
    for one, two in zip(*grads, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


def test_rating_and_event_of_the_history_are_read(make_cross, batch):
    network = make_cross()
    before = network(batch)
    slot = 1, int(batch.history.mask[1].sum()) - 1  # the newest, which is never cut off
    batch.history.rating[slot[0], slot[1]] = 1.0
    first = network(batch)
    batch.history.rating[slot[0], slot[1]] = 5.0
    second = network(batch)
    changed = (first - second).abs().amax(1) > 1e-6
    assert changed.nonzero().flatten().tolist() == [slot[0]]
    batch.history.event[slot[0], slot[1]] = 3 - batch.history.event[slot[0], slot[1]]
    assert not torch.equal(network(batch)[slot[0]], second[slot[0]])
    assert torch.equal(before[0], second[0])  # without history


def test_every_trained_parameter_has_a_gradient(make_cross, batch):
    network = make_cross()
    network(batch).sum().backward()
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name


def test_before_training_the_score_is_what_the_biases_say(facts, tiny_bert, batch):
    facts = replace(facts, item_bias=(0.5, -0.5, 0.25, 0.0, -1.0, 1.0))
    network = CrossEncoder(facts, lambda f: ConfiguredBackbone(f, "bert", tiny_bert), max_tokens=24)
    network.eval()
    bias, _ = RatingBiases(facts).eval()(batch)
    torch.testing.assert_close(network(batch), 3.5 + bias)
    assert bias.std() > 0.1


def test_what_a_rating_says_beyond_the_biases_is_read(make_cross, batch):
    """Two ratings of one step differ by their distance from the biases alone."""
    network = make_cross()
    slot = 1, int(batch.history.mask[1].sum()) - 1
    batch.history.rating[slot] = 4.3
    first = network(batch)
    batch.history.rating[slot] = 4.9
    assert not torch.allclose(network(batch)[1], first[1], atol=1e-4)
    with torch.no_grad():
        network.beyond.zero_()
        network.biases.log_shrinkage.fill_(30.0)  # nobody has a bias
    third = network(batch)
    batch.history.rating[slot] = 4.3
    torch.testing.assert_close(network(batch), third, rtol=0, atol=1e-6)


def test_an_order_decides_what_is_read(make_cross, batch):
    newest, nearest = make_cross(max_tokens=12), make_cross(max_tokens=12, order=NearestFirst())
    assert not torch.allclose(newest(batch), nearest(batch), atol=1e-4)
    torch.testing.assert_close(newest(batch)[0], nearest(batch)[0])  # without history


def test_labels(make_cross, facts, batch):
    topics = replace(facts, task="label", labels=("a", "b", "c"), label_counts=(1, 1, 1))
    assert make_cross(topics)(batch).shape == (5, 3, 3)
    clicks = replace(facts, task="label", labels=("no", "yes"), label_counts=(1, 1))
    assert make_cross(clicks)(batch).shape == (5, 3)


def test_an_encoder_without_special_tokens_reads_empty_rows(facts, tiny_bert, make_batch):
    bare = replace(facts, special=SpecialTokens((), (), 0))
    network = CrossEncoder(bare, lambda f: ConfiguredBackbone(f, "bert", tiny_bert), max_tokens=8)
    batch = make_batch(rows=2, fields=1)
    nothing = Texts(batch.texts.tokens[:0], torch.zeros_like(batch.texts.offsets))
    scores = network.eval()(replace(batch, texts=nothing))
    assert torch.isfinite(scores).all()


def test_options_are_named_as_they_were_given(facts, tiny_bert):
    """Not as those of the parts that they are handed to; and the remedy can be followed."""

    def make(**options):
        return CrossEncoder(facts, lambda f: ConfiguredBackbone(f, "bert", tiny_bert), **options)

    with pytest.raises(ConfigError, match=r"CrossEncoder\.bias_dropout: 1\.5 cannot be used"):
        make(bias_dropout=1.5)
    with pytest.raises(ConfigError, match=r"texts of up to 33 tokens") as found:
        make(max_tokens=33)
    assert found.value.where == "CrossEncoder.max_tokens"
    assert "set CrossEncoder.max_tokens to 32 or less" in found.value.remedy
    assert make(max_tokens=32).max_tokens == 32


BIAS = (0.5, -0.5, 0.25, 0.0, -1.0, 1.0)


def test_biases_equal_a_loop(facts, batch):
    found, beyond = RatingBiases(replace(facts, item_bias=BIAS), shrinkage=2.0).eval()(batch)
    known = [0.0, *BIAS]
    of_item = [known[row] for row in batch.items.vocab_row.tolist()]
    for row in range(len(batch)):
        over = {}
        for slot in range(int(batch.history.mask[row].sum())):
            rating = float(batch.history.rating[row, slot])
            if not math.isnan(rating):
                over[slot] = rating - 3.5 - of_item[batch.history.item_index[row, slot]]
        user = sum(over.values()) / (len(over) + 2.0)
        expected = [user + of_item[item] for item in batch.candidates.item_index[row].tolist()]
        assert found[row].tolist() == pytest.approx(expected, abs=1e-6)
        levels = [over[slot] - user if slot in over else 0.0 for slot in range(beyond.shape[1])]
        assert beyond[row].tolist() == pytest.approx(levels, abs=1e-6)  # a quarter of 1 to 5 is 1
    assert found[0].tolist() == [of_item[i] for i in batch.candidates.item_index[0].tolist()]


def test_an_item_unseen_in_training_has_no_bias(facts, batch):
    bias, _ = RatingBiases(replace(facts, item_bias=BIAS)).eval()(batch)
    unseen = batch.candidates.item_index[0] == 5
    batch.items.vocab_row[:] = 0
    without, _ = RatingBiases(replace(facts, item_bias=BIAS)).eval()(batch)
    assert without[0].tolist() == [0.0, 0.0, 0.0]
    assert bias[0][unseen].eq(0).all()


def test_while_training_some_items_are_as_if_unseen(facts, batch):
    biases = RatingBiases(replace(facts, item_bias=BIAS), dropout=1.0)
    found, _ = biases.train()(batch)
    assert found[0].tolist() == [0.0, 0.0, 0.0]
    half = RatingBiases(replace(facts, item_bias=(1.0,) * 6), dropout=0.5).train()
    batch.items.vocab_row[:] = 1
    drawn = torch.stack([half(batch)[0][0] for _ in range(300)])
    assert set(drawn.unique().tolist()) == {0.0, 1.0}
    assert 0.4 < drawn.mean() < 0.6


def test_without_item_biases_and_with_options_out_of_range(facts, batch):
    found, _ = RatingBiases(facts).eval()(batch)
    assert found[0].tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ConfigError, match=r"RatingBiases\.dropout: 1\.5"):
        RatingBiases(facts, dropout=1.5)
    with pytest.raises(ConfigError, match=r"shrinkage: 0"):
        RatingBiases(facts, shrinkage=0)


class Price(TargetRule):
    """A number that is no rating: a rule of one's own."""

    name = "price"

    def facts(self, prepared, train, labels, *, with_users):
        return {"labels": (), "label_counts": (), "item_bias": None, "item_log_frequency": False}

    def of_rows(self, prepared, labels, where=None):
        return prepared.rating


def test_a_number_that_is_no_rating_has_one_score(make_cross, facts, batch):
    register_target(Price())
    try:
        network = make_cross(replace(facts, task="price"))
        assert network.gives == "scores"
        assert network(batch).shape == batch.candidates.item_index.shape
    finally:
        del _RULES["price"]
