"""Merged adapters: the same vectors, from an encoder with the keys that it had before."""

import pytest
import torch
from torch import nn

from lit_rec.models.text.adapters.merging import UnmergeableError, added_weights, merge_adapters
from lit_rec.models.text.adapters.peft_tuning import IA3Tuning, LoraTuning, PeftTuning

from .families import FAMILIES, backbone, encoder, learned, vectors

TUNINGS = {
    "lora": lambda: LoraTuning(2, dropout=0.1),
    "dora": lambda: LoraTuning(2, dora=True, layers=1),
    "ia3": IA3Tuning,
    "randlora": lambda: PeftTuning("randlora", {"r": 2}, targets="attention"),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("tuning", TUNINGS)
def test_merged_encoder(family, tuning):
    tuned = backbone(family, TUNINGS[tuning]())
    learned(tuned, steps=2)
    expected, plain = vectors(tuned).detach(), encoder(family)
    assert added_weights(tuned.model)
    merge_adapters(tuned.model)
    assert not added_weights(tuned.model)
    assert not any(weight.requires_grad for weight in tuned.parameters())
    plain.load_state_dict(tuned.model.state_dict())
    tuned.model = plain.eval()
    torch.testing.assert_close(vectors(tuned), expected, rtol=1e-4, atol=1e-5)


def test_what_is_no_adapter_stays():
    model = encoder("bert")
    model.bottleneck = nn.Linear(8, 2)
    merge_adapters(model)
    assert added_weights(model) == ["bottleneck.weight", "bottleneck.bias"]
    assert model.bottleneck.weight.requires_grad


def test_a_method_that_cannot_be_merged(monkeypatch):
    tuned = backbone("bert", LoraTuning(2))
    from peft.tuners.lora.layer import Linear

    monkeypatch.setattr(Linear, "merge", lambda adapter: 1 / 0)
    with pytest.raises(UnmergeableError, match="ZeroDivisionError: division by zero"):
        merge_adapters(tuned.model)
