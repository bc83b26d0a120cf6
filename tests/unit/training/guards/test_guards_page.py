"""docs/guards.md: its YAML is taken, every guard is on it, and the guard of one's own trains."""

import inspect
import re
from pathlib import Path

import pytest
import torch
import yaml

from lit_rec.training.guards.guard import Guard
from lit_rec.training.lit_rec import LitRec
from tests.unit.training.page_parts import options_of, parts_of

from .small_runs import run

pytestmark = pytest.mark.filterwarnings("default")

PAGE = (Path(__file__).parents[4] / "docs/guards.md").read_text(encoding="utf-8")
SNIPPETS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
OWN = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(
    ("path", "options"), [part for snippet in SNIPPETS for part in parts_of(snippet)]
)
def test_classes_and_options_are_there(path, options):
    assert set(options) <= options_of(path)


def test_options_of_the_module_are_there():
    given = {name for snippet in SNIPPETS for name in snippet.get("model", {})}
    assert {"layer_decay", "r_drop", "encoder_decay"} < given
    assert given <= set(inspect.signature(LitRec).parameters)


def test_every_guard_has_a_row():
    import lit_rec.cli.short_names  # noqa: F401

    def below(kind):
        return {kind, *(each for sub in kind.__subclasses__() for each in below(sub))}

    names = {
        kind.__name__ for kind in below(Guard) if kind.__module__.startswith("lit_rec.")
    } - {"Guard", "Adversary", "OneItem"}  # fmt: skip
    assert {"FGM", "PGD", "AWP", "Mixout", "PullToStart", "WordDropout"} < names
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert all(any(f"`{name}`" in row for row in rows) for name in names)


def test_a_guard_of_ones_own_trains(folder, cache):
    space = {}
    exec(OWN[1], space)
    module, trainer = run(folder, cache, space["ReversedTexts"](), steps=1)
    batch = next(iter(trainer.datamodule.train_dataloader()))
    found = space["ReversedTexts"]().changed(batch)
    for item in range(len(batch.items.vocab_row)):
        before, after = (
            torch.cat([
                of.texts.tokens[of.texts.offsets[t] : of.texts.offsets[t + 1]]
                for t in of.items.text_index[item].tolist()
            ])
            for of in (batch, found)
        )  # fmt: skip
        assert after.tolist() == before.flip(0).tolist()
    assert module.trainer.global_step == 1
