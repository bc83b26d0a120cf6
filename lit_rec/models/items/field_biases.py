"""What the fields of items tell of how they are rated, before anything is trained."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from lit_rec.data.batches.batch import Items
from lit_rec.models.evaluation_mode import evaluation_mode
from lit_rec.models.ids import Ids
from lit_rec.models.items.field_sum import FieldSum

_MOST = 4096  # items that the regression is solved over, those of most rows: it holds the square of their number


class RatedItems(NamedTuple):
    """What ratings say of each known item: its bias, and the log of its share of the rows; see ``Facts``."""

    bias: tuple[float, ...]
    log_frequency: tuple[float, ...]


@torch.no_grad()
def begin_biases(
    fields: FieldSum,
    ids: Ids,
    rated: RatedItems,
    vectors: Tensor,
    told: Tensor,
    items: Items,
    penalty: float,
) -> None:
    """Begin with biases by ridge regression on the items' fields, and with ids that add what ratings say beyond them.

    So a known item has from the first step the bias of its ratings, and one whose id is unknown or dropped what its
    fields tell. Items count by their rows: of those that are often rated, and will be asked about most, the regression
    knows best.

    Args:
        fields: The items' fields, calibrated.
        ids: Their ids.
        rated: What their ratings say.
        vectors: Vectors of the texts ``[P, text_width]``.
        told: ``[P]`` bool, whether a text has a token.
        items: All N training items.
        penalty: Of ``shared_ridge``.
    """
    row = items.vocab_row
    biases, log_frequency = (vectors.new_tensor([0.0, *values]) for values in rated)
    counts = log_frequency[row].exp()
    most = torch.argsort(counts, descending=True, stable=True)[:_MOST]
    fields.begin_biases(vectors, told, items.take(most), biases[row[most]], counts[most], penalty)
    with evaluation_mode(fields):
        biases[row] -= fields(fields.project(vectors, told), items)[:, -1]
    ids.start_at(biases)
