"""One answer, whatever shares a batch, however often an item occurs and however the texts are cut into chunks."""

import pytest
import torch

from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.same_time import OccasionNeighborhoodHead
from lit_rec.models.heads.value_heads import DotHead, RegressionHead
from lit_rec.models.objectives.score import SquaredError
from lit_rec.models.text.pooling import AttentionPooling, ClsPooling, LastTokenPooling, MeanPooling
from lit_rec.models.text.tuning import FrozenTuning, TopLayersTuning
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder

USER_ENCODERS = (MeanUserEncoder, AdditiveAttentionUserEncoder, CandidateAttentionUserEncoder)
HEADS = (DotHead, RegressionHead, NeighborhoodHead, OccasionNeighborhoodHead)
POOLINGS = (MeanPooling, ClsPooling, LastTokenPooling, AttentionPooling)


def learn(network, batch):
    """Loss and gradients; dropout is off, for the network is in evaluation mode."""
    network.zero_grad(set_to_none=True)
    total, count = SquaredError()(network(batch), batch.target)
    loss = total / count
    loss.backward()
    gradients = {n: p.grad.clone() for n, p in network.named_parameters() if p.grad is not None}
    return loss.detach(), gradients


def assert_equal_learning(one, two):
    torch.testing.assert_close(one[0], two[0], rtol=1e-5, atol=1e-6)
    assert one[1].keys() == two[1].keys()
    for name, gradient in one[1].items():
        torch.testing.assert_close(gradient, two[1][name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("user_encoder", USER_ENCODERS)
@pytest.mark.parametrize("head", HEADS)
def test_row_alone_scores_as_in_a_batch(make_network, batch, only_row, user_encoder, head):
    network = make_network(user_encoder, head)
    together = network(batch)
    for row in range(len(batch)):
        alone = network(only_row(batch, row))
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_row_alone_scores_as_in_a_batch_for_every_pooling(make_network, batch, only_row, pooling):
    network = make_network(pooling=pooling)
    together = network(batch)
    alone = torch.cat([network(only_row(batch, row)) for row in range(len(batch))])
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-5)


@pytest.mark.parametrize("user_encoder", USER_ENCODERS)
@pytest.mark.parametrize("head", HEADS)
def test_distinct_items_learn_as_every_occurrence_apart(
    make_network, batch, every_occurrence, user_encoder, head
):
    network = make_network(user_encoder, head)
    apart = every_occurrence(batch)
    assert len(apart.items.vocab_row) > len(batch.items.vocab_row)
    assert_equal_learning(learn(network, batch), learn(network, apart))


@pytest.mark.parametrize("tuning", [None, TopLayersTuning(1), FrozenTuning()])
@pytest.mark.parametrize("budget", [1, 24])
def test_recomputed_chunks_learn_as_one_pass(make_network, batch, tuning, budget):
    whole = make_network(tuning=tuning)
    cut = make_network(tuning=tuning, max_tokens_per_chunk=budget, recompute=True)
    cut.load_state_dict(whole.state_dict())
    assert len(list(batch.texts.chunks(budget, cut.item_encoder.special))) > 2
    assert_equal_learning(learn(whole, batch), learn(cut, batch))


def test_recomputed_chunks_repeat_their_dropout(make_network, batch):
    """With dropout on, the second pass draws what the first drew, or gradients would be of another loss."""
    kept = make_network(max_tokens_per_chunk=24).train()
    again = make_network(max_tokens_per_chunk=24, recompute=True).train()
    torch.manual_seed(3)
    one = learn(kept, batch)
    torch.manual_seed(3)
    two = learn(again, batch)
    assert_equal_learning(one, two)


@pytest.mark.parametrize("user_encoder", USER_ENCODERS)
@pytest.mark.parametrize("head", HEADS)
def test_history_padding_changes_no_score(make_network, batch, padded, user_encoder, head):
    network = make_network(user_encoder, head)
    torch.testing.assert_close(network(padded(batch, 3)), network(batch), rtol=0, atol=1e-6)


@pytest.mark.parametrize("user_encoder", USER_ENCODERS)
@pytest.mark.parametrize("head", HEADS)
def test_what_stands_in_padding_is_never_read(make_network, batch, user_encoder, head):
    network = make_network(user_encoder, head)
    before = network(batch)
    outside = ~batch.history.mask
    batch.history.item_index[outside] = 3
    batch.history.rating[outside] = 5.0
    batch.history.event[outside] = 1
    torch.testing.assert_close(network(batch), before, rtol=0, atol=1e-6)


@pytest.mark.parametrize("user_encoder", USER_ENCODERS)
@pytest.mark.parametrize("head", HEADS)
def test_permuted_candidates_permute_scores(make_network, batch, user_encoder, head):
    network = make_network(user_encoder, head)
    before = network(batch)
    order = torch.tensor([2, 0, 1])
    batch.candidates.item_index.copy_(batch.candidates.item_index[:, order])
    torch.testing.assert_close(network(batch), before[:, order])


@pytest.mark.parametrize("user_encoder", USER_ENCODERS)
@pytest.mark.parametrize("head", HEADS)
def test_every_trained_parameter_has_a_gradient(make_network, batch, user_encoder, head):
    """A parameter without one stops training on several devices."""
    network = make_network(user_encoder, head)
    _, gradients = learn(network, batch)
    trained = {name for name, p in network.named_parameters() if p.requires_grad}
    assert trained == gradients.keys()
    for name, gradient in gradients.items():
        assert torch.isfinite(gradient).all(), name


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("user_encoder", USER_ENCODERS)
def test_batch_without_any_history_slot(make_network, batch, only_row, user_encoder, head):
    network = make_network(user_encoder, head)
    nobody = only_row(batch, 0)
    assert nobody.history.mask.shape == (1, 0)
    scores = network(nobody)
    assert torch.isfinite(scores).all()
    scores.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
