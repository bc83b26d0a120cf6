"""The optimizer: each weight in one group, and the same steps by the fused kernel."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from lit_rec.training.optimizer import fused_on_cpu, parameter_groups


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
