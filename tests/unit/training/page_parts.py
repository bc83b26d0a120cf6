"""The classes that a YAML of the documentation names, and the options that they take."""

import inspect
from importlib import import_module


def parts_of(value):
    """Yield every class of a configuration with its options."""
    if isinstance(value, dict):
        if "class_path" in value:
            yield value["class_path"], value.get("init_args", {})
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from parts_of(inner)


def options_of(path):
    """Return the names of a class's options."""
    module, _, name = path.rpartition(".")
    return set(inspect.signature(getattr(import_module(module), name)).parameters)
