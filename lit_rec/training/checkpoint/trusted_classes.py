"""Names in a checkpoint's configuration: only classes of lit_rec, optimizers of torch and trusted modules.

A checkpoint may come from a stranger. A parser imports whatever a configuration names: a class, a function, a file with
more configuration. Importing a module runs its code. So names are checked before parsing, as plain data, by the types
of the options.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NoReturn,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import yaml

from lit_rec.data.facts import Facts
from lit_rec.errors import CheckpointError
from lit_rec.files.existing import is_there
from lit_rec.models.networks.network import Network
from lit_rec.training.checkpoint.trust import MODULE_NAME, modules_named

if TYPE_CHECKING:
    from lightning import LightningModule


# a parser imports nothing for an option that takes only these types
_TEXT = (str, Path)
_PLAIN = (*_TEXT, int, float, bool, complex, NoneType)
# no checkpoint needs other modules of these packages; a user may still trust them
_LIBRARIES = ("lit_rec", "torch", "lightning", "pytorch_lightning", "transformers", "jsonargparse")
_ANYTHING = (Any, object, *_PLAIN)
_SPEC = {"class_path", "init_args", "dict_kwargs"}
_SHOWN = 60
_ANOTHER = "use a checkpoint that `lit-rec fit` wrote"


def check_named(
    config: Any, trust: Sequence[str], where: str, *, model: type[LightningModule]
) -> None:
    """Check all names in ``model`` and ``data`` of a stored configuration, before a parser sees it.

    Args:
        config: The configuration, or a part of it.
        trust: Modules whose classes and functions may be named too, with their submodules.
        where: What the checkpoint is called in errors.
        model: The class whose options ``model`` holds.

    Raises:
        CheckpointError: If something else is named, or ``lit-rec fit`` stores no such configuration.
        ConfigError: If ``trust`` holds something that is not the name of a module.
    """
    names = _Names(modules_named(trust), where)
    try:
        if type(config) is not dict:
            names.malformed("it", config)
        names.check_options("model", model, config.get("model"))
        if config.get("data") is not None:
            from lightning import LightningDataModule  # takes long; without data it is not needed

            names.check("data", LightningDataModule, config["data"])
    except RecursionError:  # endlessly nested lists
        names.malformed("model or data", "...")


def check_network(spec: Any, where: str) -> None:
    """Check all names in ``model.network`` of a stored configuration, of which nothing else will be built.

    Args:
        spec: The network's configuration.
        where: What the checkpoint is called in errors.

    Raises:
        CheckpointError: If a class is named that is not of lit_rec.
    """
    names = _Names((), where)
    try:
        names.check("model.network", Callable[[Facts], Network], spec)
    except RecursionError:
        names.malformed("model.network", "...")


class _Names:
    """The check of one checkpoint's names."""

    def __init__(self, trust: tuple[str, ...], where: str) -> None:
        self._trust, self._where = trust, where

    def check_options(self, place: str, kind: Any, options: Any) -> None:
        """Check the options of a class; an option of unknown type may hold no text that could be a name."""
        if type(options) is not dict:
            self.malformed(place, options)
        hints = _hints(kind)
        for name, value in options.items():
            if not (isinstance(name, str) and name.isidentifier()):
                self.malformed(place, name)  # a.b: a parser would look for b within a
            self.check(f"{place}.{name}", hints.get(name, _Unknown), value)

    def check(self, place: str, hint: Any, value: Any) -> None:
        """Check a value of an option with this type."""
        leaves = set(_leaves(hint))
        if isinstance(value, str):
            self._check_text(place, leaves, value)
        elif type(value) is dict:
            self._check_mapping(place, hint, leaves, value)
        elif type(value) in (list, tuple):
            for entry in value:
                self.check(place, hint, entry)
        elif type(value) not in (int, float, bool, NoneType):
            self.malformed(place, value)

    def _check_mapping(
        self, place: str, hint: Any, leaves: set[Any], value: Mapping[Any, Any]
    ) -> None:
        if "class_path" in value:
            self._check_class(place, leaves, value)
            return
        if (kind := _section(hint)) is not None:
            self.check_options(place, kind, value)
            return
        for name, entry in value.items():
            # mappings of plain values, such as columns, may have any names
            if not (leaves <= set(_PLAIN) or (isinstance(name, str) and "." not in name)):
                self.malformed(place, name)
            self.check(f"{place}.{name}" if isinstance(name, str) else place, hint, entry)

    def _check_text(self, place: str, leaves: set[Any], text: str) -> None:
        if "${" in text:
            self._refuse(
                f"{place} holds '{text[:_SHOWN]}', which would be looked up here",
                "a stored configuration is resolved: it holds values and no ${...}",
                remedy=_ANOTHER,
            )
        if leaves <= set(_PLAIN) or is_number(text) or self._is_trusted(text):
            return
        if leaves & {Any, object}:  # a parser reads such a text as YAML: it could hold anything
            if _is_collection(text):
                self._refuse_name(place, text)
        elif _Unknown not in leaves or not _is_word(text):
            self._refuse_name(place, text)

    def _check_class(self, place: str, leaves: set[Any], spec: Mapping[Any, Any]) -> None:
        path = spec["class_path"]
        if not isinstance(path, str) or not spec.keys() <= _SPEC:
            self.malformed(place, path)
        if self._is_trusted(path):
            kind = self._imported(path)
        elif (kind := _known(path, leaves)) is None:
            self._refuse_name(place, path)
        for part in ("init_args", "dict_kwargs"):
            if spec.get(part) is not None:
                self.check_options(place, kind, spec[part])

    def _is_trusted(self, path: str) -> bool:
        return bool(MODULE_NAME.fullmatch(path)) and any(
            f"{path}.".startswith(f"{m}.") for m in self._trust
        )

    def _imported(self, path: str) -> Any:
        """Import a trusted module and return its class or function of this name."""
        module, _, name = path.rpartition(".")
        try:
            return getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise CheckpointError(
                f"its network cannot be built here ({error})",
                where=self._where,
                rule="the classes that it was trained with can be imported",
                remedy="install the package they are in, or name their folder in PYTHONPATH"
                if isinstance(error, ImportError)
                else f"give {module} the {name} that it had in training",
            ) from error

    def _refuse_name(self, place: str, path: str) -> NoReturn:
        module = path.rpartition(".")[0]
        first = module.partition(".")[0]
        own = MODULE_NAME.fullmatch(path) and first and first not in sys.stdlib_module_names
        remedy = "do not use this checkpoint: no network needs what it names"
        if first == "lit_rec":
            remedy = "use the version of lit_rec that wrote it, if you know who made the checkpoint"
        if own and first not in _LIBRARIES:
            remedy = (
                f"--trust {module} (from_checkpoint(path, trust=['{module}'])), if you know this "
                "module and who made the checkpoint"
            )
        self._refuse(
            f"{place} names '{path[:_SHOWN]}'",
            "a checkpoint names parts of lit_rec, where they belong, and optimizers of torch; "
            "others only of modules that you trust",
            remedy=remedy,
        )

    def malformed(self, place: str, value: Any) -> NoReturn:
        """Refuse a value that ``lit-rec fit`` never stores there."""
        self._refuse(
            f"{place[:_SHOWN]} holds {repr(value)[:_SHOWN]}",
            "a configuration as `lit-rec fit` stores it",
            remedy=_ANOTHER,
        )

    def _refuse(self, problem: str, rule: str, *, remedy: str) -> NoReturn:
        raise CheckpointError(
            f"its configuration is refused: {problem}", where=self._where, rule=rule, remedy=remedy
        )


