"""Fields that begin with a bias of their own, and as long as one another."""

import math
from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import Items
from lit_rec.data.fields.category import CategoryFacts
from lit_rec.data.fields.number import NumberFacts
from lit_rec.data.fields.vector import VectorFacts
from lit_rec.errors import ConfigError
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.items import field_sum
from lit_rec.models.items.field_sum import FieldSum
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.items.shared_ridge import shared_ridge
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.users.ridge import RidgeUserEncoder

FIELDS = (
    NumberFacts("year", edges=(0.0, 1.0, 2.0, 4.0)),
    CategoryFacts("cast", names=("a", "b", "c"), separator=","),
    VectorFacts("poster", width=3),
)
COUNT = 30


@pytest.fixture
def items():
    chance = torch.Generator().manual_seed(0)
    year = torch.rand(COUNT, generator=chance) * 5
    year[::7] = torch.nan
    cast = torch.randint(0, 4, (COUNT, 2), generator=chance)
    cast[:5] = 0
    poster = torch.randn(COUNT, 3, generator=chance)
    index = torch.stack([torch.arange(COUNT), torch.arange(COUNT) % 4], 1)
    fields = {"year": year, "cast": cast, "poster": poster}
    return Items(index, torch.arange(COUNT), torch.arange(1, COUNT + 1), fields)


@pytest.fixture
def texts():
    vectors = torch.randn(COUNT, 6, generator=torch.Generator().manual_seed(1)) + 5
    has_token = torch.ones(COUNT, dtype=torch.bool)
    has_token[3] = False
    return vectors, has_token


def begun(items, texts, **options):
    torch.manual_seed(0)
    fields = FieldSum(2, 6, FIELDS, 4, dropout=0.0, **options)
    fields.calibrate(*texts, items)
    return fields


def biases_of(fields, items, texts):
    return fields(fields.project(*texts), items).detach()[:, -1]


