"""Which classes and functions are on the site: those that a YAML may name or a page imports, and their base classes.

The code is parsed and not imported, so that building the site takes seconds.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def public_classes() -> dict[str, list[str]]:
    """Return public names by module, such as ``{"lit_rec.models.ids": ["NoIds"]}``, in the order of the code."""
    named: set[tuple[str, str]] = set()
    for module in sorted(_configured()):
        named |= {(module, name) for name in _classes(module)}
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            named |= {
                (module, name)
                for name, module in _origins(ast.parse(block)).items()
                if name in _defined(module)
            }
    for module in _imported(_tree("lit_rec")):  # the public face, by name
        face = [*_strings(_tree("lit_rec"), "__all__")]
        named |= {(module, name) for name in face if name in _defined(module)}
    waiting = [*named]
    while waiting:
        for found in _bases(*waiting.pop()):
            if found not in named:
                named.add(found)
                waiting.append(found)
    return {
        module: [name for name in _defined(module) if (module, name) in named]
        for module in sorted({module for module, _ in named})
    }


def _configured() -> set[str]:
    """Return the modules whose classes a YAML may name."""
    short_names = _tree("lit_rec.cli.short_names")
    found = _imported(short_names)
    for folder in _strings(short_names, "FOLDERS"):
        files = ROOT.joinpath(*folder.split(".")).glob("[!_]*.py")
        found |= {f"{folder}.{path.stem}" for path in files}
    return found


def _path(module: str) -> Path | None:
    path = ROOT / Path(*module.split("."))
    for found in (path.with_suffix(".py"), path / "__init__.py"):
        if found.is_file():
            return found
    return None


@cache
def _tree(module: str) -> ast.Module:
    path = _path(module)
    return ast.parse("" if path is None else path.read_text(encoding="utf-8"))


def _imported(tree: ast.AST) -> set[str]:
    """Return the modules of lit_rec that some code imports."""
    found = {name for name in _origins(tree).values() if name.startswith("lit_rec.")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name.startswith("lit_rec.")}
    return found


def _origins(tree: ast.AST) -> dict[str, str]:
    """Return imported name -> the module of lit_rec that it comes from."""
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("lit_rec")
        for alias in node.names
    }


def _defined(module: str) -> list[str]:
    """Return the public classes and functions of a module."""
    kinds = (ast.ClassDef, ast.FunctionDef)
    return [n.name for n in _tree(module).body if isinstance(n, kinds) and n.name[0] != "_"]


def _classes(module: str) -> list[str]:
    nodes = [node for node in _tree(module).body if isinstance(node, ast.ClassDef)]
    return [node.name for node in nodes if node.name[0] != "_"]


def _bases(module: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield the public base classes of a class in lit_rec, also those behind private ones."""
    tree = _tree(module)
    origins = _origins(tree)
    node = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name), None)
    for base in node.bases if node is not None else ():
        if not isinstance(base, ast.Name):
            continue
        there = origins.get(base.id, module)
        if base.id.startswith("_"):
            yield from _bases(there, base.id)
        elif base.id in _classes(there):
            yield there, base.id


def _strings(tree: ast.Module, name: str) -> Iterator[str]:
    """Yield the strings of a list that a module assigns to a name."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == name for t in node.targets):
            yield from ast.literal_eval(node.value)
