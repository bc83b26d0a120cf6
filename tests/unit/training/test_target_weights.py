from types import SimpleNamespace

import pytest
import torch

from lit_rec.training.target_weights import TargetWeights

ALONE = SimpleNamespace(world_size=1)


def gradient(batches):
    """The gradient of a step and the losses shown, with the loss (weight - value)^2 over micro-batches of values."""
    weights, weight = TargetWeights(), torch.nn.Parameter(torch.tensor(1.0))
    shown = []
    for values in batches:
        total = (weight - torch.tensor(values)).square().sum()
        loss, mean = weights.losses(total, torch.tensor(len(values)), ALONE)
        (loss / len(batches)).backward()  # as Lightning does
        shown.append(float(mean))
    weights.weigh(torch.optim.SGD([weight], lr=0.1), len(batches))
    return float(weight.grad), shown


@pytest.mark.parametrize(
    "batches", [[[3.0, 5.0], [2.0, 7.0]], [[3.0], [5.0, 2.0, 7.0]], [[], [3.0, 5.0], [2.0, 7.0]]]
)
def test_micro_batches_are_one_batch(batches):
    one, shown = gradient([[3.0, 5.0, 2.0, 7.0]])
    assert gradient(batches)[0] == pytest.approx(one, rel=1e-6)
    assert shown == [14.25]


def test_each_step_counts_anew():
    weights, weight = TargetWeights(), torch.nn.Parameter(torch.tensor(1.0))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    for values in ([3.0, 5.0, 2.0], [7.0]):
        weight.grad = None
        total = (weight - torch.tensor(values)).square().sum()
        weights.losses(total, torch.tensor(len(values)), ALONE)[0].backward()
        weights.weigh(optimizer, 1)
    assert float(weight.grad) == -12.0


def test_no_target_at_all_gives_no_gradient():
    assert gradient([[], []]) == (0.0, [0.0, 0.0])
