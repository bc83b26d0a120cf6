"""Each trained parameter has a gradient in each step.

Processes wait for one another's, and would wait for ever for one that never comes.
"""

import pytest

from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.same_time import OccasionNeighborhoodHead, SessionHead
from lit_rec.models.heads.value_heads import DotHead, RegressionHead
from lit_rec.models.text.pooling import AttentionPooling, ClsPooling, LastTokenPooling, MeanPooling
from lit_rec.models.text.tuning import FrozenTuning, FullTuning, TopLayersTuning
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.ridge import RidgeUserEncoder
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder

USER_ENCODERS = (
    MeanUserEncoder,
    AdditiveAttentionUserEncoder,
    CandidateAttentionUserEncoder,
    RidgeUserEncoder,
)


def silent(network, batch):
    network(batch).sum().backward()
    parameters = network.named_parameters()
    return [name for name, p in parameters if p.requires_grad and p.grad is None]


@pytest.mark.parametrize("user_encoder", USER_ENCODERS)
@pytest.mark.parametrize(
    "head", [DotHead, RegressionHead, NeighborhoodHead, OccasionNeighborhoodHead, SessionHead]
)
def test_user_encoders_and_heads(make_network, batch, user_encoder, head):
    assert silent(make_network(user_encoder, head), batch) == []


@pytest.mark.parametrize("pooling", [MeanPooling, ClsPooling, LastTokenPooling, AttentionPooling])
def test_poolings(make_network, batch, pooling):
    assert silent(make_network(pooling=pooling), batch) == []


@pytest.mark.parametrize("tuning", [FullTuning(), TopLayersTuning(1), FrozenTuning()])
def test_tunings(make_network, batch, tuning):
    assert silent(make_network(tuning=tuning), batch) == []
