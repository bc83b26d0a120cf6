import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

import lit_rec.cli.short_names  # noqa: F401  (a name without its path is one of a class that is imported)
from lit_rec.data import readers
from lit_rec.data.readers.reader import Reader
from lit_rec.files.cache import hash_of, options_of

PAGE = Path(__file__).parents[4] / "docs" / "readers.md"
SNIPPETS = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda s: re.search(r"(\w+)\n", s)[1])
def test_snippets_build_a_reader_with_a_key(snippet):
    parser = ArgumentParser()
    parser.add_argument("--reader", type=Reader)
    # older versions of jsonargparse have the other name only
    build = getattr(parser, "instantiate", None) or parser.instantiate_classes
    reader = build(parser.parse_string(snippet)).reader
    assert isinstance(reader, Reader)
    assert hash_of(options_of(reader)) == hash_of(options_of(reader))
    assert len(options_of(reader)) > 1


def test_every_reader_has_a_row_and_a_snippet():
    names = set()
    for module in pkgutil.iter_modules(readers.__path__, f"{readers.__name__}."):
        found = vars(importlib.import_module(module.name))
        names |= {
            name
            for name, part in found.items()
            if isinstance(part, type) and issubclass(part, Reader) and not name.startswith("_")
        }
    names -= {"Reader", "FrameReader"}  # a YAML holds no frames
    assert len(names) > 8
    assert {re.search(r"(\w+)\n", snippet)[1] for snippet in SNIPPETS} == names
    table = PAGE.read_text(encoding="utf-8").partition("## ")[0]
    assert {name for name in names if f"| `{name}` |" in table} == names
