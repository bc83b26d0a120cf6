"""What holds for every test: no network, one thread, and the working folder as it was."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when huggingface_hub is imported


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    import torch

    # another number of threads adds in another order
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _working_folder_stays():
    before = Path.cwd()
    yield
    after = Path.cwd()
    os.chdir(before)
    assert after == before, f"the test left the working folder at {after}"


def pytest_collection_modifyitems(items):
    """Begin with files that have slow tests: the last to begin would run alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
