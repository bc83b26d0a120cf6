"""The optimizer: each weight in one group, and the same steps by the fused kernel."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from lit_rec.errors import ConfigError
from lit_rec.models.text.adapters.prompt_tuning import PromptTuning
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.tuning import FullTuning
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.optimizer import fused_on_cpu, parameter_groups
from tests.unit.models.text.adapters.families import encoder


def groups_of(network, backbone):
    found = parameter_groups(
        network, backbone, encoder_rate=1.0, head_rate=2.0, encoder_decay=0.1, head_decay=0.2
    )
    return {group["name"]: group for group in found}


def test_each_trained_parameter_is_in_the_group_it_belongs_to():
    backbone = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3))
    network = nn.ModuleList([backbone, nn.Linear(3, 2), nn.Linear(2, 1)])
    network[2].requires_grad_(False)
    groups = groups_of(network, backbone)
    expected = {
        "encoder": ([backbone[0].weight], 1.0, 0.1),
        "encoder_no_decay": ([backbone[0].bias, backbone[1].weight, backbone[1].bias], 1.0, 0.0),
        "head": ([network[1].weight], 2.0, 0.2),
        "head_no_decay": ([network[1].bias], 2.0, 0.0),
    }
    assert set(groups) == set(expected)
    for name, (parameters, rate, decay) in expected.items():
        assert {id(p) for p in groups[name]["params"]} == {id(p) for p in parameters}
        assert (groups[name]["lr"], groups[name]["weight_decay"]) == (rate, decay)


def test_a_frozen_encoder_has_no_group():
    backbone = nn.Linear(3, 3).requires_grad_(False)
    assert set(groups_of(nn.ModuleList([backbone, nn.Linear(3, 2)]), backbone)) == {
        "head",
        "head_no_decay",
    }


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.SGD])
def test_the_steps_are_those_of_the_plain_kernel(kind: type[torch.optim.Optimizer]) -> None:
    plain = nn.Sequential(nn.Linear(7, 5), nn.Tanh(), nn.Linear(5, 1))
    quick = deepcopy(plain)
    rows = torch.randn(20, 7)
    for network, prepare in ((plain, lambda optimizer: optimizer), (quick, fused_on_cpu)):
        optimizer = prepare(kind(network.parameters(), lr=0.1, weight_decay=0.1))  # type: ignore[call-arg]
        for _ in range(5):
            optimizer.zero_grad()
            network(rows).square().mean().backward()
            optimizer.step()
    assert optimizer.param_groups[0]["fused"] is True
    for one, other in zip(plain.parameters(), quick.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_what_the_user_chose_stays() -> None:
    weight = [nn.Parameter(torch.ones(2))]
    assert fused_on_cpu(torch.optim.Adam(weight, fused=False)).param_groups[0]["fused"] is False
    assert fused_on_cpu(torch.optim.Adam(weight, foreach=True)).param_groups[0]["fused"] is None


def test_what_has_no_fused_kernel_is_left_alone() -> None:
    on_meta = [nn.Parameter(torch.ones(2, device="meta"))]
    assert fused_on_cpu(torch.optim.AdamW(on_meta)).param_groups[0]["fused"] is None
    whole = [nn.Parameter(torch.ones(2))]
    assert "fused" not in fused_on_cpu(torch.optim.RMSprop(whole)).param_groups[0]
    differentiable = torch.optim.Adam(whole, differentiable=True)
    assert fused_on_cpu(differentiable).param_groups[0]["fused"] is None


def rates_of(family: str, layer_decay: float) -> dict[str, float]:
    """The rate of each parameter of an encoder of three layers, by its name."""
    backbone = Backbone(encoder(family), FullTuning())
    rates = {"encoder_rate": 1.0, "head_rate": 2.0, "encoder_decay": 0.1, "head_decay": 0.2}
    groups = parameter_groups(backbone, backbone, **rates, layer_decay=layer_decay)
    names = {id(parameter): name for name, parameter in backbone.model.named_parameters()}
    found = {names[id(p)]: group["lr"] for group in groups for p in group["params"]}
    assert set(found) == {n for n, p in backbone.model.named_parameters() if p.requires_grad}
    return found


@pytest.mark.parametrize(
    ("family", "word", "layer", "last"),
    [
        ("bert", "embeddings.word_embeddings.weight", "encoder.layer.{}.output.dense.bias", None),
        ("distilbert", "embeddings.word_embeddings.weight", "transformer.layer.{}.ffn.lin1.bias", None),
        ("modernbert", "embeddings.tok_embeddings.weight", "layers.{}.mlp.Wo.weight", "final_norm.weight"),
        ("gpt2", "wte.weight", "h.{}.mlp.c_fc.weight", "ln_f.bias"),
    ],
)  # fmt: skip
def test_each_layer_has_a_part_of_the_rate_of_the_layer_above(family, word, layer, last) -> None:
    rates = rates_of(family, 0.5)
    assert [rates[layer.format(place)] for place in range(3)] == [0.25, 0.5, 1.0]
    assert rates[word] == 0.125
    assert last is None or rates[last] == 1.0


def test_a_prompt_has_the_whole_rate() -> None:
    backbone = Backbone(encoder("bert"), PromptTuning(2))
    rates = {"encoder_rate": 1.0, "head_rate": 2.0, "encoder_decay": 0.1, "head_decay": 0.2}
    groups = parameter_groups(backbone, backbone, **rates, layer_decay=0.5)
    assert {group["lr"] for group in groups} == {1.0}


def test_a_factor_of_one_leaves_the_groups_as_they_are() -> None:
    assert set(rates_of("bert", 1.0).values()) == {1.0}


def test_layers_that_are_not_found_have_no_decay() -> None:
    backbone = nn.Linear(3, 3)
    with pytest.raises(ConfigError, match=r"LitRec\.layer_decay: Linear keeps its layers in none"):
        parameter_groups(
            backbone,
            backbone,
            encoder_rate=1.0,
            head_rate=1.0,
            encoder_decay=0.0,
            head_decay=0.0,
            layer_decay=0.9,
        )


@pytest.mark.parametrize("value", [0.0, -1.0, 1.1, float("nan")])
def test_the_decay_by_layers_is_a_factor(value: float) -> None:
    with pytest.raises(ConfigError, match=r"LitRec\.layer_decay"):
        LitRec(lambda facts: None, layer_decay=value)  # type: ignore[arg-type,return-value]
