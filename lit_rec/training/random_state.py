"""The state of every random generator, of every process, in values that ``weights_only=True`` reads."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def random_state() -> dict[str, Any]:
    """Return the state of the generators of Python, NumPy and torch, and of this process's CUDA device."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    state = {
        "python": random.getstate(),
        "numpy": [
            str(name),
            [int(key) for key in keys],
            int(position),
            int(has_gauss),
            float(gauss),
        ],
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def restore_random_state(state: dict[str, Any]) -> None:
    """Set the generators to the state that ``random_state`` returned."""
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, np.array(keys, np.uint32), position, has_gauss, cached))
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])


def of_all_ranks(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each process's ``state``, in the order of ranks; every process calls this."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [state]
    states = [state] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(states, state)
    return states
