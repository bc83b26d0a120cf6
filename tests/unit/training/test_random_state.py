import random

import numpy as np
import torch

from lit_rec.training.random_state import random_state, restore_random_state


def drawn():
    return random.random(), float(np.random.rand()), torch.rand(3).tolist()


def test_chance_goes_on_where_it_was_through_a_safe_load(tmp_path):
    torch.save(random_state(), tmp_path / "state.pt")
    first = drawn()
    assert drawn() != first
    restore_random_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert drawn() == first
