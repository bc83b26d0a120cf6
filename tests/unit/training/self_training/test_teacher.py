"""The averaged teacher: averages by hand, and the predictions of a network that holds these weights."""

import copy

import pytest
import torch
from torch import nn

from lit_rec.data.batches.batch import (
    Candidates,
    HistorySlots,
    Items,
    RecBatch,
    Target,
    Texts,
    Users,
)
from lit_rec.data.facts import Facts
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.text.adapters.peft_tuning import LoraTuning
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.tuning import FullTuning, TopLayersTuning
from lit_rec.training.self_training.teacher import Teacher
from tests.unit.models.text.adapters.families import encoder


def test_the_mean_of_all_at_first_then_a_decaying_one():
    """Weights, running statistics and counts of a batch norm; the share of a new value is 1/2, 1/3, 1/4, 1/4, ..."""
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    network[0].bias.requires_grad_(False)
    teacher = Teacher(0.75, "SelfTraining")
    teacher.begin(network)
    expected = {n: v.double().clone() for n, v in network.state_dict().items()}
    for step in range(1, 7):
        with torch.no_grad():
            network[0].weight.normal_()
        network(torch.randn(5, 2))
        teacher.follow(network, step)
        share = max(1 / (step + 1), 0.25)
        for name, value in network.state_dict().items():
            expected[name] = (1 - share) * expected[name] + share * value.double()
    found = teacher.state_dict()["teacher"]
    assert found.keys() == expected.keys() - {"0.bias"}  # shared with the network
    assert found.pop("1.num_batches_tracked") == 6
    for name, value in found.items():
        torch.testing.assert_close(value.double(), expected[name], atol=1e-6, rtol=1e-5)


def batch():
    """Three rows, each a text of its own."""
    texts = Texts(torch.tensor([5, 6, 7, 8, 9, 6], dtype=torch.int32), torch.tensor([0, 2, 3, 6]))
    place, none = torch.arange(3), torch.zeros(3, 0)
    history = HistorySlots(none.long(), none.bool(), none, none.long(), none, none.long())
    items = Items(place[:, None], place, torch.zeros_like(place))
    ones = torch.ones(3, 1, dtype=torch.bool)
    return RecBatch(
        texts, items, Users(torch.zeros_like(place)), history, Candidates(place[:, None], ones),
        Target(torch.zeros_like(place)[:, None], ones), place, place,
    )  # fmt: skip


@pytest.mark.parametrize(
    "tuning", [FullTuning(), TopLayersTuning(1), LoraTuning(2)], ids=["full", "top", "lora"]
)
def test_scores_are_those_of_a_network_with_the_averaged_weights(tuning):
    facts = Facts.example("label", labels=("no", "so", "yes"))
    made = Backbone(encoder("bert"), tuning)
    network = TextClassifier(
        facts, lambda facts: ItemEncoder(facts, lambda facts: made, dropout=0.3)
    )
    network.train()
    teacher = Teacher(0.9, "SelfTraining")
    teacher.begin(network)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) / 5)
    teacher.follow(network, 3)
    own = {n: v.clone() for n, v in network.state_dict().items()}
    by_hand = copy.deepcopy(network)
    by_hand.load_state_dict(teacher.state_dict()["teacher"], strict=False)
    with torch.no_grad():
        expected = by_hand.eval()(batch())
        present = copy.deepcopy(network).eval()(batch())
    found = teacher.scores(network, batch())
    torch.testing.assert_close(found, expected)
    assert (found - present).abs().max() > 1e-3
    assert network.training
    assert not found.requires_grad
    assert all(torch.equal(own[n], v) for n, v in network.state_dict().items())
