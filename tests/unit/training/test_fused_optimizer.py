"""fused_on_cpu: the same steps by another kernel, and nothing chosen against the user."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from lit_rec.training.fused_optimizer import fused_on_cpu


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
