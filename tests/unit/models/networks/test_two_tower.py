from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from jsonargparse import ArgumentParser

from lit_rec.data.facts import Facts
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.networks.network import Network
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.pooling import AttentionPooling
from lit_rec.models.text.tuning import TopLayersTuning
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder

NESTED = """
network:
  class_path: lit_rec.models.networks.two_tower.TwoTower
  init_args:
    item_encoder:
      class_path: lit_rec.models.items.item_encoder.ItemEncoder
      init_args:
        backbone:
          class_path: lit_rec.models.text.backbone.ConfiguredBackbone
          init_args:
            model_type: bert
            options: {vocab_size: 40, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2,
              intermediate_size: 16, max_position_embeddings: 32}
            tuning:
              class_path: lit_rec.models.text.tuning.TopLayersTuning
              init_args: {layers: 1}
        pooling:
          class_path: lit_rec.models.text.pooling.AttentionPooling
          init_args: {hidden: 5}
        width: 8
        ids:
          class_path: lit_rec.models.ids.IdEmbedding
          init_args: {dropout: 0.25}
    user_encoder:
      class_path: lit_rec.models.users.user_encoder.AdditiveAttentionUserEncoder
      init_args: {hidden: 6, shrinkage: 2.0}
    head:
      class_path: lit_rec.models.heads.neighborhood.NeighborhoodHead
      init_args: {hidden: 7}
"""


def factory_of(text):
    """Read a YAML text as the command line does."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--network", type=Callable[[Facts], Network])
    # the later name; the former still stands, but warns
    instantiate = getattr(parser, "instantiate", None) or parser.instantiate_classes
    return instantiate(parser.parse_string(text)).network


def test_network_is_built_from_nested_yaml(facts, batch):
    network = factory_of(NESTED)(facts)
    assert isinstance(network, TwoTower)
    items, users, head = network.item_encoder, network.user_encoder, network.head
    assert isinstance(items.pooling, AttentionPooling)
    assert items.pooling.hidden.weight.shape == (5, 16)
    assert isinstance(items.ids, IdEmbedding)
    assert (items.ids.size, items.ids.width, items.ids.dropout) == (6, 8, 0.25)
    assert isinstance(users, AdditiveAttentionUserEncoder)
    assert users.hidden.out_features == 6
    assert users.log_shrinkage.exp().item() == pytest.approx(2.0)
    assert isinstance(head, NeighborhoodHead)
    assert head.last.in_features == 7
    frozen = {n for n, p in network.backbone.model.named_parameters() if not p.requires_grad}
    assert "encoder.layer.0.output.dense.weight" in frozen
    assert "encoder.layer.1.output.dense.weight" not in frozen
    assert network(batch).shape == (5, 3)


def test_short_yaml_leaves_the_defaults(facts, batch):
    text = NESTED.partition("        pooling:")[0] + (
        "    user_encoder: lit_rec.models.users.user_encoder.MeanUserEncoder\n"
        "    head: lit_rec.models.heads.value_heads.DotHead\n"
    )
    network = factory_of(text)(facts)
    assert type(network.user_encoder) is MeanUserEncoder
    assert type(network.head) is DotHead
    assert network.item_encoder.width == 64
    assert network(batch).shape == (5, 3)


def test_each_build_has_parameters_of_its_own(facts):
    factory = factory_of(NESTED)
    one, two = factory(facts), factory(replace(facts, item_ids=("only",)))
    assert one.item_encoder.ids.embedding.num_embeddings == 7
    assert two.item_encoder.ids.embedding.num_embeddings == 2
    assert not {id(p) for p in one.parameters()} & {id(p) for p in two.parameters()}


def test_stages_make_up_the_whole(make_network, batch):
    network = make_network()
    items = network.encode_items(batch.texts, batch.items)
    users = network.encode_users(items, batch)
    assert items.shape == (6, 9)
    assert users.shape == (5, 9)
    assert torch.equal(network.score(users, items, batch), network(batch))


def test_scores_are_inner_products_of_the_vectors(make_network, facts, batch):
    """What retrieval needs: [scale u, 1] . [i, b_i] orders as the dot head does."""
    network = make_network(head=DotHead)
    items = network.encode_items(batch.texts, batch.items)
    users = network.encode_users(items, batch)
    query = torch.cat([users[:, :-1] * network.head.scale, torch.ones(5, 1)], 1)
    every = query @ items.T + users[:, -1:] + facts.rating_mean
    torch.testing.assert_close(every.gather(1, batch.candidates.item_index), network(batch))


def test_all_but_the_encoder_is_single_precision_under_autocast(make_network, batch):
    network = make_network(head=NeighborhoodHead)
    items = network.encode_items(batch.texts, batch.items)
    users = network.encode_users(items, batch)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(network.encode_users(items, batch), users)
        scores = network.score(users, items, batch)
    assert torch.equal(scores, network.score(users, items, batch))


def test_only_one_encoder_stands_in_the_state(make_network):
    network = make_network(tuning=TopLayersTuning(1))
    assert network.backbone is network.item_encoder.backbone
    assert {name.split(".")[0] for name in network.state_dict()} == {
        "item_encoder",
        "user_encoder",
        "head",
    }
