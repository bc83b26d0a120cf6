"""LoRA's single product against the pass of peft."""

from __future__ import annotations

import copy
from typing import Any

import peft
import pytest
import torch
from peft.tuners.lora import Linear
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lit_rec.models.text.adapters.merging import merge_adapters
from lit_rec.models.text.adapters.peft_tuning import LoraTuning
from lit_rec.models.text.adapters.with_peft.one_product_lora import OneProductLora
from lit_rec.models.text.backbone import model_of_config

_SIZES = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2}
_BERT = {"model_type": "bert", "vocab_size": 30, "num_attention_heads": 2, **_SIZES}
_NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def _pair(**options: Any) -> tuple[nn.Module, nn.Module]:
    """Return an encoder with trained LoRA, and the same encoder with the classes of peft."""
    torch.manual_seed(0)
    ours = model_of_config({**_BERT, **_NO_DROPOUT})
    LoraTuning(rank=3, alpha=5.0, **options).apply(ours)
    for name, parameter in ours.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter, std=0.3)
    theirs = copy.deepcopy(ours)
    for module in theirs.modules():
        if isinstance(module, OneProductLora):
            module.__class__ = Linear
    return ours.train(), theirs.train()


def _passed(model: nn.Module, run: Any = None, texts: int = 4) -> tuple[Tensor, dict[str, Tensor]]:
    torch.manual_seed(1)
    ids = torch.randint(1, 30, (texts, 6))
    output = model(ids).last_hidden_state if run is None else run(ids)
    output.float().pow(3).sum().backward()
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return output.detach(), found


@pytest.mark.parametrize("texts", [2, 4])  # 24 inputs are many for widths of 8 and 12
@pytest.mark.parametrize(
    "options", [{}, {"rs": True}, {"layers": 1}, {"dropout": 0.4}, {"dora": True}]
)
def test_outputs_and_gradients_are_those_of_peft(options: dict[str, Any], texts: int) -> None:
    ours, theirs = _pair(**options)
    assert any(isinstance(module, OneProductLora) for module in ours.modules())
    (output, gradients), (same, expected_gradients) = (
        _passed(model, texts=texts) for model in (ours, theirs)
    )
    torch.testing.assert_close(output, same)
    assert gradients.keys() == expected_gradients.keys()
    assert all("lora_" in name for name in gradients)
    for name, gradient in gradients.items():
        expected = expected_gradients[name]
        assert (gradient - expected).norm() < 1e-5 * expected.norm(), name


@pytest.mark.parametrize("texts", [2, 7])  # 6 and 21 inputs: 16 are many for a width of 8
def test_the_derivative_is_that_of_differences(texts: int) -> None:
    ours, _ = _pair()
    module = next(m for m in ours.modules() if isinstance(m, OneProductLora)).double()
    x = torch.randn(texts, 3, 8, dtype=torch.float64, requires_grad=True)
    trained = [p for p in module.parameters() if p.requires_grad]
    assert len(trained) == 2
    assert torch.autograd.gradcheck(lambda given, *_: module(given), (x, *trained))


def test_the_backward_pass_may_compute_again() -> None:
    ours, theirs = _pair()

    def again(ids: Tensor) -> Any:
        return checkpoint(lambda i: ours(i).last_hidden_state, ids, use_reentrant=False)

    _, gradients = _passed(ours, again)
    _, expected = _passed(theirs)
    for name, gradient in gradients.items():
        assert (gradient - expected[name]).norm() < 1e-5 * expected[name].norm(), name


def test_autocast_rounds_as_peft_does() -> None:
    ours, theirs = _pair()
    with torch.autocast("cpu", torch.bfloat16):
        output, gradients = _passed(ours)
        expected, expected_gradients = _passed(theirs)
    assert output.dtype == expected.dtype
    torch.testing.assert_close(output, expected, atol=0.1, rtol=0.05)
    for name, gradient in gradients.items():
        near = torch.cosine_similarity(
            gradient.flatten(), expected_gradients[name].flatten(), dim=0
        )
        assert gradient.dtype == torch.float32
        assert near > 0.99, name


def test_without_gradients_the_pass_is_that_of_peft_to_the_bit() -> None:
    ours, theirs = _pair()
    ids = torch.randint(1, 30, (4, 6))
    with torch.no_grad():
        assert torch.equal(ours(ids).last_hidden_state, theirs(ids).last_hidden_state)


def test_it_merges() -> None:
    ours, _ = _pair()
    expected = ours.eval()(torch.arange(1, 7)[None]).last_hidden_state
    merge_adapters(ours)
    assert not any(
        isinstance(module, peft.tuners.tuners_utils.BaseTunerLayer) for module in ours.modules()
    )
    torch.testing.assert_close(ours(torch.arange(1, 7)[None]).last_hidden_state, expected)
