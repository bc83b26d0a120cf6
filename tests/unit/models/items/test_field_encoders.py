"""What numbers, categories and vectors add to an item's vector."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from lit_rec.data.batches.batch import Items, Profiles, Texts, Users
from lit_rec.data.fields.category import CategoryFacts
from lit_rec.data.fields.field import FittedField
from lit_rec.data.fields.number import NumberFacts
from lit_rec.data.fields.vector import VectorFacts
from lit_rec.errors import ConfigError
from lit_rec.models.items.field_encoders import (
    CategoryEncoder,
    DenseEncoder,
    NumberEncoder,
    field_encoder,
)
from lit_rec.models.items.field_sum import FieldSum
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.text_classifier import TextClassifier

NAN = float("nan")
PRICE, BRAND = NumberFacts("price", (0.0, 10.0, 30.0)), CategoryFacts("brand", None, ("x", "y"))
IMAGE = VectorFacts("image", 2)
FIELDS = (PRICE, BRAND, IMAGE)
VALUES = {
    "price": torch.tensor([5.0, 20.0, NAN, 99.0]),
    "brand": torch.tensor([[1, 2], [2, 0], [0, 0], [1, 0]]),
    "image": torch.tensor([[1.0, 2.0], [NAN, NAN], [0.0, 0.0], [3.0, -2.0]]),
}


def test_a_number_counts_by_how_far_through_its_bin_it_is():
    encoder = NumberEncoder(PRICE, 3)
    numbers = torch.tensor([-5.0, 0.0, 5.0, 10.0, 20.0, 30.0, 99.0])
    expected = [[0, 0], [0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [1, 1]]
    assert encoder.features(numbers).tolist() == expected


def test_seconds_since_1970_keep_their_digits():
    day = 86_400
    encoder = NumberEncoder(NumberFacts("t", (1.7e9, 1.7e9 + 1000 * day)), 2)
    found = encoder.features(torch.tensor([1.7e9 + 500 * day]))
    assert float(found) == pytest.approx(0.5, abs=1e-3)


def test_what_is_absent_adds_a_vector_of_its_own():
    encoder = DenseEncoder(2, 3)
    with torch.no_grad():
        encoder.missing.copy_(torch.tensor([7.0, 8.0, 9.0]))
    added = encoder(VALUES["image"])
    assert added[1].tolist() == [7.0, 8.0, 9.0]
    torch.testing.assert_close(added[0], encoder.projection.weight @ VALUES["image"][0])


def test_calibrated_vectors_are_centred_and_of_norm_four():
    chance = np.random.default_rng(0)
    values = torch.tensor(chance.normal(3, 2, (50, 5)), dtype=torch.float32)
    values[7] = NAN
    encoder = DenseEncoder(5, 4)
    encoder.calibrate(values)
    known = np.delete(values.numpy(), 7, 0)
    centred = known - known.mean(0)
    scaled = 4 * centred / np.sqrt((centred**2).sum(1).mean())
    expected = torch.tensor(scaled) @ encoder.projection.weight.T
    added = encoder(values)
    torch.testing.assert_close(added[torch.arange(50) != 7], expected, atol=1e-4, rtol=1e-4)


def test_nothing_to_calibrate_on_changes_nothing():
    encoder = DenseEncoder(2, 3)
    encoder.calibrate(torch.full((3, 2), NAN))
    encoder.calibrate(torch.empty(0, 2))
    assert (encoder.centre.tolist(), float(encoder.spread)) == ([0.0, 0.0], 1.0)


def test_categories_add_the_mean_of_their_vectors():
    encoder = CategoryEncoder(BRAND, 2)
    with torch.no_grad():
        encoder.embedding.weight.copy_(torch.tensor([[0.5, 0.25], [2.0, 4.0], [6.0, 8.0]]))
    assert encoder(VALUES["brand"]).tolist() == [[4, 6], [6, 8], [0.5, 0.25], [2, 4]]


def test_biases_begin_at_zero():
    for field in FIELDS:
        assert field_encoder(field, 5)(VALUES[field.column])[:, -1].tolist() == [0.0] * 4


def test_an_unknown_kind_has_no_encoder():
    class Sound(FittedField):
        size = 1

        def encode(self, frame, where):
            return np.empty(0)

    with pytest.raises(ValueError, match="Sound has no encoder"):
        field_encoder(Sound("s", kind="sound"), 3)


def items_of(count=4, texts=1):
    rows = torch.arange(count)
    return Items(rows.unsqueeze(1).expand(-1, texts), rows, torch.zeros(count).long(), VALUES)


def test_fields_are_weighed_together_with_texts():
    """Weights 0.1 to 0.4 times the root of 4 fields; a loop over items and fields gives the same."""
    torch.manual_seed(0)
    fields = FieldSum(1, 3, FIELDS, 2, dropout=0.0)
    with torch.no_grad():
        fields.field_logits.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]).log())
        fields.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
    texts, has_token = torch.randn(4, 3), torch.tensor([True, True, False, True])
    found = fields(fields.project(texts, has_token), items_of())
    for item in range(4):
        expected = fields.bias + 0.2 * has_token[item] * (fields.weight @ texts[item])
        for place, field in enumerate(FIELDS):
            added = fields.others[place](VALUES[field.column])[item]
            expected = expected + 2 * 0.1 * (place + 2) * added
        torch.testing.assert_close(found[item], expected)


def test_data_without_text_fields_has_a_sum_too():
    fields = FieldSum(0, 3, FIELDS, 2, dropout=0.0)
    projected = fields.project(torch.empty(0, 3), torch.empty(0).bool())
    assert fields(projected, items_of(texts=0)).shape == (4, 3)
    torch.testing.assert_close(fields.field_weights, torch.full((3,), 1 / 3))


@pytest.fixture
def rich(facts):
    """Facts of data whose items have three more fields, and whose users have a profile text and an age."""
    age = NumberFacts("age", (10.0, 50.0))
    return replace(facts, item_fields=FIELDS, profile_texts=("job",), user_fields=(age,))


def with_fields(batch):
    rows = len(batch.items.vocab_row)
    values = {name: v[torch.arange(rows) % 4] for name, v in VALUES.items()}
    ages = torch.tensor([20.0, NAN, 40.0])
    people = Items(
        torch.tensor([[0], [1], [1]]), torch.arange(3), torch.ones(3).long(), {"age": ages}
    )
    jobs = Texts(torch.tensor([5, 6, 7]).int(), torch.tensor([0, 1, 3]))
    profiles = Profiles(torch.arange(len(batch)) % 3, jobs, people)
    return replace(
        batch,
        items=replace(batch.items, fields=values),
        users=Users(batch.users.vocab_row, profiles),
    )


def test_a_profile_is_added_to_the_users_vector(make_network, rich, batch):
    network, full = make_network(facts=rich).eval(), with_fields(batch)
    given = full.users.profiles
    vectors = network.encode_items(full.texts, full.items)
    profiles = network.encode_profiles(given.texts, given.users)
    alone = network.encode_users(vectors, batch)
    together = network.encode_users(vectors, full, profiles)
    added = profiles[given.index]
    torch.testing.assert_close(
        together, alone + (added if alone.dim() == 2 else added.unsqueeze(1))
    )
    torch.testing.assert_close(network(full), network.score(together, vectors, full))


def test_every_part_of_fields_and_profiles_learns(make_network, rich, batch):
    network, full = make_network(facts=rich).train(), with_fields(batch)
    network(full).square().sum().backward()
    parts = [*network.item_encoder.fields.named_parameters(), *network.profile.named_parameters()]
    assert len(parts) > 10
    without_gradient = {name for name, part in parts if part.grad is None or not part.grad.any()}
    assert not without_gradient


def test_fields_travel_with_the_batch(batch):
    full = with_fields(batch).to(torch.float64)
    assert full.items.fields["price"].dtype == torch.float64
    assert full.users.profiles.users.fields["age"].dtype == torch.float64
    assert full.users.profiles.texts.tokens.dtype == torch.float64


def test_data_without_profiles_has_no_part_for_them(make_network, batch):
    network = make_network()
    assert network.profile is None
    with pytest.raises(ValueError, match="no profiles"):
        network.encode_profiles(batch.texts, batch.items)


def test_a_network_of_texts_alone_refuses_profiles(rich):
    with pytest.raises(ConfigError, match="TextClassifier would not read them"):
        TextClassifier(rich, lambda facts: ItemEncoder(facts, None))


def test_projections_begin_as_principal_components():
    """As scikit-learn's: the same directions, each divided by the root of its spread, and vectors as long as before."""
    chance = np.random.default_rng(0)
    vectors = (
        chance.normal(size=(40, 6)) @ np.diag([5, 3, 2, 1, 0.5, 0.1]) @ chance.normal(size=(6, 6))
    )
    vectors = vectors.astype(np.float32) + 7
    fields = FieldSum(2, 6, (), 4, dropout=0.0, principal=True)
    index = torch.arange(40).unsqueeze(1).expand(-1, 2).clone()
    index[20:, 1] = 0  # the second field has half of the texts
    has_token = torch.ones(40, dtype=torch.bool)
    items = Items(index, torch.arange(40), torch.arange(1, 41))
    fields.calibrate(torch.from_numpy(vectors), has_token, items)
    projected = fields.project(torch.from_numpy(vectors), has_token).detach().numpy()
    for field in (0, 1):
        of_field = vectors[index[:, field]]
        known = PCA(4).fit(of_field)
        wanted = known.transform(vectors) / known.explained_variance_**0.25
        found = projected[:, field, :-1]
        signs = np.sign((found * wanted).sum(0))
        factor = np.abs(found).sum() / np.abs(wanted).sum()
        np.testing.assert_allclose(found * signs, wanted * factor, atol=2e-3 * np.abs(found).max())
        centred = (of_field - of_field.mean(0)) / float(fields.spread[field])
        own = found[index[:, field]]
        assert (own**2).sum() == pytest.approx((centred**2).sum(), rel=1e-3)
    assert not projected[..., -1].any(), "a bias is no direction of a text"


def test_fewer_texts_than_components():
    fields = FieldSum(1, 6, (), 5, dropout=0.0, principal=True)
    vectors = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    items = Items(torch.arange(3).unsqueeze(1), torch.arange(3), torch.arange(1, 4))
    fields.calibrate(vectors, torch.ones(3, dtype=torch.bool), items)
    assert fields.weight[:2].any(1).all()
    assert not fields.weight[2:].any(), "three texts differ in two directions"
