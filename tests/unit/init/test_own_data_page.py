"""docs/own_data.md: its YAML is understood, its options and names are those that there are."""

import re
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

from lit_rec.cli.init import _parser
from lit_rec.data.fields.field import Field
from lit_rec.data.history.histories import History
from lit_rec.data.readers.plain import _CANONICAL, TableReader
from lit_rec.data.splits.splits import Split
from lit_rec.data.texts.template import TextTemplate

PAGE = (Path(__file__).parents[3] / "docs/own_data.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
PARTS = {"text": TextTemplate, "split": Split, "history": History}
TARGETS = {"task": str, "target_events": list[str]}
LISTS = {"item_fields": list[Field], "user_text": TextTemplate, "user_fields": list[Field]}


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda s: re.search(r"\w+", s)[0])
def test_snippets_are_understood(snippet):
    name = re.search(r"\w+", snippet)[0]
    parser = ArgumentParser()
    if name in (*LISTS, *TARGETS):
        for option, kind in (LISTS | TARGETS).items():
            parser.add_argument(f"--{option}", type=kind)
    elif name in PARTS:
        parser.add_subclass_arguments(PARTS[name], name)
    else:
        parser.add_class_arguments(TableReader)
    build = getattr(parser, "instantiate", None) or parser.instantiate_classes
    assert build(parser.parse_string(snippet))


def test_there_are_snippets_of_every_part():
    assert {re.search(r"\w+", snippet)[0] for snippet in SNIPPETS} == {
        *PARTS,
        "behaviors",
        "item_fields",
        "task",
        "user_text",
    }


def test_options_of_init_are_named():
    options = {o for action in _parser()._actions for o in action.option_strings if o[:2] == "--"}
    assert options - {"--help", "--encoder"} == set(
        re.findall(r"(?<=`)--(?!json|data)[a-z_]+", PAGE)
    )


def test_canonical_names_are_named():
    table = PAGE.partition("## Columns")[2].partition("## Parts")[0]
    cells = re.findall(r"^\| ([a-z_, ]+) \|", table, re.MULTILINE)
    named = {name for cell in cells for name in cell.split(", ")}
    assert named - {"name"} == set(_CANONICAL)
