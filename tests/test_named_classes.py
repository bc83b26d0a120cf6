"""Every class that a configuration can name shows in its docstring what it does."""

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

from tests.class_names import class_named

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "lit_rec").rglob("*.py"))
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
# A YAML names these and what their options take; factories are handed Facts, which no YAML names.
CONFIGURED = ("lit_rec.training.lit_rec.LitRec", "lit_rec.data.datamodule.BehaviorDataModule")
HANDED = {"lit_rec.data.facts.Facts"}
CLASS_PATH = re.compile(r"\bclass_path: *([\w.]+)")


def path_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def classes_of(hint: Any) -> Iterator[type]:
    """Classes that may be given where a parameter has this type; of a factory, those that it may return."""
    if isinstance(hint, type):
        yield hint
    for part in get_args(hint):  # what a factory takes is a list, and no part of a type
        yield from classes_of(part)


def nameable(roots: Iterable[type]) -> set[type]:
    """The roots, the classes of lit_rec that their options take and those derived from these, and so on.

    Only those that are public and not abstract.
    """

    def is_ours(kind: type) -> bool:
        # a class that an example makes says that it is of the module, which does not have it
        return getattr(sys.modules[kind.__module__], kind.__qualname__, None) is kind

    seen: set[type] = set()
    waiting = [*roots]
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        hints = get_type_hints(kind.__init__)
        hints.pop("return", None)
        taken = [part for hint in hints.values() for part in classes_of(hint)]
        waiting += [
            other
            for other in [*kind.__subclasses__(), *taken]
            if other.__module__.startswith("lit_rec.")
            and is_ours(other)
            and path_of(other) not in HANDED
        ]
    return {kind for kind in seen if kind.__name__[0] != "_" and not inspect.isabstract(kind)}


def without_example(kinds: Iterable[type]) -> list[str]:
    # a docstring that is inherited shows another class
    return sorted(k.__name__ for k in kinds if "Example:\n" not in (k.__dict__["__doc__"] or ""))


def test_what_a_configuration_can_name_has_an_example():
    for path in MODULES:  # a class that no module imports is no subclass yet
        if path.stem != "__init__":
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    pages = [*CONFIGS, ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    written = {name for page in pages for name in CLASS_PATH.findall(page.read_text("utf-8"))}
    named = {class_named(name) for name in written if not name.startswith("my_parts.")}
    kinds = nameable(map(class_named, CONFIGURED))
    kinds |= {kind for kind in named if kind.__module__.startswith("lit_rec.")}
    assert len(kinds) > 60
    missing = without_example(kinds)
    assert not missing, f"show in a few lines what it does: {sorted(missing)}"


def test_classes_without_an_example_are_seen():
    from lit_rec.data.splits.splits import RandomSplit, Split

    class Silent(RandomSplit):
        """It says what it does and does not show it."""

    class Mute(RandomSplit):
        pass

    Silent.__module__ = RandomSplit.__module__

    class Options:
        def __init__(self, split: Callable[[Silent], Split] | None, seed: int) -> None: ...

    assert without_example([RandomSplit, Silent, Mute]) == ["Mute", "Silent"]
    found = nameable([Options])
    # what derives from what an option takes, but no abstract class, and not what a factory is handed
    assert RandomSplit in found
    assert not found & {Split, Silent, int}
    assert CLASS_PATH.findall("- class_path: TimeSplit  # a.b") == ["TimeSplit"]
