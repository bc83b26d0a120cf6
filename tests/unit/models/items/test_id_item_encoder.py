from dataclasses import replace
from functools import partial

import pytest
import torch

from lit_rec.errors import ConfigError
from lit_rec.models.heads.vector_heads import CosineHead
from lit_rec.models.items.id_item_encoder import IdItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.causal_transformer import CausalTransformerUserEncoder
from lit_rec.models.users.user_encoder import MeanUserEncoder


@pytest.fixture
def next_facts(facts):
    frequency = tuple(torch.arange(1.0, 7).div(21).log().tolist())
    return replace(facts, task="next_item", item_log_frequency=frequency)


def test_a_vector_per_known_id(next_facts, batch):
    encoder = IdItemEncoder(next_facts, 4)
    vectors = encoder(batch.texts, batch.items)
    assert vectors.shape == (6, 5)
    assert torch.equal(vectors[:5, :4], encoder.ids.embedding.weight[1:6])
    assert not vectors[5].any()  # unseen in training


def test_two_towers_of_ids_read_no_text(next_facts, batch):
    torch.manual_seed(0)
    network = TwoTower(
        next_facts, partial(IdItemEncoder, width=8), CausalTransformerUserEncoder, CosineHead
    ).eval()
    assert network.backbone is None
    assert network.gives_positions
    assert network.gives == "vectors"
    items = network.encode_items(batch.texts, batch.items)
    users = network.encode_users(items, batch)
    assert network.score(users, items, batch).shape == (5, 3)
    assert network.encode_positions(items, batch).shape == (5, 5, 9)


def test_encoders_without_positions_say_so(next_facts, batch):
    network = TwoTower(next_facts, partial(IdItemEncoder, width=8), MeanUserEncoder, CosineHead)
    assert not network.gives_positions
    items = network.encode_items(batch.texts, batch.items)
    with pytest.raises(ValueError, match="MeanUserEncoder gives one vector per row"):
        network.encode_positions(items, batch)


def test_a_user_for_each_candidate_cannot_be_compared_with_a_catalogue(next_facts):
    with pytest.raises(ConfigError, match="CosineHead beside CandidateAttentionUserEncoder"):
        TwoTower(
            next_facts, partial(IdItemEncoder, width=8), CandidateAttentionUserEncoder, CosineHead
        )


@pytest.mark.parametrize("name", ["item_fields", "profile_texts", "user_fields"])
def test_what_would_not_be_read_is_refused(next_facts, name):
    with pytest.raises(ConfigError, match="IdItemEncoder would not read them"):
        IdItemEncoder(replace(next_facts, **{name: ("age",)}), 4)


@pytest.mark.parametrize("options", [{"width": 0}, {"dropout": 2.0}])
def test_wrong_options(next_facts, options):
    with pytest.raises(ConfigError, match="cannot be used"):
        IdItemEncoder(next_facts, **options)
