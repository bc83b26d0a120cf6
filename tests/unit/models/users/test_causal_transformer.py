from dataclasses import replace

import pytest
import torch
from torch import nn

from lit_rec.errors import ConfigError
from lit_rec.models.heads.vector_heads import CosineHead, InnerProductHead
from lit_rec.models.users.causal_transformer import CausalTransformerUserEncoder


@pytest.fixture(params=[None, 0.5], ids=["layers", "recent mean"])
def encoder(facts, request):
    torch.manual_seed(0)
    made = CausalTransformerUserEncoder(facts, 8, dropout=0.3, max_length=9, recency=request.param)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made.eval()


@pytest.fixture
def vectors():
    return torch.randn(6, 9, generator=torch.Generator().manual_seed(1))


def with_slots(batch, **changed):
    return replace(batch, history=replace(batch.history, **changed))


def test_a_later_behavior_changes_no_earlier_position(encoder, vectors, make_batch):
    batch = make_batch(rows=4, longest=7)
    before = encoder.positions(vectors, batch)
    for slot in range(1, 7):
        item, rating = batch.history.item_index.clone(), batch.history.rating.clone()
        event = batch.history.event.clone()
        item[:, slot:] = (item[:, slot:] + 1) % 6
        event[:, slot:], rating[:, slot:] = 2, 1.5
        after = encoder.positions(
            vectors, with_slots(batch, item_index=item, rating=rating, event=event)
        )
        assert torch.equal(after[:, : slot + 1], before[:, : slot + 1])
        assert not torch.allclose(after[:, slot + 1], before[:, slot + 1])


def test_a_position_is_the_user_whose_history_ends_there(encoder, vectors, make_batch):
    """What training asks at a position is what evaluation asks of the row that follows."""
    batch = make_batch(rows=5, longest=6)
    positions = encoder.positions(vectors, batch)
    assert positions.shape == (5, 7, 9)
    for place in range(7):
        reaches = batch.history.mask.sum(1) >= place
        ended = {
            name: getattr(batch.history, name)[:, :place]
            for name in ("item_index", "mask", "rating", "event", "age_days", "label")
        }
        users = encoder(vectors, with_slots(batch, **ended))
        torch.testing.assert_close(users[reaches], positions[reaches, place])


def test_order_and_everything_earlier_count(encoder, vectors, make_batch):
    batch = make_batch(rows=1, longest=4)
    mask = torch.ones(1, 4, dtype=torch.bool)
    batch = with_slots(batch, mask=mask, item_index=torch.tensor([[0, 1, 2, 3]]))
    batch = with_slots(
        batch, rating=torch.full((1, 4), torch.nan), event=torch.ones_like(mask).long()
    )
    last = encoder(vectors, batch)
    turned = encoder(vectors, with_slots(batch, item_index=torch.tensor([[1, 0, 2, 3]])))
    assert not torch.allclose(last, turned)


def test_padding_changes_nothing_and_nobody_has_a_learned_vector(
    encoder, vectors, batch, padded, only_row
):
    users = encoder(vectors, batch)
    torch.testing.assert_close(encoder(vectors, padded(batch, 3)), users)
    torch.testing.assert_close(users[0, :-1], encoder.empty)
    for row in range(len(batch)):
        alone = only_row(batch, row)
        torch.testing.assert_close(
            encoder(vectors[alone.items.catalogue_row], alone)[0], users[row]
        )


def test_ratings_and_events_are_inputs_where_the_data_has_them(encoder, vectors, batch, facts):
    users = encoder(vectors, batch)
    higher = with_slots(batch, rating=batch.history.rating + 1)
    assert not torch.allclose(encoder(vectors, higher), users)
    plain = replace(facts, events=(), rating_low=0.0, rating_high=0.0, rating_mean=0.0)
    silent = CausalTransformerUserEncoder(plain, 8)
    assert not silent.rating.requires_grad
    assert not silent.event.weight.requires_grad


