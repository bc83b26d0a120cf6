"""Networks built from what a checkpoint says of them."""

import pytest
import torch
from torch import nn

from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.models.text import build_limit
from lit_rec.training.checkpoint.network import StoredShapes

WEIGHTS = {"network.weight": torch.zeros(2, 3), "network.bias": torch.zeros(2)}


@pytest.fixture
def stored():
    return StoredShapes.of({"state_dict": WEIGHTS | {"objective.x": torch.zeros(1)}}, "a.ckpt")


def test_the_network_of_the_weights_is_built_as_without_them(stored):
    torch.manual_seed(0)
    expected, state = nn.Linear(3, 2), torch.get_rng_state()
    torch.manual_seed(0)
    found = stored.build(lambda: nn.Linear(3, 2))
    assert torch.equal(found.weight, expected.weight)
    assert torch.equal(torch.get_rng_state(), state)


def test_another_size_is_named_before_memory_is_taken(stored):
    with pytest.raises(CheckpointError, match=r"network.weight has shape \(2, 3\), in the network"):
        stored.build(lambda: nn.Linear(10**9, 10**6))


def test_layers_without_end_are_stopped(stored, monkeypatch):
    """At 100,000 parameters, which take ten seconds to make; here at fewer."""
    assert build_limit._MOST_PARAMETERS == 100_000
    monkeypatch.setattr(build_limit, "_MOST_PARAMETERS", 2_000)

    def build():
        layers = nn.ModuleList()
        while True:
            layers.append(nn.LayerNorm(1))

    with pytest.raises(CheckpointError, match=r"a.ckpt: its network cannot be built .*2,000"):
        stored.build(build)


def test_a_part_that_needs_numbers_is_built_under_the_limit(stored):
    def needs_numbers(width):
        assert torch.ones(1).item() == 1
        return nn.Linear(width, 2)

    assert stored.build(lambda: needs_numbers(3)).weight.shape == (2, 3)
    with pytest.raises(CheckpointError, match="more than all weights together"):
        stored.build(lambda: needs_numbers(2_000_000))


def test_errors_of_parts_are_sentences(stored):
    def wrong():
        raise KeyError("relu9")

    with pytest.raises(CheckpointError, match="KeyError: 'relu9'"):
        stored.build(wrong)

    def told():
        raise ConfigError("x")

    with pytest.raises(ConfigError):
        stored.build(told)
