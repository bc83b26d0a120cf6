"""The classes that a YAML of the documentation names, and the options that they take."""

import inspect

from tests.class_names import class_named


def parts_of(value):
    """Yield every class of a configuration with its options."""
    if isinstance(value, dict):
        if "class_path" in value:
            yield value["class_path"], value.get("init_args", {})
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from parts_of(inner)


def options_of(name):
    """Return the names of a class's options."""
    return set(inspect.signature(class_named(name)).parameters)
