"""docs/labels.md: its YAML names classes that there are, with options that they take."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

PAGE = (Path(__file__).parents[3] / "docs/labels.md").read_text(encoding="utf-8")
SNIPPETS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def parts_of(value):
    """Yield every class of a configuration with its options."""
    if isinstance(value, dict):
        if "class_path" in value:
            yield value["class_path"], value.get("init_args", {})
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from parts_of(inner)


@pytest.mark.parametrize(
    ("path", "options"), [part for snippet in SNIPPETS for part in parts_of(snippet)]
)
def test_classes_and_options_are_there(path, options):
    module, _, name = path.rpartition(".")
    assert set(options) <= set(inspect.signature(getattr(import_module(module), name)).parameters)


def test_metrics_are_those_that_are_logged():
    from lit_rec.training.monitors import METRICS

    named = set(re.findall(r"`(val/[\w@]+)`", PAGE))
    assert named == {
        m for name in ("label", "rating") for m in METRICS[name] if m[:4] == "val/"
    } - {"val/mae"}
