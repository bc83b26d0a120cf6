"""The made-up encoder of test_lit_rec, and a cache for all runs on it."""

import pytest

from tests.unit.training.test_lit_rec import folder  # noqa: F401


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    """A folder in which runs share what is prepared."""
    return tmp_path_factory.mktemp("self_training")
