import pytest
import torch

from lit_rec.models.text.pooling import (
    AttentionPooling,
    ClsPooling,
    LastTokenPooling,
    MeanPooling,
    masked_softmax,
)

TOKENS = torch.tensor(
    [
        [[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]],
        [[5.0, 5.0], [7.0, 7.0], [9.0, 0.0]],
        [[8.0, 8.0], [8.0, 8.0], [8.0, 8.0]],
    ]
)
MASK = torch.tensor([[True, True, False], [True, True, True], [False, False, False]])


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        (MeanPooling, [[2.0, 4.0], [7.0, 4.0], [0.0, 0.0]]),
        (ClsPooling, [[1.0, 2.0], [5.0, 5.0], [0.0, 0.0]]),
        (LastTokenPooling, [[3.0, 6.0], [9.0, 0.0], [0.0, 0.0]]),
    ],
)
def test_pooling_by_hand(pooling, expected):
    assert pooling(2)(TOKENS, MASK).tolist() == expected


def test_attention_pooling_by_hand():
    """W picks the first coordinate and v is 2, so token x weighs exp(2 tanh(x_0)) among the real ones."""
    pooling = AttentionPooling(2, hidden=1)
    with torch.no_grad():
        pooling.hidden.weight.copy_(torch.tensor([[1.0, 0.0]]))
        pooling.hidden.bias.zero_()
        pooling.score.weight.fill_(2.0)
    tokens = torch.tensor([[[0.0, 1.0], [0.5, 5.0], [9.0, 9.0]]])
    vector = pooling(tokens, torch.tensor([[True, True, False]]))
    first, second = 1.0, float(torch.exp(2 * torch.tanh(torch.tensor(0.5))))
    expected = torch.tensor([[0.5 * second, first + 5 * second]]) / (first + second)
    torch.testing.assert_close(vector, expected)


@pytest.mark.parametrize("pooling", [MeanPooling, ClsPooling, LastTokenPooling, AttentionPooling])
def test_shares_sum_to_one_and_a_text_without_token_gives_zeros(pooling):
    made = pooling(2)
    shares = made.weights(TOKENS, MASK).sum(1)
    torch.testing.assert_close(shares, torch.tensor([1.0, 1.0, 0.0]))
    assert made(TOKENS, MASK)[2].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("pooling", [MeanPooling, ClsPooling, LastTokenPooling, AttentionPooling])
def test_text_without_token_gives_finite_gradients(pooling):
    tokens = TOKENS.clone().requires_grad_()
    pooling(2)(tokens, MASK).square().sum().backward()
    assert torch.isfinite(tokens.grad).all()
    assert not tokens.grad[~MASK].any()


def test_cls_pooling_takes_the_first_real_token_after_padding_on_the_left():
    mask = torch.tensor([[False, True, True]])
    assert ClsPooling(2)(TOKENS[:1], mask).tolist() == [[3.0, 6.0]]


def test_masked_softmax_over_no_place_at_all():
    assert masked_softmax(torch.zeros(2, 0), torch.zeros(2, 0, dtype=torch.bool)).shape == (2, 0)
