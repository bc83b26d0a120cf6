"""Options in errors: a part names its class and parameter; the command line shows the path in the configuration."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_type_hints

from lit_rec.errors import LitRecError, causes

_OPTION = re.compile(r"\b([A-Z]\w*)\.([a-z_]\w*)((?:\.[a-z_]\w*)*)")
_PART = re.compile(r"[A-Z]\w*")
# the sections of these classes in every configuration, also before one has been read
_SECTIONS = {"BehaviorDataModule": "data", "LitRec": "model", "Trainer": "trainer"}
Ours = TypeVar("Ours", bound=LitRecError)


def by_sections(error: Ours) -> Ours:
    """Return an error that names options of data, model and Trainer as the command line does.

    Example:
        >>> by_sections(LitRecError("too small", where="Trainer.devices", remedy="see HeadOfMine.devices")).where
        'trainer.devices'
    """

    def path(found: re.Match[str]) -> str:
        section = _SECTIONS.get(found[1])
        return found[0] if section is None else f"{section}.{found[2]}{found[3]}"

    return error.reworded(lambda text: _OPTION.sub(path, text))


def by_paths(error: Ours, config: Mapping[str, Any], kinds: Mapping[str, type]) -> Ours:
    """Return an error that names options by their paths in a configuration, which the command line takes as well.

    Where a class occurs several times, the error names the parts whose value it shows; all of them where it shows none.
    Where a class does not occur since an option is empty, the error names this option. Other names stay unchanged.

    Args:
        error: The error of a part.
        config: Sections with all of their options, each part as ``class_path`` and ``init_args``.
        kinds: Class of each section that has no ``class_path``.

    Example:
        >>> ids = {"class_path": "lit_rec.models.ids.IdEmbedding", "init_args": {"scale": -1}}
        >>> error = LitRecError("-1 cannot be used", where="IdEmbedding.scale")
        >>> by_paths(error, {"data": {"class_path": "mine.Data", "init_args": {"ids": ids}}}, {}).where
        'data.ids.init_args.scale'
    """
    places: list[_Place] = []
    for name, options in config.items():
        places += _below(options, name, kinds.get(name))

    def option(found: re.Match[str]) -> str:
        taking = [one for one in places if one.is_a(found[1]) and found[2] in one.options]
        shown = [one for one in taking if _shows(error, found, one.options[found[2]])]
        paths = [one.path_of(found[2], found[3]) for one in shown or taking]
        if not paths:
            paths = [f"{path}.init_args.{found[2]}" for path in _empty(places, found[1])]
        return " and ".join(dict.fromkeys(paths)) or found[0]

    def renamed(text: str) -> str:
        if text != error.where or not _PART.fullmatch(text):
            return _OPTION.sub(option, text)
        paths = [one.path for one in places if one.is_a(text)]  # the part as a whole
        return " and ".join(dict.fromkeys(paths or _empty(places, text))) or text

    return error.reworded(renamed)


@contextmanager
def worded_by(change: Callable[[LitRecError], LitRecError]) -> Iterator[None]:
    """Change our errors that a block raises, even if a library has wrapped one in its own.

    Example:
        >>> with worded_by(by_sections):
        ...     raise LitRecError("too small", where="Trainer.devices")
        Traceback (most recent call last):
        lit_rec.errors.LitRecError: trainer.devices: too small.
    """
    try:
        yield
    except OSError:  # even if it wraps an error of ours, its message is about the file
        raise
    except Exception as error:
        ours = next((one for one in causes(error) if isinstance(one, LitRecError)), None)
        if ours is None:
            raise
        raise change(ours) from error


@dataclass(frozen=True)
class _Place:
    """A part of a configuration.

    Args:
        path: The option that holds it.
        kind: Its class, or the function that makes it.
        options: Its options by name.
        prefix: Prefix of its options' names; empty for a part of a list, which has no path of its own.
    """

    path: str
    kind: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""

    def is_a(self, name: str) -> bool:
        """Return whether its class, or a base class, has this name."""
        return any(kind.__name__ == name for kind in getattr(self.kind, "__mro__", (self.kind,)))

    def path_of(self, option: str, rest: str) -> str:
        """Return the path of an option; ``rest`` is the path below it, such as ``.columns``."""
        if not self.prefix:
            return f"{self.path}, {option}{rest} of {self.kind.__name__}"
        path, value = f"{self.prefix}{option}", self.options[option]
        for name in rest.split(".")[1:]:
            below = _spec(value)
            path += f".{name}" if below is None else f".init_args.{name}"
            value = (_mapping(value) if below is None else below).get(name)
        return path


def _below(
    value: Any, path: str, kind: type | None = None, *, listed: bool = False
) -> Iterator[_Place]:
    """Yield a part and all parts below it."""
    options = _spec(value)
    if options is not None:
        kind = _class_named(_mapping(value)["class_path"])
        # data has a class_path, but the command line takes its options without init_args
        prefix = "data." if path == "data" else f"{path}.init_args."
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            yield from _below(part, path, listed=True)
        return
    else:
        options, prefix = _mapping(value), f"{path}."
    if kind is not None:
        yield _Place(path, kind, options, "" if listed else prefix)
    for name, part in options.items():
        yield from _below(part, f"{path} ({name})" if listed else f"{prefix}{name}")


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return options by name; an empty mapping where a value is not a section."""
    return value if isinstance(value, Mapping) else {}


def _spec(value: Any) -> Mapping[str, Any] | None:
    """Return the options of a value with a ``class_path``; None: it has none."""
    found = _mapping(value)
    return _mapping(found.get("init_args")) if isinstance(found.get("class_path"), str) else None


def _class_named(path: str) -> Any:
    module, _, name = path.rpartition(".")
    with suppress(ImportError, AttributeError, ValueError):
        found = getattr(importlib.import_module(module), name)
        return found if hasattr(found, "__name__") else None
    return None


def _empty(places: Sequence[_Place], name: str) -> list[str]:
    """Return paths of empty options that accept a class of this name."""
    found = []
    for place in places:
        with suppress(NameError, TypeError, AttributeError):
            hints = get_type_hints(place.kind.__init__)
            found += [
                place.path_of(option, "")
                for option, value in place.options.items()
                if value is None and name in _names(hints.get(option))
            ]
    return found


def _names(hint: Any) -> set[str]:
    """Return the names of all classes that a type accepts."""
    names: set[str] = set()
    waiting = [hint]
    while waiting:
        one = waiting.pop()
        parts = get_args(one)
        # the arguments of a factory are a list here, and not accepted types
        waiting += [part for part in parts if not isinstance(part, list)]
        if isinstance(one, type) and not parts:
            names.add(one.__name__)
            waiting += [] if one.__module__ == "builtins" else one.__subclasses__()
    return names


def _shows(error: LitRecError, found: re.Match[str], value: Any) -> bool:
    """Return whether an error shows a value: in its problem, or after the option."""
    text = re.escape(str(value))
    return bool(
        re.search(rf"(?<![\w.]){text}(?![\w.])", error.problem)
        or re.match(rf"={text}(?!\w)", found.string[found.end() :])
    )
