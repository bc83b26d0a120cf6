"""Every ``remedy=`` of lit_rec belongs to one file of this folder, which follows it."""

import ast
from pathlib import Path

from .followed import ROOT, remedies

# they hand a text on that another call gave them, or are examples
HANDED_ON = {"lit_rec/errors.py"}


def places_of(path):
    """What a file says that it follows."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "each_remedy_of":
            words = ", ".join(map(ast.unparse, node.args))
            yield from eval(f"[{words}]", {"ROOT": ROOT})


def test_each_remedy_belongs_to_one_file():
    files = sorted(Path(__file__).parent.rglob("test_*.py"))
    places = [place for path in files for place in places_of(path)]
    assert len(places) == len({*places}) > 50
    found = {remedy.path for remedy in remedies()} - HANDED_ON
    assert len(found) > 80
    owners = {
        path: [place for place in places if f"{path}/".startswith(f"lit_rec/{place}/")]
        for path in found
    }
    assert {path: of for path, of in owners.items() if len(of) != 1} == {}
