"""The nearest items against a search over all pairs; where vectors come from, see test_frozen_vectors."""

from __future__ import annotations

import pytest
import torch

from lit_rec.vectors import nearest_items
from lit_rec.vectors.nearest_items import nearest_of


@pytest.mark.parametrize("numbers", [2**26, 40])  # 40: five rows at once
def test_nearest_of_all_pairs(monkeypatch: pytest.MonkeyPatch, numbers: int) -> None:
    monkeypatch.setattr(nearest_items, "_NUMBERS", numbers)
    torch.manual_seed(0)
    vectors = torch.nn.functional.normalize(torch.randn(23, 4), dim=1)
    known = torch.tensor([0, 3, 4, 9, 11, 17, 20, 22])
    found = nearest_of(vectors, known, most=3)
    for item in range(23):
        others = [other for other in known.tolist() if other != item]
        by_cosine = sorted(others, key=lambda o: float(vectors[item] @ vectors[o]))
        assert found[item].tolist() == by_cosine[-3:]


def test_fewer_known_than_wanted() -> None:
    vectors = torch.eye(3)
    assert nearest_of(vectors, torch.tensor([1]), most=2).tolist() == [[-1, 1], [-1, -1], [-1, 1]]
    assert nearest_of(vectors, torch.tensor([], dtype=torch.int64), most=1).tolist() == [[-1]] * 3


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_same_on_a_gpu() -> None:
    torch.manual_seed(0)
    vectors, known = torch.randn(50, 4), torch.arange(0, 50, 2)
    found = nearest_of(vectors.cuda(), known.cuda(), most=3)
    assert (found == nearest_of(vectors, known, most=3)).all()
