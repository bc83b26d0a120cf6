"""docs/self_training.md: its YAML is taken, and its table holds every option with its default."""

import inspect
import re
from pathlib import Path

import pytest
import yaml

from lit_rec.training.self_training.self_training import SelfTraining
from tests.unit.training.page_parts import options_of, parts_of

PAGE = (Path(__file__).parents[4] / "docs/self_training.md").read_text(encoding="utf-8")
SNIPPETS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize(
    ("path", "options"), [part for snippet in SNIPPETS for part in parts_of(snippet)]
)
def test_classes_and_options_are_there(path, options):
    assert set(options) <= options_of(path)


def test_the_table_holds_every_option_with_its_default():
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([\d.]+) \|$", PAGE, re.MULTILINE)
    defaults = {
        name: option.default for name, option in inspect.signature(SelfTraining).parameters.items()
    }
    assert {name: float(value) for name, value in rows} == defaults