class _Unknown:
    """The type of an option without a type hint."""


def _known(path: str, leaves: set[Any]) -> type | None:
    """Return a class of lit_rec or an optimizer of torch that has one of these types; import no other module."""
    module, _, name = path.rpartition(".")
    if module.partition(".")[0] == "lit_rec" and MODULE_NAME.fullmatch(module):
        try:
            importlib.import_module(module)
        except ImportError:
            return None
    kind = getattr(sys.modules.get(module), name, None)
    if not inspect.isclass(kind):
        return None
    taken = tuple(leaf for leaf in leaves if inspect.isclass(leaf) and leaf not in _ANYTHING)
    is_ours = f"{kind.__module__}.".startswith(("lit_rec.", "torch.optim."))
    return kind if is_ours and issubclass(kind, taken) else None


def _hints(kind: Any) -> dict[str, Any]:
    try:
        return get_type_hints(kind.__init__ if inspect.isclass(kind) else kind)
    except (NameError, TypeError, AttributeError):
        return {}


def _section(hint: Any) -> type | None:
    """Return the only class that an option takes: a mapping without a ``class_path`` then holds its options."""
    parts = [hint] if get_origin(hint) is None else get_args(hint)
    if get_origin(hint) not in (None, Union, UnionType):
        return None
    kinds = [part for part in parts if inspect.isclass(part) and part not in _ANYTHING]
    return kinds[0] if len(kinds) == 1 and not issubclass(kinds[0], dict | list | tuple) else None


def _leaves(hint: Any) -> Iterator[Any]:
    """Yield the types in a type hint: of containers those of the entries, of a factory its result's."""
    origin = get_origin(hint)
    if origin is Literal:
        yield str
    elif origin is type or hint is type:
        yield _Unknown
    elif parts := get_args(hint):
        for part in parts:
            yield from () if isinstance(part, list) or part is ... else _leaves(part)
    else:
        yield hint


def is_number(text: str) -> bool:
    """Return whether a text is a number: some YAML readers return 2e-05 as a text."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_collection(text: str) -> bool:
    """Return whether a parser reads a text as a mapping or a list, also if its names are escaped."""
    try:
        return isinstance(yaml.safe_load(text), dict | list)
    except (yaml.YAMLError, ValueError, RecursionError):
        return "{" in text or "[" in text or ":" in text


def _is_word(text: str) -> bool:
    """Return whether a text is a plain word that a parser would neither import nor read as a file."""
    return text.isidentifier() and not is_there(text)
