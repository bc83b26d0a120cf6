"""``from lit_rec import Recommender``, and nothing imported before it is used."""

import subprocess
import sys
from pathlib import Path

import pytest

import lit_rec

ROOT = Path(__file__).parents[2]
LIGHT = """
import sys
import lit_rec
assert set(lit_rec.__all__) <= set(dir(lit_rec))
print(sorted(name for name in sys.modules if name.partition(".")[0] in {"torch", "numpy", "polars", "lightning"}))
"""


def test_each_name_is_its_class_or_function():
    for name in lit_rec.__all__:
        found = getattr(lit_rec, name)
        assert name == "__version__" or (found.__name__ == name and callable(found))
    with pytest.raises(AttributeError, match="no attribute 'Recomender'"):
        lit_rec.Recomender  # noqa: B018


def test_the_package_alone_imports_none_of_what_takes_seconds():
    words = [sys.executable, "-c", LIGHT]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