def test_biases_begin_where_ridge_regression_ends(items, texts):
    """A bias is linear in the fields' last rows, whose gradients are therefore the inputs of the regression."""
    fields = begun(items, texts)
    target = torch.randn(COUNT, generator=torch.Generator().manual_seed(2))
    weights = torch.linspace(0.1, 2, COUNT)
    year, cast, poster = fields.others
    parts = (fields.weight, year.projection.weight, year.missing, cast.embedding.weight)
    parts += (poster.projection.weight, poster.missing)

    def inputs(parameter):
        found = []
        for place in range(COUNT):
            bias = fields(fields.project(*texts), items)[place, -1]
            (gradient,) = torch.autograd.grad(bias, parameter, allow_unused=True)
            found.append(torch.zeros_like(parameter) if gradient is None else gradient)
        return torch.stack(found)

    of_text, years, no_year, of_cast, posters, no_poster = (inputs(part) for part in parts)
    groups = [
        of_text[:, -1, :6],
        of_text[:, -1, 6:],
        torch.cat([years[:, -1], no_year[:, -1:]], 1),
        of_cast[:, :, -1],
        torch.cat([posters[:, -1], no_poster[:, -1:]], 1),
    ]
    constant, found = shared_ridge(groups, target, weights, 0.3)
    wanted = constant + sum(x @ w for x, w in zip(groups, found, strict=True))
    before = fields(fields.project(*texts), items).detach()
    fields.begin_biases(*texts, items, target, weights, 0.3)
    after = fields(fields.project(*texts), items).detach()
    torch.testing.assert_close(after[:, -1], wanted, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(after[:, :-1], before[:, :-1])
    assert not before[:, -1].any()


def test_balanced_fields_sum_up_to_their_components_together(items, texts):
    """A width for all components leaves every inner product as the mean over the fields, each of mean square norm 1."""
    torch.manual_seed(0)
    fields = FieldSum(2, 6, FIELDS, 25, dropout=0.0, balanced=True)
    fields.calibrate(*texts, items)
    vectors = fields(fields.project(*texts), items).detach()
    assert not vectors[:, -1].any(), "biases begin at 0"
    vectors, has_token = vectors[:, :-1], texts[1]
    shown = (texts[0].unsqueeze(1) - fields.centre) * has_token.view(-1, 1, 1)
    inputs = [shown[items.text_index[:, f], f] for f in range(2)]
    others = zip(fields.columns, fields.others, strict=True)
    inputs += [encoder.inputs(items.fields[column]) for column, encoder in others]
    wanted = sum(x @ x.T / x.square().sum(1).mean() for x in inputs) / 5
    torch.testing.assert_close(vectors @ vectors.T, wanted, atol=1e-4, rtol=1e-4)
    assert float(vectors.square().sum(1).mean()) == pytest.approx(1, rel=1e-4)


def test_components_are_those_of_the_whole_catalogue(monkeypatch):
    """Items often stand by kind: the first of them differ in one direction, all of them most in another."""
    monkeypatch.setattr(field_sum, "_SOME", 10)
    vectors = torch.zeros(29, 2)
    vectors[:10, 0] = torch.tensor([1.0, -1.0]).repeat(5)
    vectors[10:28, 1] = torch.tensor([3.0, 3.0, -3.0, -3.0, 0.0, 0.0]).repeat(3)
    rows = torch.arange(29)
    fields = FieldSum(1, 2, (), 1, dropout=0.0, balanced=True)
    fields.calibrate(vectors, rows >= 0, Items(rows.unsqueeze(1), rows, rows + 1))
    assert fields.weight[0, 0].abs() < 1e-3 * fields.weight[0, 1].abs()


def test_a_field_that_says_nothing_is_not_stretched(texts):
    fields = FieldSum(1, 6, (), 4, dropout=0.0, balanced=True)
    index = torch.zeros(3, 1, dtype=torch.int64)
    fields.calibrate(*texts, Items(index, torch.arange(3), torch.arange(3)))
    assert not fields.weight.any()


@pytest.fixture
def make_encoder(facts, tiny_bert):
    frequency = tuple(math.log(f) for f in (0.5, 0.3, 0.1, 0.1))
    rated = replace(
        facts,
        item_ids=("a", "b", "c", "d"),
        item_bias=(0.5, -0.5, 0.25, 0.0),
        item_log_frequency=frequency,
    )

    def make(facts=rated, **options):
        torch.manual_seed(0)
        options = {"width": 4, "ids": IdEmbedding, **options}
        return ItemEncoder(facts, lambda f: ConfiguredBackbone(f, "bert", tiny_bert), **options)

    return make


def test_known_items_keep_the_bias_of_their_ratings(make_encoder, batch):
    """What fields say of an item and its id adds come to what its ratings say; a new item has what its fields say."""
    rows = torch.tensor([3, 1, 4, 2, 0, 0])
    items = replace(batch.items, vocab_row=rows)
    known = rows > 0
    encoder = make_encoder(bias_penalty=0.1).eval()
    encoder.calibrate(batch.texts, items.take(torch.nonzero(known).flatten()))
    found = encoder(batch.texts, items).detach()[:, -1]
    torch.testing.assert_close(found[known], torch.tensor([0.25, 0.5, 0.0, -0.5]))
    plain = encoder.sum_of_fields(encoder.fields, batch.texts, items).detach()[:, -1]
    assert plain[known].std() > 0.05, "texts say something"
    torch.testing.assert_close(found[~known], plain[~known])


def test_by_default_biases_of_fields_begin_at_zero(make_encoder, batch):
    encoder = make_encoder().eval()
    assert not encoder.looks_at_all
    encoder.calibrate(batch.texts, batch.items)
    assert not encoder.sum_of_fields(encoder.fields, batch.texts, batch.items)[:, -1].any()


def test_nothing_is_known_of_how_items_are_rated(make_encoder, facts):
    assert not make_encoder(replace(facts, item_bias=()), bias_penalty=1.0).looks_at_all


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_the_penalty_is_checked(make_encoder, value):
    with pytest.raises(ConfigError, match=f"{value} cannot be used") as error:
        make_encoder(bias_penalty=value)
    assert error.value.where == "ItemEncoder.bias_penalty"


def test_profiles_begin_by_adding_nothing_and_learn(make_network, facts, batch):
    rich = replace(facts, user_fields=FIELDS)
    network = make_network(facts=rich)
    fresh = TwoTower(rich, lambda facts: network.item_encoder, RidgeUserEncoder, DotHead)
    profile = Items(
        torch.zeros(2, 0, dtype=torch.int64),
        torch.arange(2),
        torch.arange(2),
        {
            "year": torch.tensor([1.0, 3.0]),
            "cast": torch.tensor([[1], [2]]),
            "poster": torch.ones(2, 3),
        },
    )
    found = fresh.encode_profiles(batch.texts, profile)
    assert not found.any()
    found.sum().backward()
    assert all(
        p.grad.any() for n, p in fresh.profile.named_parameters() if n.startswith("others.1")
    )


def test_lengths_of_unit_vectors_say_nothing():
    """An encoder's vectors of length 1 give the same as longer ones, before training and after a change of weights."""
    chance = torch.Generator().manual_seed(0)
    vectors = torch.randn(COUNT, 6, generator=chance)
    longer = vectors * torch.rand(COUNT, 1, generator=chance).add(0.5)
    rows = torch.arange(COUNT)
    items, has_token = Items(rows.unsqueeze(1), rows, rows + 1), torch.ones(COUNT).bool()
    found = []
    for given in (vectors, longer):
        fields = FieldSum(1, 6, (), 4, dropout=0.0, balanced=True, unit=True)
        fields.calibrate(given, has_token, items)
        found.append(fields(fields.project(given, has_token), items))
    torch.testing.assert_close(*found)
    plain = torch.nn.functional.normalize(vectors, dim=-1)
    torch.testing.assert_close(fields.centre[0], plain.mean(0))
