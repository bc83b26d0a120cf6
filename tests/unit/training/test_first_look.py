"""How much a new network is shown before it is trained."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lit_rec.training.first_look import _calibrate

KNOWN = 3000


class Catalogue:
    """Items of which every second one is known."""

    vocab_row = np.arange(2 * KNOWN) % 2 * np.arange(1, 2 * KNOWN + 1)

    def take(self, rows):
        moved = SimpleNamespace(rows=rows)
        moved.to = lambda device: moved
        return moved, moved


@pytest.mark.parametrize(("looks_at_all", "number"), [(False, 2048), (True, KNOWN)])
def test_a_network_sees_as_many_items_as_it_wants(looks_at_all, number):
    seen = []
    network = SimpleNamespace(
        looks_at_all=looks_at_all,
        calibrate=lambda texts, items: seen.append(items.rows),
        calibrate_profiles=lambda texts, users: seen.append(users.rows),
    )
    data = SimpleNamespace(catalogue=Catalogue(), profiles=Catalogue())
    _calibrate(network, data, torch.device("cpu"))
    assert [len(rows) for rows in seen] == [number, 2048], "of profiles some are enough"
    assert all((Catalogue.vocab_row[rows] > 0).all() for rows in seen)
