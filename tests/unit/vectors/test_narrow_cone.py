"""Vectors of some encoders, E5 among them, share a large part: what compares texts must not see it."""

import numpy as np
import pytest
import torch

from lit_rec.data.batches.batch import Items
from lit_rec.data.facts import Facts
from lit_rec.evaluation.baselines.frozen_ratings import unit_vectors
from lit_rec.models.items.field_sum import FieldSum
from lit_rec.models.starts.gaussian_process import GaussianProcessStart

TEXTS, WIDTH = 40, 12


@pytest.fixture
def vectors():
    """Vectors of texts, and the same in a narrow cone: unrelated ones have cosines above 0.9."""
    spread = torch.randn(TEXTS, WIDTH, generator=torch.Generator().manual_seed(0))
    shared = spread + 12.0 * torch.ones(WIDTH) / WIDTH**0.5
    unit = torch.nn.functional.normalize(shared, dim=1)
    assert (unit @ unit.T).mean() > 0.9
    return spread, shared


def of_baselines(vectors):
    return torch.from_numpy(unit_vectors(vectors[:, None].double().numpy()))


def of_neighbors(vectors):
    rows = torch.arange(TEXTS)
    items = Items(rows[:, None], rows, rows + 1)
    fields, has_token = (
        FieldSum(1, WIDTH, (), 4, 0.0, balanced=True),
        torch.ones(TEXTS, dtype=torch.bool),
    )
    fields.calibrate(vectors, has_token, items)
    return fields.unit_texts(vectors, has_token, items)


def of_items(vectors):
    rows = torch.arange(TEXTS)
    items = Items(rows[:, None], rows, rows + 1)
    fields, has_token = (
        FieldSum(1, WIDTH, (), 4, 0.0, balanced=True),
        torch.ones(TEXTS, dtype=torch.bool),
    )
    fields.calibrate(vectors, has_token, items)
    found = fields(fields.project(vectors, has_token), items)
    return found @ found.T  # components may have the other sign


def of_gaussian_process(vectors):
    start = GaussianProcessStart(Facts.example(), WIDTH, rank=2, draws=1, components=5)
    start.calibrate(vectors[:, None])
    found = start._projected(vectors[:, None])
    return found @ found.T


@pytest.mark.parametrize("compared", [of_baselines, of_neighbors, of_items, of_gaussian_process])
def test_a_part_that_all_share_changes_nothing(vectors, compared):
    spread, shared = vectors
    expected, found = compared(spread).detach(), compared(shared).detach()
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-4)
