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


def test_the_commands_need_no_extra():
    """Each is absent where `tools/quickstart` installed lit_rec."""
    extras = ["faiss", "peft", "optuna", "wn", "sentencepiece", "sacremoses", "sklearn"]
    script = f"""
import sys
sys.modules.update(dict.fromkeys({extras}))
import lit_rec.cli.rec_cli, lit_rec.cli.predict_cli, lit_rec.inference.recommender
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
