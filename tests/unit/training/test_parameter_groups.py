from torch import nn

from lit_rec.training.parameter_groups import parameter_groups


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
