"""Ids in addition to text: an embedding and a bias per known id."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from lit_rec.ranges import positive, share


class Ids(nn.Module, ABC):
    """What an id adds to a vector.

    Args:
        size: How many ids were seen in training.
        width: Width of the vector, its bias coordinate left out.

    Shape:
        vocab_row ``[N]`` int64 (0 = unseen) -> ``[N, width + 1]`` float32; the last coordinate is a bias.

    Example:
        >>> class SeenIds(Ids):
        ...     def forward(self, vocab_row: Tensor) -> Tensor:
        ...         bias = (vocab_row > 0).float().unsqueeze(1)
        ...         return torch.cat([torch.zeros(len(bias), self.width), bias], 1)
        >>> SeenIds(size=9, width=1)(torch.tensor([0, 7]))
        tensor([[0., 0.],
                [0., 1.]])
    """

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.size, self.width = size, width

    def start_at(self, bias: Tensor) -> None:
        """Begin with biases ``[size + 1]`` by plain means of the training ratings; kinds without biases ignore this."""

    @abstractmethod
    def forward(self, vocab_row: Tensor) -> Tensor:
        """Return what the ids add."""


class NoIds(Ids):
    """Ids add nothing: two items with the same text have the same vector.

    Example:
        >>> NoIds(size=9, width=2)(torch.tensor([0, 7]))
        tensor([[0., 0., 0.],
                [0., 0., 0.]])
    """

    def forward(self, vocab_row: Tensor) -> Tensor:
        """Return zeros."""
        return torch.zeros(len(vocab_row), self.width + 1, device=vocab_row.device)


class IdEmbedding(Ids):
    """A learned embedding and bias per id, both dropped together at random while training.

    A dropped id acts as an unseen one, which adds zero: so text learns to predict on its own, and an id unseen in
    training has that prediction.

    Args:
        size: How many ids were seen in training.
        width: Width of the vector.
        dropout: Probability that an id is dropped, drawn for each entry: each distinct item of a batch, or each row for
            users.
        std: Standard deviation of the embeddings at the start; biases start at 0.
        scale: Factor of the embeddings. Adam and similar optimizers take steps as long for small gradients as for large
            ones. Below 1, ids learn that much slower than the other parameters: choose that where text shall predict
            most, and ids only what text cannot.

    Raises:
        ConfigError: If ``dropout`` is not from 0 to 1, or ``scale`` is not above 0.

    Reference:
        Volkovs et al. 2017, DropoutNet, https://papers.nips.cc/paper/7081.

    Example:
        >>> ids = IdEmbedding(size=2, width=1, std=0.0).eval()
        >>> ids.start_at(torch.tensor([0.0, 0.5, -0.5]))
        >>> ids(torch.tensor([1, 2, 0])).tolist()  # an embedding of one number, and a bias; the last id was not seen
        [[0.0, 0.5], [0.0, -0.5], [0.0, 0.0]]
    """

    start: Tensor

    def __init__(
        self, size: int, width: int, dropout: float = 0.5, std: float = 0.05, scale: float = 1.0
    ) -> None:
        super().__init__(size, width)
        self.dropout = share(self, "dropout", dropout)
        self.scale = positive(self, "scale", scale)
        self.embedding = nn.Embedding(size + 1, width)
        self.bias = nn.Embedding(size + 1, 1)
        # a buffer of its own, not part of the learned bias: weight decay then pulls towards the mean of the ratings
        self.register_buffer("start", torch.zeros(size + 1, 1))
        nn.init.normal_(self.embedding.weight, std=std)
        nn.init.zeros_(self.bias.weight)

    def start_at(self, bias: Tensor) -> None:
        """Begin with these biases."""
        self.start.copy_(bias.reshape(-1, 1))

    def forward(self, vocab_row: Tensor) -> Tensor:
        """Return embedding and bias, or zeros for an id that is unseen or dropped."""
        known = vocab_row > 0
        if self.training and self.dropout > 0:
            known = known & (torch.rand(vocab_row.shape, device=vocab_row.device) >= self.dropout)
        both = torch.cat(
            [
                self.scale * self.embedding(vocab_row),
                self.bias(vocab_row) + self.start[vocab_row],
            ],
            1,
        )
        return both * known.unsqueeze(1)
