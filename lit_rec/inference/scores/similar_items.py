"""Similar items: cosines of item vectors, in one state of a catalogue."""

from __future__ import annotations

import torch
from torch import Tensor

from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.item_vectors import ItemVectors
from lit_rec.models.networks.network import ItemNetwork, Network

_BLOCK = 65_536
_LEAST = 1e-30  # a vector of zeros has cosine 0 with all


class SimilarItems:
    """The items whose vectors have the largest cosines with another one's; their biases do not count.

    Args:
        network: Two towers; None: all columns count.
        vectors: The catalogue's, as the network makes them.

    Example:
        >>> vectors = ItemVectors(torch.tensor([[1.0, 0.0], [3.0, 3.0], [0.0, 2.0]]))
        >>> similar = SimilarItems(None, vectors)  # a network would say which columns are biases
        >>> similar.best(torch.tensor([[5.0, 0.0]]), 2, closed=torch.tensor([0]))
        (tensor([1, 2]), tensor([0.7071, 0.0000]))
    """

    def __init__(self, network: Network | None, vectors: ItemVectors) -> None:
        own = isinstance(network, ItemNetwork)
        self._width: int = network.item_encoder.width if own else vectors.width  # type: ignore[assignment, union-attr]
        parts = [self._unit(block) for _, block in vectors.blocks(_BLOCK)]
        empty = torch.empty(0, self._width, device=vectors.device)
        self._index = ExactIndex(torch.cat([empty, *parts]))

    def best(
        self, vector: Tensor, k: int, closed: Tensor, allow: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the rows of the k most similar items, and their cosines; ties in the catalogue's order.

        Args:
            vector: ``[1, D]``, as the network makes it.
            k: Number of items.
            closed: Not these rows.
            allow: Only these rows.
        """
        found = self._index.search(self._unit(vector), k, deny=closed, allow=allow)
        there = found.rows[0] >= 0
        return found.rows[0][there].cpu(), found.scores[0][there].cpu()

    def _unit(self, vectors: Tensor) -> Tensor:
        # other columns are biases, and what neighbors know
        vectors = vectors[:, : self._width].float()
        unit: Tensor = vectors / torch.linalg.vector_norm(vectors, dim=1, keepdim=True).clamp(
            min=_LEAST
        )
        return unit
