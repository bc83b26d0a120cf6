"""A module works as in evaluation for a while, and is what it was afterwards, also where something goes wrong."""

import pytest
import torch
from torch import nn

from lit_rec.models.evaluation_mode import evaluation_mode


@pytest.mark.parametrize("training", [True, False])
def test_mode_is_put_back(training):
    network = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).train(training)

    def fail():
        with evaluation_mode(network):
            assert not any(part.training for part in network.modules())
            assert not network(torch.ones(1, 2)).requires_grad
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert all(part.training == training for part in network.modules())
    assert torch.is_grad_enabled()
