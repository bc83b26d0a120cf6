"""The rules of the house that no linter knows; each rule is also shown something that breaks it."""

import ast
import os
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from tests.import_graph import (
    DOCUMENTED,
    between_folders,
    circle_of,
    import_graph,
    imports_of,
)

ROOT = Path(__file__).parents[1]
FOLDERS = ("lit_rec", "tests", "tools", "configs", "docs", ".ci")
MODULES = sorted((ROOT / "lit_rec").rglob("*.py"))
PYTHON = [
    *MODULES,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "tools").rglob("*.py")),
]
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
MAX_LINES = 300  # of code
MAX_FILES = 15
EMPTY_NAMES = {"util", "utils", "common", "base", "misc", "helper", "helpers"}
# A room imports from rooms with a lower number and from its own.
RANKS = {"errors": 0, "stopping": 0, "progress": 0, "processes": 0, "ranges": 1, "files": 1}
RANKS |= {"data": 2, "init": 3, "models": 3, "evaluation": 4, "vectors": 5, "tasks": 6}
RANKS |= {"training": 7, "inference": 8, "check": 8, "export": 8, "search": 8, "cli": 9}
TASKS = {"rating", "label", "next_item"}
WITHOUT_LIGHTNING = ("models", "evaluation")
# Written as patterns that do not match themselves, so that this file keeps its own rules.
LOCAL = re.compile(r"/wor[k]/|/far[m]/|/roo[t]/|pypi[.]org|pythonhoste[d]")
UNFINISHED = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|NotImplementedErro[r]|placeholde[r])\b")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the project; what git ignores lies elsewhere."""
    paths = [path for path in ROOT.iterdir() if path.suffix in {".md", ".toml", ".txt", ".yaml"}]
    for folder in FOLDERS:
        paths += (ROOT / folder).rglob("*")
    for path in paths:
        if path.is_file() and "__pycache__" not in path.parts:
            try:
                yield path, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


def module_of(path: Path) -> tuple[str, bool]:
    """Full name of a module, and whether it is a package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if is_package else parts), is_package


def breaches(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """Imports of one module of lit_rec that point the wrong way."""
    room = [*module.split("."), ""][1]
    found = []
    for name in sorted(imports_of(source, module, is_package=is_package)):
        parts = name.split(".")
        if parts[0] in {"lightning", "pytorch_lightning"} and room in WITHOUT_LIGHTNING:
            found.append(name)
        # The package's own page may show what any room offers.
        if parts[0] != "lit_rec" or not room or name == "lit_rec.__version__":
            continue
        target = [*parts, ""][1]
        if target not in RANKS or RANKS[target] > RANKS[room]:
            found.append(name)
    return found


def task_comparisons(source: str) -> list[str]:
    """Where a task's name is compared with a string: what depends on a task is in its own files."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Compare | ast.Match):
            continue
        asked = node.subject if isinstance(node, ast.Match) else node
        about = {part.attr for part in ast.walk(asked) if isinstance(part, ast.Attribute)}
        about |= {part.id for part in ast.walk(asked) if isinstance(part, ast.Name)}
        words = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
        if "task" in about and words & TASKS:
            found.append(ast.unparse(node))
    return found


def test_there_is_something_to_check():
    assert len(MODULES) > 10
    assert CONFIGS


def code_lines(source: str) -> int:
    """Lines of a file, but for its docstrings."""
    inner = [
        node.body[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, DOCUMENTED) and node.body
    ]
    texts = [
        node
        for node in inner
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    return len(source.splitlines()) - sum(node.end_lineno - node.lineno + 1 for node in texts)


def test_docstrings_are_no_code():
    assert code_lines('"""A.\n\nB.\n"""\n\n\ndef f():\n    """C."""\n    return 1\n') == 4


def test_file_is_one_idea():
    """A file too long is split by ideas, and its name says what is inside."""
    counts = {name_of(path): code_lines(path.read_text(encoding="utf-8")) for path in PYTHON}
    assert [(name, count) for name, count in counts.items() if count > MAX_LINES] == []
    parts = {
        name_of(path): {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}
        for path in PYTHON
    }
    assert [name for name, found in parts.items() if found & EMPTY_NAMES] == []


def test_folders_are_short():
    """Files of a folder that is looked through, without its empty ``__init__``."""
    folders = {path.parent for path in MODULES}
    counts = {name_of(each): len([*each.glob("*.py")]) - 1 for each in folders}
    assert [(name, count) for name, count in counts.items() if count > MAX_FILES] == []


def test_imports_point_one_way():
    found = []
    for path in MODULES:
        module, is_package = module_of(path)
        room = [*module.split("."), ""][1]
        assert not room or room in RANKS, f"{module} is outside the rooms"
        wrong = breaches(path.read_text(encoding="utf-8"), module, is_package=is_package)
        found += [(module, name) for name in wrong]
    assert found == []


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("lit_rec.models.ids", "from lit_rec.data.batches.batch import RecBatch", []),
        ("lit_rec.models.ids", "from lit_rec import training", ["lit_rec.training"]),
        (
            "lit_rec.models.ids",
            "def f():\n    import lightning.pytorch",
            ["lightning.pytorch"],
        ),
        ("lit_rec.models.ids", "from lightning import fabric", ["lightning.fabric"]),
        (
            "lit_rec.models.ids",
            "from ..training import lit",
            ["lit_rec.training.lit"],
        ),
        ("lit_rec.models.ids", "from .pooling import MeanPooling", []),
        ("lit_rec.training.lit", "import lightning", []),
        (
            "lit_rec.models.ids",
            'def f():\n    """F.\n\n    >>> if f:\n    ...     from lit_rec.cli import main\n    """',
            ["lit_rec.cli.main"],
        ),
        ("lit_rec.models.ids", 'class A:\n    """>>> import lightning"""', ["lightning"]),
        ("lit_rec.training.lit", '""">>> from lit_rec.models import ids"""', []),
        ("lit_rec.data.prepared", "import lit_rec.cli.main", ["lit_rec.cli.main"]),
        ("lit_rec.data.prepared", "from lit_rec import Recommender", ["lit_rec.Recommender"]),
        ("lit_rec.data.prepared", "from lit_rec import __version__", []),
        ("lit_rec", "from lit_rec.inference import Recommender", []),
    ],
)
def test_wrong_imports_are_seen(module: str, source: str, found: list[str]):
    assert breaches(source, module) == found


