import pytest
import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.testing._internal.distributed.fake_pg import FakeStore

from lit_rec.training.strategies import sharding


@pytest.fixture
def one():
    """A group of one process, its mesh."""
    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    torch.distributed.destroy_process_group()


@pytest.fixture(params=range(3))
def rank_of_three(request):
    """The mesh of three processes that say nothing to each other, seen from each."""
    torch.distributed.init_process_group(
        "fake", store=FakeStore(), rank=request.param, world_size=3
    )
    yield init_device_mesh("cpu", (3,))
    torch.distributed.destroy_process_group()


def parts_of(mesh):
    """A divided encoder, an undivided head, an optimizer of both after a backward pass, and their undivided twins."""
    torch.manual_seed(0)
    twins = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2))
    network = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2))
    network.load_state_dict(twins.state_dict())
    fully_shard(network[0], mesh=mesh)
    rows = torch.randn(3, 4)
    found = []
    for module in (network, twins):
        module(rows).square().sum().backward()
        found.append(
            torch.optim.AdamW(
                [{"params": module[0].parameters()}, {"params": [*module[1].parameters()]}]
            )
        )
    return network, twins, *found


def gradients(module):
    return [sharding.whole(parameter.grad) for parameter in module.parameters()]


def test_a_part_is_what_fsdp_keeps(rank_of_three):
    """5 rows are 2, 2 and 1; 2 rows are 1, 1 and none."""
    for rows in (5, 2):
        layer = nn.Linear(4, rows)
        full = {name: weight.detach().clone() for name, weight in layer.named_parameters()}
        fully_shard(layer, mesh=rank_of_three)
        for name, weight in layer.named_parameters():
            part = sharding.part_like(full[name], weight)
            assert part.shape == full[name].shape
            assert part.to_local().equal(weight.to_local())
            assert len(part.to_local()) < rows


def test_what_is_not_divided_is_its_own_part():
    tensor = torch.ones(3)
    assert sharding.part_like(tensor, torch.zeros(3)) is tensor
    assert sharding.whole(tensor).equal(tensor)


@pytest.mark.parametrize("largest", [0.5, 1e6])
def test_norm_is_that_of_all_gradients(one, largest):
    network, twins, optimizer, _ = parts_of(one)
    sharding.clip_norm(optimizer, largest)
    torch.nn.utils.clip_grad_norm_(twins.parameters(), largest)
    assert isinstance(network[0].weight.grad, DTensor)
    torch.testing.assert_close(gradients(network), gradients(twins))


def test_every_coordinate_is_clipped(one):
    network, twins, optimizer, _ = parts_of(one)
    assert max(float(gradient.abs().max()) for gradient in gradients(twins)) > 0.5
    sharding.clip_value(optimizer, 0.5)
    torch.nn.utils.clip_grad_value_(twins.parameters(), 0.5)
    torch.testing.assert_close(gradients(network), gradients(twins))


def test_nothing_to_clip(one):
    optimizer = torch.optim.AdamW([nn.Parameter(torch.ones(2))])
    sharding.clip_norm(optimizer, 1.0)
    sharding.clip_value(optimizer, 1.0)
    assert optimizer.param_groups[0]["params"][0].grad is None


def test_a_gradient_that_no_process_has_stays_away(one):
    with_gradient, without = (nn.Parameter(torch.ones(2, 1)) for _ in range(2))
    with_gradient.grad = torch.tensor([[3.0], [4.0]])
    sharding.average_gradients(torch.optim.AdamW([with_gradient, without]))
    assert with_gradient.grad.tolist() == [[3.0], [4.0]]
    assert without.grad is None


def test_mean_over_processes(rank_of_three):
    """The others say nothing, which counts 0."""
    parameter = nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([3.0, 6.0])
    sharding.average_gradients(torch.optim.AdamW([parameter]))
    assert parameter.grad.tolist() == [1.0, 2.0]


def test_state_of_an_optimizer_is_that_of_one_process(one):
    _, _, optimizer, other = parts_of(one)
    optimizer.step()
    other.step()
    state = sharding.whole_state(optimizer)
    torch.testing.assert_close(state, other.state_dict())
    _, _, resumed, _ = parts_of(one)
    resumed.load_state_dict(sharding.parts_of_state(other.state_dict(), resumed))
    moment = resumed.state[resumed.param_groups[0]["params"][0]]["exp_avg"]
    assert isinstance(moment, DTensor)
    torch.testing.assert_close(sharding.whole_state(resumed), state)
