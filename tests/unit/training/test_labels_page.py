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
    from lit_rec.tasks.registry import task_named
    from lit_rec.training.callbacks.monitors import logged_names

    named = set(re.findall(r"`(val/[\w@]+)`", PAGE))
    assert named == {
        metric
        for task in ("label", "rating")
        for metric in logged_names(task_named(task))
        if metric.startswith("val/")
    } - {"val/mae"}
