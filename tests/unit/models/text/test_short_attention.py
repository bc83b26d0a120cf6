import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.profiler import ProfilerActivity, profile

from lit_rec.models.text.short_attention import short_attention

FUSED = "aten::_scaled_dot_product_flash_attention_for_cpu"
HALF, FULL = torch.bfloat16, torch.float32


def attend(dtype, tokens, weights=FULL, autocast=None):
    """Return what attention gives with the first text's last token hidden, and whether the fused kernel gave it."""
    torch.manual_seed(0)
    query = torch.randn(2, 3, tokens, 8).to(dtype)
    mask = torch.ones(2, 1, 1, tokens, dtype=torch.bool)
    mask[0, ..., -1] = False
    model, ids = nn.Linear(2, 2, dtype=weights), torch.ones(2, tokens, dtype=torch.int64)
    with (
        profile(activities=[ProfilerActivity.CPU]) as done,
        torch.autocast("cpu", autocast or HALF, enabled=autocast is not None),
        short_attention(model, ids),
    ):
        found = scaled_dot_product_attention(query, query, query, attn_mask=mask)
    return found, FUSED in {event.key for event in done.key_averages()}


@pytest.mark.parametrize(
    ("tokens", "weights", "autocast", "fused"),
    [
        (9, FULL, HALF, False),
        (9, HALF, None, False),
        (128, FULL, HALF, False),
        (129, FULL, HALF, True),
        (9, FULL, None, True),
        (9, FULL, torch.float16, True),
    ],
)
def test_plain_products_are_for_few_tokens_of_bfloat16(tokens, weights, autocast, fused):
    found, was_fused = attend(HALF, tokens, weights, autocast)
    assert was_fused is fused
    exact, _ = attend(FULL, tokens)
    torch.testing.assert_close(found.float(), exact, rtol=0.05, atol=0.05)


def test_what_was_set_before_is_set_again():
    allowed = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed
    model, ids = nn.Linear(2, 2, dtype=HALF), torch.ones(1, 2)
    before = allowed()

    def broken_off():
        with short_attention(model, ids):
            assert allowed()
            raise KeyError

    with pytest.raises(KeyError):
        broken_off()
    assert allowed() == before
    _, fused = attend(FULL, 4)
    assert fused
