"""item_knn: items that the same users had."""

from __future__ import annotations

import torch
from torch import Tensor

from lit_rec.models.neighbors.baskets import Baskets
from lit_rec.models.neighbors.item_tables import DenseTable, NeighborTable

_ROWS = 1024  # of the table that are divided at once: bounds the memory, not the result


def item_knn_table(together: Tensor, shrinkage: float) -> DenseTable:
    """Return shrunk cosines: ``c[i, j] / (sqrt(c[i, i] * c[j, j]) + shrinkage)``.

    Pairs of rare items have high cosines by chance; shrinkage lowers these most.

    Args:
        together: ``[I, I]``, see ``Baskets.together``. It is overwritten, because it may take gigabytes.
        shrinkage: 0 or more.

    Reference:
        Sarwar et al. 2001, Item-based collaborative filtering, https://doi.org/10.1145/371920.372071; with shrinkage:
        Ferrari Dacrema et al. 2019, https://arxiv.org/abs/1907.06902.

    Example:
        >>> together = torch.tensor([[4.0, 2.0], [2.0, 1.0]])
        >>> item_knn_table(together, shrinkage=2.0).values
        tensor([[0.0000, 0.5000],
                [0.5000, 0.0000]])
    """
    root = together.diagonal().sqrt()
    for start in range(0, len(root), _ROWS):
        part = slice(start, start + _ROWS)
        together[part] /= torch.outer(root[part], root).add_(shrinkage).clamp_(min=1e-12)
    return DenseTable(together.fill_diagonal_(0))


def item_knn_neighbors(baskets: Baskets, shrinkage: float, most: int) -> NeighborTable:
    """Return the same for a large catalogue: for each item the ``most`` that it shares most users with.

    Example:
        >>> import numpy as np
        >>> baskets = Baskets(np.array([0, 0, 1]), np.array([0, 1, 0]), items=2)
        >>> table = item_knn_neighbors(baskets, shrinkage=0.0, most=1)
        >>> table.index.tolist(), [[round(v, 4) for v in row] for row in table.value.tolist()]
        ([[1], [0]], [[0.7071], [0.7071]])
    """
    index, value = baskets.companions(most)
    root = torch.from_numpy(baskets.counts).float().sqrt()
    for start in range(0, len(index), 2**16):
        part = slice(start, start + 2**16)
        both = root[part].unsqueeze(1) * root[index[part].long()]
        value[part] /= (both + shrinkage).clamp(min=1e-12)
    return NeighborTable(index, value)
