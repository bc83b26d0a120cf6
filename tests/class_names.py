"""Classes by the names that a YAML has of them."""

import sys
from importlib import import_module

import lightning.pytorch.callbacks
import lightning.pytorch.loggers

import lit_rec.cli.short_names  # noqa: F401

LIGHTNING = (lightning.pytorch.callbacks, lightning.pytorch.loggers)


def class_named(name):
    """Return the class of a short name, or of a full path."""
    module, _, last = name.rpartition(".")
    if module:
        return getattr(import_module(module), last)
    ours = [each for path, each in sys.modules.items() if path.startswith("lit_rec.")]
    found = {vars(each)[name] for each in (*LIGHTNING, *ours) if name in vars(each)}
    assert len(found) == 1, f"{name}: {found}"
    return found.pop()


def full_path(name):
    """Return where a class stands."""
    kind = class_named(name)
    return f"{kind.__module__}.{kind.__qualname__}"
