"""docs/labels.md: its YAML names classes that there are, with options that they take."""

import re
from pathlib import Path

import pytest
import yaml

from .page_parts import options_of, parts_of

PAGE = (Path(__file__).parents[3] / "docs/labels.md").read_text(encoding="utf-8")
SNIPPETS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize(
    ("path", "options"), [part for snippet in SNIPPETS for part in parts_of(snippet)]
)
def test_classes_and_options_are_there(path, options):
    assert set(options) <= options_of(path)


def test_metrics_are_those_that_are_logged():
    from lit_rec.training.callbacks.monitors import METRICS

    named = set(re.findall(r"`(val/[\w@]+)`", PAGE))
    assert named == {
        m for name in ("label", "rating") for m in METRICS[name] if m[:4] == "val/"
    } - {"val/mae"}
