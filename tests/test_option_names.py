"""Parts name options as a caller in Python gave them: by class and parameter, which have to be there."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import lightning
import pytest

ROOT = Path(__file__).parents[1]
# these are asked on a command line, and speak of configurations
ASKED_THERE = {"cli", "check", "init", "search"}
MODULES = [
    path
    for path in sorted((ROOT / "lit_rec").rglob("*.py"))
    if path.relative_to(ROOT).parts[1] not in ASKED_THERE
]
# it compares two configurations by their paths
SPEAK_OF_CONFIGURATIONS = {"lit_rec/training/checkpoint/options.py"}
ERRORS = {"ConfigError", "DataError", "CheckpointError"}
CHECKS = {"option_of", "positive", "penalty", "finite", "share", "part_of_all", "count"}
PATH = re.compile(r"\b(data|model|trainer)\.[a-z_]|init_args|model\.\.\.")
OPTION = re.compile(r"\b([A-Z]\w+)\.([a-z_]\w*)")


def named_options(source: str, kinds: set[str]) -> Iterator[tuple[str, str]]:
    """Classes and parameters that a module names in errors and checks; ``self`` as the class that is around."""
    yield from _named(ast.parse(source), "", kinds)


def _named(node: ast.AST, around: str, kinds: set[str]) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.ClassDef):
        around = node.name
    called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
    if called in ERRORS:
        for text in texts_of(node):
            yield from (pair for pair in OPTION.findall(text) if pair[0] in kinds)
    if called in CHECKS and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
        part = getattr(node.args[0], "value", getattr(node.args[0], "id", None))
        if part == "self" or part in kinds:
            yield around if part == "self" else part, node.args[1].value
    for child in ast.iter_child_nodes(node):
        yield from _named(child, around, kinds)


def texts_of(error: ast.Call) -> Iterator[str]:
    """What an error says of where, rule and remedy, but for what is put into it."""
    for keyword in error.keywords:
        for part in ast.walk(keyword.value):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def hard_coded_paths(source: str) -> list[str]:
    """Texts of errors that say where a part stands in a configuration."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    errors = [node for node in calls if getattr(node.func, "id", "") in ERRORS]
    return [text for error in errors for text in texts_of(error) if PATH.search(text)]


def classes() -> dict[str, list[type]]:
    """All classes of lit_rec by their names, with those that derive from each, and the Trainer."""
    found: dict[str, list[type]] = {"Trainer": [lightning.Trainer]}
    for path in MODULES:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for kind in vars(importlib.import_module(name)).values():
            if inspect.isclass(kind) and kind.__module__.startswith("lit_rec."):
                for base in kind.__mro__[:-1]:
                    found.setdefault(base.__name__, []).append(kind)
    return found


def test_options_that_errors_name_are_there():
    known = classes()
    found = [
        (path.name, kind, option)
        for path in MODULES
        for kind, option in named_options(path.read_text("utf-8"), set(known))
    ]
    assert len(found) > 60
    assert {("PastHistory", "max_length"), ("Trainer", "precision")} & {pair[1:] for pair in found}
    missing = [
        entry
        for entry in found
        if not any(
            # what a class hands on to the one it derives from counts, too
            entry[2] in inspect.signature(base.__init__).parameters or hasattr(base, entry[2])
            for kind in known[entry[1]]
            for base in kind.__mro__
        )
    ]
    assert missing == []


def test_no_part_says_where_another_stands():
    found = {
        name: paths
        for path in MODULES
        if (name := path.relative_to(ROOT).as_posix()) not in SPEAK_OF_CONFIGURATIONS
        and (paths := hard_coded_paths(path.read_text("utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('ConfigError("data.x is", where="data.task")', ["data.task"]),
        ('DataError("x", remedy=f"set {a} or model.network.init_args.head")', None),
        ('ConfigError("x", where=option_of(self, "task"), rule="data")', []),
    ],
)
def test_hard_coded_paths_are_seen(text: str, paths: list[str] | None):
    found = hard_coded_paths(text)
    assert found if paths is None else found == paths


def test_options_that_are_not_there_would_be_seen():
    source = 'class Ab:\n    def f(self):\n        positive(self, "b", 1)\n'
    source += 'ConfigError("Ab.x", remedy=f"set Ab.c {y}, see Os.path")\ncount(Ab, "d", 1)'
    assert sorted(named_options(source, {"Ab"})) == [("Ab", "b"), ("Ab", "c"), ("Ab", "d")]
