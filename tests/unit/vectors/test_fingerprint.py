"""A fingerprint changes with what vectors depend on, and with nothing else."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from lit_rec.data.facts import Facts
from lit_rec.models.text.backbone import PretrainedBackbone, model_of_config
from lit_rec.vectors.fingerprint import fingerprint_of

TINY = {
    "vocab_size": 20,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 64,
}


@pytest.fixture(params=["bert", "roberta", "albert"])
def folder(request, tmp_path):
    """An encoder that was saved without its pooler."""
    options = TINY | {"model_type": request.param, "embedding_size": 8, "pad_token_id": 0}
    model_of_config(options).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    used = {name: weight for name, weight in weights.items() if "pooler" not in name}
    assert len(used) < len(weights)
    save_file(used, tmp_path / "model.safetensors", {"format": "pt"})
    return tmp_path


def loaded(folder, seed):
    torch.manual_seed(seed)  # of the pooler's random weights
    return PretrainedBackbone(Facts.example(max_tokens=16), str(folder))


def test_random_weights_of_a_pooler_that_was_not_saved_are_no_part_of_it(folder):
    first, second = (nn.ModuleDict({"b": loaded(folder, seed)}) for seed in (0, 1))
    differ = [n for n, w in first.state_dict().items() if not w.equal(second.state_dict()[n])]
    assert differ
    assert all("pooler" in name for name in differ)
    key = fingerprint_of(first, first.state_dict())
    assert fingerprint_of(second, second.state_dict()) == key


def test_every_other_weight_is(folder):
    backbone = loaded(folder, 0)
    keys = {fingerprint_of(backbone, backbone.state_dict())}
    used = [name for name in backbone.state_dict() if "pooler" not in name]
    for name in used:
        weights = {n: w.clone() for n, w in backbone.state_dict().items()}
        weights[name].view(-1)[0] += 1
        keys.add(fingerprint_of(backbone, weights))
    assert len(keys) == 1 + len(used)


def test_a_pooling_of_its_own_name_is(folder):
    network = nn.ModuleDict({"backbone": loaded(folder, 0), "pooler": nn.Linear(2, 2)})
    key = fingerprint_of(network, network.state_dict())
    with torch.no_grad():
        network["pooler"].weight += 1
    assert fingerprint_of(network, network.state_dict()) != key
