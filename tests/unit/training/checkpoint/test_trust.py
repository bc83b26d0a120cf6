"""Names of trusted modules; tests/integration/test_own_task.py imports one for its task."""

import pytest

from lit_rec.errors import ConfigError
from lit_rec.training.checkpoint.trust import modules_named, without_trust


def test_names_of_modules():
    assert modules_named("my_parts") == ("my_parts",)
    for wrong in ("my parts", "a/b", "x.", ""):
        with pytest.raises(ConfigError, match="--trust"):
            modules_named([wrong])
    with pytest.raises(ConfigError):
        without_trust(["test", "--trust"])