def test_every_trained_parameter_has_a_gradient(encoder, vectors, batch):
    encoder.train()
    encoder.positions(vectors, batch).square().sum().backward()
    unused = [n for n, p in encoder.named_parameters() if p.grad is None and p.requires_grad]
    assert unused == []


def test_attention_is_that_of_torchs_own_layer(facts):
    """The layer against ``nn.TransformerEncoderLayer`` with the same weights."""
    torch.manual_seed(0)
    made = CausalTransformerUserEncoder(facts, 8, layers=1, heads=4, dropout=0.0).eval()
    layer = made.layers[0]
    own = nn.TransformerEncoderLayer(
        8, 4, 32, 0.0, "gelu", norm_first=True, batch_first=True
    ).eval()
    with torch.no_grad():
        own.self_attn.in_proj_weight.copy_(layer.into.weight)
        own.self_attn.in_proj_bias.copy_(layer.into.bias)
        own.self_attn.out_proj.load_state_dict(layer.out.state_dict())
        own.norm1.load_state_dict(layer.before_attention.state_dict())
        own.norm2.load_state_dict(layer.before_hidden.state_dict())
        own.linear1.load_state_dict(layer.hidden[0].state_dict())
        own.linear2.load_state_dict(layer.hidden[3].state_dict())
    vectors = torch.randn(3, 5, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    torch.testing.assert_close(layer(vectors), own(vectors, src_mask=mask, is_causal=True))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"heads": 3}, "3 heads do not divide a width of 8"),
        ({"layers": 0}, "0 cannot be used"),
        ({"dropout": 30}, "30 cannot be used"),
        ({"max_length": 0}, "0 cannot be used"),
    ],
)
def test_wrong_options(facts, options, says):
    with pytest.raises(ConfigError, match=says):
        CausalTransformerUserEncoder(facts, 8, **options)


def test_a_longer_history_than_positions(facts, vectors, batch):
    made = CausalTransformerUserEncoder(facts, 8, max_length=3)
    with pytest.raises(ConfigError, match=r"history of 4 behaviors .* 3 positions"):
        made(vectors, batch)


def test_cosines_and_inner_products_by_loops(facts, vectors, batch):
    users = torch.randn(5, 9, generator=torch.Generator().manual_seed(2))
    cosine, product = (
        head(facts, 8)(users, vectors, batch) for head in (CosineHead, InnerProductHead)
    )
    for row in range(5):
        for place, item in enumerate(batch.candidates.item_index[row]):
            u, i = users[row, :-1], vectors[item]
            dot = float(u @ i[:-1])
            assert float(product[row, place]) == pytest.approx(dot + float(i[-1]), abs=1e-5)
            norms = float(u.norm() * i[:-1].norm())
            assert float(cosine[row, place]) == pytest.approx(dot / norms, abs=1e-5)


@pytest.mark.parametrize("recency", [0.0, 0.6, 1.0])
def test_a_user_begins_as_the_mean_of_what_it_took_of_late(facts, vectors, make_batch, recency):
    encoder = CausalTransformerUserEncoder(facts, 8, max_length=9, recency=recency).eval()
    batch = make_batch(rows=6, longest=7)
    users = encoder(vectors, batch)
    direction = torch.nn.functional.normalize(vectors[:, :-1], dim=1)
    for row in range(1, 6):
        had = batch.history.item_index[row][batch.history.mask[row]].tolist()
        wanted = sum(recency**ago * direction[item] for ago, item in enumerate(reversed(had)))
        wanted = torch.nn.functional.normalize(wanted, dim=0)
        torch.testing.assert_close(users[row, :-1], wanted, atol=1e-4, rtol=0)
    assert not users[0].any()


def test_recency_is_a_share(facts):
    with pytest.raises(ConfigError, match=r"recency: 1.5 cannot be used[\s\S]*a share from 0 to 1"):
        CausalTransformerUserEncoder(facts, 8, recency=1.5)
