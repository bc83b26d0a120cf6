from dataclasses import replace

import pytest
import torch
from torch import nn

from lit_rec.data.facts import Facts
from lit_rec.errors import CheckpointError
from lit_rec.training.checkpoint.weights import check_facts, check_weights


def weights(**changes):
    whole = {"weight": torch.zeros(2, 3), "bias": torch.zeros(2)} | changes
    return {"state_dict": {k: v for k, v in whole.items() if v is not None}}


def test_weights_of_the_network_pass():
    check_weights(weights(), nn.Linear(3, 2))


@pytest.mark.parametrize(
    ("checkpoint", "said"),
    [
        (weights(bias=None), "bias is absent"),
        (weights(more=torch.zeros(1)), "more is not of the network"),
        (weights(bias=torch.zeros(5)), r"bias has shape \(5,\), in the network \(2,\)"),
        (weights(bias=7), r"bias has shape None, in the network \(2,\)"),
        ({}, "weight is absent"),
        ({"state_dict": [1]}, "weight is absent"),
    ],
)
def test_other_weights_are_named(checkpoint, said):
    with pytest.raises(CheckpointError, match=said) as found:
        check_weights(checkpoint, nn.Linear(3, 2), where="--ckpt_path a.ckpt")
    assert str(found.value).startswith("--ckpt_path a.ckpt: ")


FACTS = Facts.example(rating_mean=3.5, user_ids=("u",))


def test_the_same_data_passes_whatever_the_encoder_was_read_from():
    check_facts(replace(FACTS, backbone={"model_type": "bert"}), replace(FACTS))


def test_other_data_is_named():
    other = replace(FACTS, rating_mean=3.25, item_ids=tuple(f"item {n}" for n in range(99)))
    with pytest.raises(CheckpointError, match="trained on other data") as found:
        check_facts(other, FACTS)
    text = str(found.value)
    assert "rating_mean: 3.5 in the data, 3.25 in the checkpoint" in text
    assert "item_ids: ('a', 'b') in the data, ('item 0', " in text
    assert max(map(len, text.splitlines())) < 160, "long values are cut"