def test_imports_form_no_circle():
    """Each module can be read after what it imports, its examples too; and each folder of a room after others."""
    modules = {}
    for path in MODULES:
        module, is_package = module_of(path)
        if module != "lit_rec":  # the package's own page may show what any room offers
            source = path.read_text(encoding="utf-8")
            modules[module] = imports_of(source, module, is_package=is_package)
    graph = import_graph(modules)
    assert sum(map(len, graph.values())) > len(graph) > 100
    assert circle_of(graph) == []
    assert circle_of(between_folders(graph)) == []


def test_circles_are_seen():
    sources = {
        "prepared": "from .fields import field",  # a file in the room stands alone
        "fields.number": "from lit_rec.data.fields.field import Field",
        "fields.field": "import lit_rec.data.arrays",
        "tables.rows": "def read():\n    from ..fields import number",
        "tables.cells": "import polars",
        "arrays": "",
    }

    def graph(**changed: str) -> dict[str, set[str]]:
        modules = {f"lit_rec.data.{name}": source for name, source in (sources | changed).items()}
        return import_graph(
            {name: imports_of(source, name, is_package=False) for name, source in modules.items()}
        )

    assert circle_of(graph()) == circle_of(between_folders(graph())) == []
    example = 'class Field:\n    """>>> from lit_rec.data.fields import number"""'
    two = {"lit_rec.data.fields.field", "lit_rec.data.fields.number"}
    assert {*circle_of(graph(**{"fields.field": example}))} == two
    # no two modules need each other, but two folders do
    folders = graph(**{"fields.field": "import lit_rec.data.tables.cells"})
    assert circle_of(folders) == []
    assert {*circle_of(between_folders(folders))} == {"lit_rec.data.fields", "lit_rec.data.tables"}


def test_no_file_compares_the_name_of_a_task():
    found = {name_of(path): task_comparisons(path.read_text(encoding="utf-8")) for path in MODULES}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("a = facts.task == 'label'", 1),
        ("if task not in ('rating', 'label'): pass", 1),
        ("match data.task:\n    case 'rating': pass", 1),
        ("role == 'rating'", 0),
        ("facts.task != other.task", 0),
        ("data.task = 'label'", 0),
    ],
)
def test_comparisons_of_a_task_are_seen(source: str, found: int):
    assert len(task_comparisons(source)) == found


def test_relative_imports_of_a_package_start_at_the_package():
    source = "from . import heads\nfrom ..training import lit"
    assert imports_of(source, "lit_rec.models", is_package=True) == {
        "lit_rec.models.heads",
        "lit_rec.training.lit",
    }


def test_nothing_speaks_of_one_machine_or_is_left_for_later():
    found = []
    checked = 0
    for path, text in texts():
        checked += 1
        for number, line in enumerate(text.splitlines(), 1):
            if LOCAL.search(line) or (path.suffix == ".py" and UNFINISHED.search(line)):
                found.append(f"{name_of(path)}:{number}: {line.strip()[:80]}")
    assert checked > len(PYTHON)
    assert not found


def test_forbidden_words_are_seen():
    assert LOCAL.search("/".join(["see ", "work", "main"]))
    assert UNFINISHED.search("# todo: later".upper())
    assert not UNFINISHED.search("XXL")


@pytest.mark.parametrize(
    "name",
    [
        *(f"tools/{command}" for command in ("benchmark", "quickstart", "test", "torture")),
        "tools/fetch_assets.py",
        ".ci/run",
    ],
)
def test_commands_can_be_run(name: str):
    path = ROOT / name
    assert os.access(path, os.X_OK), f"chmod +x {name}"
    assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env ")


def test_config_opens_with_its_command():
    """The first lines are a comment that says what it trains, and by which command."""
    silent = []
    for path in CONFIGS:
        lines = path.read_text(encoding="utf-8").splitlines()
        comment = "\n".join(takewhile(lambda line: line.startswith("#"), lines))
        if not re.search(rf"lit-rec \w+ .*{re.escape(name_of(path))}", comment):
            silent.append(name_of(path))
    assert silent == []
