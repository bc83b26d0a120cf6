"""PullToStart and Mixout: steps computed by hand, means over draws, and a start that a checkpoint brings back."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.models.text.adapters.biases_and_norms import BitFitTuning
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.tuning import FrozenTuning, FullTuning
from lit_rec.training.guards.mixout import Mixout, mixed
from lit_rec.training.guards.pull_to_start import PullToStart
from lit_rec.training.tuned.run_sizes import run_sizes
from tests.unit.models.text.adapters.families import chunk, encoder

from .small_runs import run, weights

pytestmark = pytest.mark.filterwarnings("default")


def parts(rate=0.1, tuning=None, family="bert"):
    """A network with an encoder and a head, and a Trainer with an optimizer of both."""
    network = nn.Module()
    network.backbone = Backbone(encoder(family), tuning or FullTuning())
    network.head = nn.Linear(2, 1)
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=rate)
    return network, SimpleNamespace(optimizers=[optimizer], strategy=None)


def test_each_step_goes_back_by_rate_times_strength():
    network, trainer = parts(rate=0.1)
    pull = PullToStart(strength=2.0)
    pull.check(trainer, network)
    start = {name: p.detach().clone() for name, p in network.named_parameters()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    for expected in (0.8, 0.64):  # a fifth of the way back each time
        pull.on_before_optimizer_step(trainer, None, trainer.optimizers[0])
        for name, parameter in network.named_parameters():
            trained = name.startswith("backbone") and parameter.requires_grad
            beyond = torch.full_like(parameter, expected if trained else 1.0)
            torch.testing.assert_close(parameter.detach() - start[name], beyond, atol=1e-6, rtol=0)


def test_a_run_ends_nearer_to_its_start(folder, cache):
    begun = weights(run(folder, cache, steps=1, encoder_rate=1e-12)[0])
    name = "item_encoder.backbone.model.encoder.layer.1.output.dense.weight"
    far, near = (
        float((weights(run(folder, cache, *guards, steps=8)[0])[name] - begun[name]).norm())
        for guards in ((), (PullToStart(500.0),))
    )
    assert near < 0.8 * far


@pytest.mark.parametrize("guard", [PullToStart(), Mixout()], ids=type)
def test_copies_are_counted_in_the_size_of_a_checkpoint(guard, folder, cache):
    module, trainer = run(folder, cache, guard, steps=1)
    sizes = [run_sizes(module, trainer.datamodule, of).checkpoint for of in ([guard], [])]
    held = guard.state_dict()["start"].values()
    assert sizes[0] - sizes[1] == sum(4 * weight.numel() for weight in held) > 0


def test_a_pull_beyond_the_start_is_refused():
    network, trainer = parts(rate=0.1)
    pull = PullToStart(strength=11.0)
    pull.check(trainer, network)
    with pytest.raises(ConfigError, match=r"goes back 1\.1 times the way") as found:
        pull.on_train_start(trainer, None)
    assert found.value.remedy.startswith("set PullToStart.strength to 0.1:")
    pull.strength = 0.1
    pull.on_train_start(trainer, None)


def test_the_mean_over_draws_is_the_weight():
    torch.manual_seed(0)
    weight, start = torch.randn(5), torch.randn(5)
    draws = [mixed(weight, start, 0.3, torch.rand(5) < 0.3) for _ in range(20_000)]
    torch.testing.assert_close(torch.stack(draws).mean(0), weight, atol=0.03, rtol=0)


@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_a_pass_reads_weights_of_the_start_and_gradients_skip_them(family):
    """All is replaced but one matrix of the present weights: what the pass reads can be computed by hand."""
    network, trainer = parts(family=family)
    mixout = Mixout(0.5)
    mixout.check(trainer, network)
    names = [
        n
        for n, p in network.backbone.named_parameters()
        if p.dim() == 2 and ("layer." in n or "h." in n)
    ]
    assert len(mixout._parts) == len(names)
    start = {n: p.detach().clone() for n, p in network.backbone.named_parameters()}
    with torch.no_grad():
        for _, weight, _ in mixout._parts:
            weight.add_(torch.randn_like(weight))
    network.backbone.eval()  # without dropout
    torch.manual_seed(5)
    mixout.before_pass()
    network.backbone(chunk()).square().sum().backward()
    found = {
        n: p.grad.clone() for n, p in network.backbone.named_parameters() if p.grad is not None
    }
    by_hand = Backbone(encoder(family), FullTuning())
    by_hand.load_state_dict(network.backbone.state_dict())
    by_hand.eval()
    torch.manual_seed(5)
    keeps = {}
    own = dict(by_hand.named_parameters())
    with torch.no_grad():
        for name in [n for n, p in network.backbone.named_parameters() if n in names]:
            replaced = torch.rand(own[name].shape) < 0.5
            there = torch.where(replaced, start[name], own[name])
            own[name].copy_(2 * (there - 0.5 * start[name]))
            keeps[name] = ~replaced * 2.0
    by_hand(chunk()).square().sum().backward()
    for name, gradient in found.items():
        expected = own[name].grad * keeps.get(name, 1.0)
        torch.testing.assert_close(gradient, expected, atol=1e-4, rtol=1e-4)
    mixout.after_backward()
    assert all(module.weight is weight for module, weight, _ in mixout._parts)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_mixout_keeps_something(share):
    with pytest.raises(ConfigError, match=r"Mixout\.share"):
        Mixout(share)


@pytest.mark.parametrize("guard", [PullToStart(), Mixout()], ids=["pull", "mixout"])
def test_an_encoder_that_is_frozen_is_refused(guard):
    network, trainer = parts(tuning=FrozenTuning())
    with pytest.raises(ConfigError, match="beside an encoder that is frozen") as found:
        guard.check(trainer, network)
    assert "set PretrainedBackbone.tuning to FullTuning" in found.value.remedy


def test_a_tuning_without_matrices_has_nothing_to_mix():
    network, trainer = parts(tuning=BitFitTuning())
    with pytest.raises(ConfigError, match="trains no linear map"):
        Mixout().check(trainer, network)


@pytest.mark.parametrize("kind", [PullToStart, Mixout])
def test_the_start_of_another_run_is_refused(kind):
    network, trainer = parts()
    begun = kind()
    begun.check(trainer, network)
    stored = begun.state_dict()
    resumed = kind()
    resumed.load_state_dict(stored)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    resumed.check(trainer, network)
    kept = resumed.state_dict()["start"]
    assert all((kept[name] == value).all() for name, value in stored["start"].items())
    for wrong in (
        {"start": {}},
        {"start": "a"},
        {"start": {**stored["start"], "more": torch.ones(1)}},
    ):
        other = kind()
        other.load_state_dict(wrong)
        with pytest.raises(CheckpointError, match=f"the state of {kind.__name__}"):
            other.check(trainer, network)


def test_validation_reads_the_present_weights(folder, cache):
    module, _ = run(folder, cache, Mixout(0.5), steps=2)
    assert not any("weight" in part.__dict__ for part in module.built().modules())
    assert not module.guards._guards
