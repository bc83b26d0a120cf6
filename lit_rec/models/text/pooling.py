"""From token vectors to one vector per text."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from lit_rec.ranges import count


class Pooling(nn.Module, ABC):
    """One vector per text; a text without any real token gives the zero vector, not NaN.

    Args:
        width: Width D of a token vector.

    Shape:
        tokens ``[P, T, D]`` float, mask ``[P, T]`` bool (True = real token) -> ``[P, D]`` float.

    Example:
        >>> class TwoTokenPooling(Pooling):
        ...     def weights(self, tokens: Tensor, mask: Tensor) -> Tensor:
        ...         return 0.5 * (mask & (mask.cumsum(1) <= 2))
        >>> TwoTokenPooling(1)(torch.tensor([[[2.0], [4.0], [9.0]]]), torch.tensor([[True, True, True]]))
        tensor([[3.]])
    """

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the vectors of the texts."""
        return _weighted(tokens, self.weights(tokens, mask))

    @abstractmethod
    def weights(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return each token's share ``[P, T]`` in its text's vector; shares sum to 1, or to 0 without a real token."""


def _weighted(tokens: Tensor, weights: Tensor) -> Tensor:
    return (weights.unsqueeze(1) @ tokens).squeeze(1)  # [P, 1, T] @ [P, T, D] -> [P, D]


class MeanPooling(Pooling):
    """Average the token vectors of each text, ignoring padding.

    Reference:
        Reimers & Gurevych 2019, Sentence-BERT, https://arxiv.org/abs/1908.10084, section 3.

    Example:
        >>> tokens = torch.tensor([[[2.0], [4.0], [9.0]]])
        >>> MeanPooling(1)(tokens, torch.tensor([[True, True, False]]))
        tensor([[3.]])
    """

    def weights(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return equal shares."""
        real = mask.to(tokens.dtype)
        return real / real.sum(1, keepdim=True).clamp(min=1)


class ClsPooling(Pooling):
    """Take the first real token: BERT's ``[CLS]``.

    Reference:
        Devlin et al. 2019, BERT, https://arxiv.org/abs/1810.04805, section 3.

    Example:
        >>> ClsPooling(1)(torch.tensor([[[2.0], [4.0]]]), torch.tensor([[True, True]]))
        tensor([[2.]])
    """

    def weights(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return 1 at the first real token."""
        return (mask & (mask.cumsum(1) == 1)).to(tokens.dtype)


class LastTokenPooling(Pooling):
    """Take the last real token: in a decoder, only this one has attended to the whole text.

    Example:
        >>> LastTokenPooling(1)(torch.tensor([[[2.0], [4.0], [9.0]]]), torch.tensor([[True, True, False]]))
        tensor([[4.]])
    """

    def weights(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return 1 at the last real token."""
        last = mask.sum(1, keepdim=True)
        return (mask & (mask.cumsum(1) == last)).to(tokens.dtype)


class AttentionPooling(Pooling):
    """Average the token vectors with learned weights: softmax over ``v . tanh(W x)``.

    Args:
        width: Width D of a token vector.
        hidden: Width of the attention's hidden layer.

    Raises:
        ConfigError: If ``hidden`` is below 1.

    Reference:
        Yang et al. 2016, Hierarchical Attention Networks, https://aclanthology.org/N16-1174, section 2.2.

    Example:
        >>> pooling = AttentionPooling(1)
        >>> weights = pooling.weights(torch.tensor([[[2.0], [2.0], [9.0]]]), torch.tensor([[True, True, False]]))
        >>> weights.detach()  # equal tokens weigh alike, and padding nothing
        tensor([[0.5000, 0.5000, 0.0000]])
    """

    def __init__(self, width: int, hidden: int = 128) -> None:
        super().__init__(width)
        self.hidden = nn.Linear(width, count(self, "hidden", hidden))
        self.score = nn.Linear(hidden, 1, bias=False)

    def weights(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the softmax over real tokens."""
        scores = self.score(torch.tanh(self.hidden(tokens))).squeeze(-1)  # [P, T]
        return masked_softmax(scores, mask)


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Softmax over the last dimension where ``mask`` is True; zeros where the mask has no True.

    Example:
        >>> masked_softmax(torch.zeros(2, 2), torch.tensor([[True, False], [False, False]]))
        tensor([[1., 0.],
                [0., 0.]])
    """
    filled = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return torch.softmax(filled, -1) * mask
