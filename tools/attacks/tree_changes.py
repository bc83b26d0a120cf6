"""Changes at a random place of nested plain values: a configuration, a JSON file or a checkpoint."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from attacks.watch import CANARY

_STOP = 0.15  # chance that a walk stops before a leaf
Maker = Callable[[Random], Any]


@dataclass(frozen=True)
class Place:
    """A place in a tree: the dict or list that holds it, its key there, and the keys that lead to it."""

    parent: Any
    key: Any
    path: tuple[Any, ...]

    @property
    def value(self) -> Any:
        """The value there."""
        return self.parent[self.key]

    def put(self, value: Any) -> None:
        """Replace the value there."""
        self.parent[self.key] = value

    def remove(self) -> None:
        """Remove the value there."""
        del self.parent[self.key]

    def __str__(self) -> str:
        """Return the keys."""
        return ".".join(str(key)[:40] for key in self.path)


def copied(tree: Any) -> Any:
    """Return a copy in which tuples are lists, so that each place can be changed."""
    if isinstance(tree, dict):
        return {key: copied(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [copied(value) for value in tree]
    return tree


def draw_place(chance: Random, tree: Any) -> Place:
    """Draw a place: at each level every key is equally likely, so small parts are drawn as often as large ones."""
    parent, path = tree, ()
    while True:
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        key = chance.choice(keys)
        path = (*path, key)
        value = parent[key]
        if not (isinstance(value, dict | list) and value) or chance.random() < _STOP:
            return Place(parent, key, path)
        parent = value


def draw_dict(chance: Random, tree: dict[Any, Any]) -> tuple[dict[Any, Any], tuple[Any, ...]]:
    """Draw a dict of a tree, and the keys that lead to it."""
    found: list[tuple[dict[Any, Any], tuple[Any, ...]]] = []

    def walk(value: Any, path: tuple[Any, ...]) -> None:
        if isinstance(value, dict):
            found.append((value, path))
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(entry, dict | list):
                walk(entry, (*path, key))

    walk(tree, ())
    return chance.choice(found)


TRICKY: Sequence[Any] = (
    *(None, True, False, 0, -1, 1, 2, 10**6, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308),
    *(float("nan"), float("inf"), float("-inf"), "", " ", "x", "None", "null", "nan", "1e999"),
    *("../x", "/", "/dev/null", "~", "a" * 10_000, "\x00", "\ud800", "é", "{}", "[1, 2]", "%s"),
    *([], {}, [[]], [None], [1, "a"], {"a": 1}, {"": {}}, {"class_path": "x"}, {1: 2}, b"x"),
)
_NUMBERS = (float("nan"), float("inf"), -1, 0, 1e30, 2**40)


def tricky(chance: Random) -> Any:
    """Draw a value that is wrong in most places."""
    return copy.deepcopy(chance.choice(TRICKY))


def retyped(chance: Random, value: Any) -> Any:
    """Return nearly the same value in another type."""
    if isinstance(value, bool) or value is None:
        return chance.choice([int(bool(value)), str(value), [value]])
    if isinstance(value, int | float):
        return chance.choice(
            [str(value), -value, value * 1000, value + 0.5, [value], bool(value), *_NUMBERS]
        )
    if isinstance(value, str):
        return chance.choice(
            [
                value.encode(errors="replace"),
                value + " ",
                value.upper(),
                value[:-1],
                [value],
                list(value[:20]),
            ]
        )
    if isinstance(value, dict):
        return chance.choice([list(value), list(value.values()), str(value)[:200], [value]])
    if isinstance(value, list):
        return chance.choice(
            [value[:-1], value * 2, value[::-1], dict(enumerate(value)), {"a": value}]
        )
    return str(value)[:100]


def change(chance: Random, tree: Any, makers: Sequence[Maker] = ()) -> str:
    """Change one random place of a tree, and say how.

    Args:
        chance: Draws it.
        tree: A dict, changed in place.
        makers: Further ways to make a value.
    """
    place = draw_place(chance, tree)
    how = chance.choice(
        ["drop", "tricky", "tricky", "retype", "retype", "key", *["make"] * bool(makers)]
    )
    if how == "drop":
        place.remove()
    elif how == "tricky":
        place.put(tricky(chance))
    elif how == "retype":
        place.put(retyped(chance, place.value))
    elif how == "key" and isinstance(place.parent, dict):
        place.parent[f"{place.key}_"] = place.parent.pop(place.key)
    else:
        place.put(chance.choice(makers or [tricky])(chance))
    now = repr(place.value)[:60] if _is_there(place) else "absent"
    return f"{how} {place} -> {now}"


def _is_there(place: Place) -> bool:
    return (
        place.key in place.parent
        if isinstance(place.parent, dict)
        else place.key < len(place.parent)
    )


def harmful_class(chance: Random, target: Path, *, calls_only: bool = False) -> dict[str, Any]:
    """Return a class_path that would leave a mark: a file, a program, or the import of an unneeded module.

    Args:
        chance: Draws it.
        target: Where the mark would lie.
        calls_only: Whether to leave out classes that a user's own configuration may name, and that write files.
    """
    mark = str(target / f"mark-{chance.randrange(10**6)}")
    choices: list[tuple[str, dict[str, Any]]] = [
        (f"{CANARY}.Canary", {}),
        (f"{CANARY}.call", {"path": mark}),
        ("subprocess.Popen", {"args": ["touch", mark]}),
        ("subprocess.run", {"args": ["touch", mark]}),
        ("os.system", {"command": f"touch {mark}"}),
        ("os.mkdir", {"path": mark}),
        ("pathlib.Path.touch", {"self": mark}),
        ("builtins.exec", {"source": f"open({mark!r}, 'w')"}),
        ("builtins.eval", {"source": f"open({mark!r}, 'w')"}),
        ("builtins.open", {"file": mark, "mode": "w"}),
        ("logging.FileHandler", {"filename": mark}),
        ("shutil.rmtree", {"path": mark}),
        ("runpy.run_path", {"path_name": mark}),
        ("torch.hub.load", {"repo_or_dir": mark, "model": "x", "source": "local"}),
        ("torch.load", {"f": mark, "weights_only": False}),
        ("functools.partial", {"func": "os.system"}),
    ]
    writers: list[tuple[str, dict[str, Any]]] = [
        ("lightning.pytorch.loggers.CSVLogger", {"save_dir": mark}),
        ("lightning.pytorch.loggers.TensorBoardLogger", {"save_dir": mark}),
        ("lightning.pytorch.profilers.SimpleProfiler", {"dirpath": mark, "filename": "p"}),
    ]
    name, options = chance.choice(choices if calls_only else choices + writers)
    return {"class_path": name, "init_args": options}


def harmful_text(chance: Random, target: Path) -> str:
    """Return a text that reads a variable, points elsewhere, or names a tag that makes objects."""
    return chance.choice(
        [
            "${oc.env:HOME}",
            "${oc.env:TORTURE_SECRET}",
            "${oc.decode:${oc.env:TORTURE_SECRET}}",
            "${data}",
            "${.}",
            "${model.network}",
            str(target / "elsewhere"),
            f"../../{target.name}/elsewhere",
            f"file://{target}/elsewhere",
            f"!!python/object/apply:os.system ['touch {target}/mark']",
        ]
    )
