"""Encoders of fields that are not text: from a field's values to what they add to a vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lit_rec.data.fields.category import CategoryFacts
from lit_rec.data.fields.field import FittedField
from lit_rec.data.fields.number import NumberFacts
from lit_rec.data.fields.vector import VectorFacts

LENGTH = 4.0  # mean norm of a field's features, the same for texts and others
_CATEGORY_STD = 0.05  # as for an id's embedding


class DenseEncoder(nn.Module):
    """``W (x - centre) / spread`` of features x; a learned vector where there are none.

    Args:
        features: Length V of x.
        outputs: Length of what is added; its last coordinate is a bias and begins at 0.

    Shape:
        ``[N, V]`` float32, rows of NaN where there is nothing -> ``[N, outputs]`` float32.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, features: int, outputs: int) -> None:
        super().__init__()
        self.projection = nn.Linear(features, outputs, bias=False)
        self.missing = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("centre", torch.zeros(features))
        self.register_buffer("spread", torch.ones(()))
        nn.init.zeros_(self.projection.weight[-1])

    def features(self, values: Tensor) -> Tensor:
        """Return x ``[N, V]`` of a field's values."""
        return values

    @torch.no_grad()
    def calibrate(self, values: Tensor) -> None:
        """Measure mean and spread of training items, so that features are centred and of norm 4 on average."""
        features = self.features(values)
        features = features[~features.isnan().any(1)]
        if len(features):
            self.centre.copy_(features.mean(0))
            spread = (features - self.centre).square().sum(1).mean().sqrt()
            self.spread.copy_(torch.where(spread > 0, spread / LENGTH, 1.0))

    def inputs(self, values: Tensor) -> Tensor:
        """Return the inputs ``[N, V + 1]``: centred features, and 1 where there are none; outputs are their sums."""
        features = self.features(values)
        absent = features.isnan().any(1, keepdim=True)
        centred = torch.where(absent, 0.0, (features - self.centre) / self.spread)
        return torch.cat([centred, absent.to(centred.dtype)], 1)

    @torch.no_grad()
    def begin(self, at: slice, weights: Tensor) -> None:
        """Begin with these weights ``[V + 1, n]`` of the inputs for the outputs ``at``."""
        self.projection.weight[at] = weights[:-1].T
        self.missing[at] = weights[-1]

    def forward(self, values: Tensor) -> Tensor:
        """Return what the values add."""
        inputs = self.inputs(values)
        added: Tensor = self.projection(inputs[:, :-1])
        return added + inputs[:, -1:] * self.missing


class NumberEncoder(DenseEncoder):
    """A number as the part of each bin below it, from 0 to 1; these are the features of ``DenseEncoder``.

    Args:
        facts: The field.
        outputs: Length of what is added.

    Shape:
        ``[N]`` float32, NaN where there is none -> ``[N, outputs]`` float32.

    Reference:
        Gorishniy et al. 2022, On embeddings for numerical features, https://arxiv.org/abs/2203.05556, equation 1. Here
        a number beyond the outer edges counts as the edge, so that nothing is extrapolated.
    """

    edges: Tensor

    def __init__(self, facts: NumberFacts, outputs: int) -> None:
        super().__init__(facts.size, outputs)
        # the differences of edges in float64: seconds since 1970 have more digits than float32
        self.register_buffer(
            "edges", torch.tensor(facts.edges, dtype=torch.float64), persistent=False
        )

    def features(self, values: Tensor) -> Tensor:
        """Return the bins ``[N, bins]``."""
        low, high = self.edges[:-1], self.edges[1:]
        part = (values.double().unsqueeze(1) - low) / (high - low)
        return part.clamp(0, 1).float()


class CategoryEncoder(nn.Module):
    """The mean of the vectors of an item's categories.

    Args:
        facts: The field.
        outputs: Length of what is added; its last coordinate is a bias and begins at 0.

    Shape:
        ``[N, M]`` int64, 0 for none -> ``[N, outputs]`` float32.
    """

    def __init__(self, facts: CategoryFacts, outputs: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(facts.size + 1, outputs)
        nn.init.normal_(self.embedding.weight, std=_CATEGORY_STD)
        nn.init.zeros_(self.embedding.weight[:, -1])
        nn.init.zeros_(self.embedding.weight[0])

    def calibrate(self, values: Tensor) -> None:
        """Do nothing: vectors of categories have no scale of their own."""

    def inputs(self, values: Tensor) -> Tensor:
        """Return the inputs ``[N, size + 1]``: each category's share of an item. Outputs are weighted sums of them."""
        shares = torch.zeros(len(values), self.embedding.num_embeddings, device=values.device)
        return shares.scatter_add_(1, values, _shares(values))

    @torch.no_grad()
    def begin(self, at: slice, weights: Tensor) -> None:
        """Begin with these weights ``[size + 1, n]`` of the inputs for the outputs ``at``."""
        self.embedding.weight[:, at] = weights

    def forward(self, values: Tensor) -> Tensor:
        """Return what the categories add."""
        vectors = self.embedding(values)  # [N, M, outputs]
        mean: Tensor = (_shares(values).unsqueeze(1) @ vectors).squeeze(1)
        return mean


def _shares(values: Tensor) -> Tensor:
    """Return the share of each of an item's categories ``[N, M]``."""
    real = values > 0
    real[:, 0] |= ~real.any(1)  # an item without a category has the vector of 0
    return real / real.sum(1, keepdim=True)


def field_encoder(field: FittedField, outputs: int) -> DenseEncoder | CategoryEncoder:
    """Return the encoder of a field.

    Raises:
        ValueError: If the field is of no known kind.
    """
    if isinstance(field, NumberFacts):
        return NumberEncoder(field, outputs)
    if isinstance(field, CategoryFacts):
        return CategoryEncoder(field, outputs)
    if isinstance(field, VectorFacts):
        return DenseEncoder(field.size, outputs)
    raise ValueError(f"{type(field).__name__} has no encoder")
