"""The space that docs/search.md shows is one."""

import re
from pathlib import Path

import pytest

from lit_rec.cli.options.strict_yaml import load_strictly
from lit_rec.cli.search.parsed_config import parsed_config
from lit_rec.search.ranges import Choices
from lit_rec.search.space import space_of

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.filterwarnings("default")


def test_the_space_of_the_page(monkeypatch):
    monkeypatch.chdir(ROOT)
    text = re.search(r"```yaml\n(.*?)```", (ROOT / "docs/search.md").read_text(), re.S)[1]
    words = ["-c", "configs/quickstart.yaml", "--model.network.head=MLPHead"]
    words += ["--model.network.item_encoder.backbone.tuning=FullTuning"]
    space = space_of(load_strictly(text), parsed_config(words), "docs/search.md")
    assert len(space.ranges) == 6
    head = "model.network.init_args.head"
    assert space.ranges[head] == Choices(("DotHead", "MLPHead"))
    # the page says that DotHead has no dropout
    changed = {option: one.value(space.first()[option]) for option, one in space.ranges.items()}
    changed |= {head: "DotHead"}
    del changed[f"{head}.init_args.dropout"]
    space.note(head, "DotHead", parsed_config([*words, *space.words(changed)]))
    assert space._lacking == {(head, "DotHead"): {f"{head}.init_args.dropout"}}
