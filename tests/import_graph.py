"""Which modules import which, examples of docstrings included, and whether the imports form a circle."""

import ast
import doctest
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def nodes_of(source: str) -> Iterator[ast.AST]:
    """What a module consists of, the examples of its docstrings included."""
    for node in ast.walk(ast.parse(source)):
        yield node
        if isinstance(node, DOCUMENTED) and (docstring := ast.get_docstring(node)):
            for example in doctest.DocTestParser().get_examples(docstring):
                yield from ast.walk(ast.parse(example.source))


def imports_of(source: str, module: str, *, is_package: bool) -> set[str]:
    """Full names of all that a module imports, wherever in it the import stands."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    found = set()
    for node in nodes_of(source):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*start, *([node.module] if node.module else [])])
            found |= {f"{origin}.{alias.name}" for alias in node.names}
    return found


def import_graph(imported: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Modules by the modules that they import; an imported name belongs to the module that its longest part names."""

    def owners(name: str) -> Iterator[str]:
        while name and name not in imported:
            name = name.rpartition(".")[0]
        yield from [name] if name else []

    return {
        module: {owner for name in names for owner in owners(name)} - {module}
        for module, names in imported.items()
    }


def between_folders(graph: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Imports between folders of a room; a file in the room itself stands alone."""
    folders = {module: ".".join(module.split(".")[:3]) for module in graph}
    found: dict[str, set[str]] = {folder: set() for folder in folders.values()}
    for module, imported in graph.items():
        found[folders[module]] |= {folders[other] for other in imported} - {folders[module]}
    return found


def circle_of(graph: Mapping[str, set[str]]) -> list[str]:
    """One circle of imports, if there is any."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []
