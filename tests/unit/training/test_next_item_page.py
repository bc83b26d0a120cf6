"""docs/next_item.md: its classes are there, with the options and defaults that it names."""

import re
from pathlib import Path

import pytest
import yaml

from lit_rec.data.batches import negatives
from lit_rec.models.objectives.ranking import BPR, ItemSoftmax
from lit_rec.tasks.registry import task_named
from lit_rec.training.callbacks.monitors import logged_names

from .page_parts import options_of, parts_of

PAGE = (Path(__file__).parents[3] / "docs/next_item.md").read_text(encoding="utf-8")
(SNIPPET,) = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize(("path", "options"), list(parts_of(SNIPPET)))
def test_classes_and_options_are_there(path, options):
    assert set(options) <= options_of(path)


def test_defaults_are_those_of_the_table():
    named = dict(re.findall(r"`(\w+Negatives)` \(by default for `(\w+)`\)", PAGE))
    assert named == {
        type(objective().negatives).__name__: objective.__name__ for objective in (ItemSoftmax, BPR)
    }
    kinds = {name for name in vars(negatives) if name.endswith("Negatives")} - {"Negatives"}
    assert kinds <= set(re.findall(r"`(\w+Negatives)[`(]", PAGE))


def test_metrics_are_those_that_are_logged():
    for named in re.findall(r"`(val/[\w@]+)`", PAGE):
        assert named in logged_names(task_named("next_item"))
