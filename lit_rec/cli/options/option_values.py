"""Refuse values that jsonargparse accepts and no option can use: null where it is not allowed, and infinite numbers."""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin, get_type_hints

import lightning
from jsonargparse import Namespace
from jsonargparse._util import import_object

from lit_rec.errors import ConfigError

_LARGEST = 2**63 - 1
_LARGEST_SEED = 2**32 - 1  # for NumPy's older generators, which Lightning seeds


def check_values(config: Namespace, model: type) -> None:
    """Check every value of a parsed configuration.

    Args:
        config: The configuration of one subcommand.
        model: The class whose options ``model`` has.

    Raises:
        ConfigError: If an option is null that has to be a number, a text or a path, a number is not finite or beyond
            int64, or a seed is out of range.
    """
    if config.get("trainer", ()) is None:
        raise _null("trainer")
    seed = config.get("seed_everything")
    if isinstance(seed, int) and not 0 <= seed <= _LARGEST_SEED:
        raise _number("seed_everything", f"{seed} is no seed", f"from 0 to {_LARGEST_SEED}")
    for name, owner in (("data", None), ("model", model), ("trainer", lightning.Trainer)):
        if isinstance(config.get(name), Namespace):
            _check(config[name], name, owner)


def _check(value: Any, path: str, owner: Any = None) -> None:
    if isinstance(value, Namespace | dict):
        _check_section(value, path, owner)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            _check(inner, f"{path}[{place}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise _number(path, f"{value} is not a number to count or train with", "finite numbers")
    elif isinstance(value, int) and abs(value) > _LARGEST:
        about = int(value.bit_length() * math.log10(2))
        raise _number(path, f"a number of about {about:,} digits", f"at most {_LARGEST}")


def _check_section(value: Namespace | dict[str, Any], path: str, owner: Any) -> None:
    given = value if isinstance(value, dict) else vars(value)
    if "class_path" in given:
        options, owner, path = given.get("init_args"), given["class_path"], f"{path}.init_args"
        given = vars(options) if isinstance(options, Namespace) else dict(options or {})
    if owner is not None:
        given = _without_checked(given, path, owner)
    for name, inner in given.items():
        _check(inner, f"{path}.{name}")


def _without_checked(given: dict[str, Any], path: str, owner: Any) -> dict[str, Any]:
    """Check nulls, and return the options without an infinity that is the default: there it means no limit."""
    odd = [
        name for name, v in given.items() if v is None or (isinstance(v, float) and math.isinf(v))
    ]
    if not odd:
        return given
    taken = dict(_parameters(import_object(owner) if isinstance(owner, str) else owner))
    for name in odd:
        takes_none, default = taken.get(name, (True, None))
        if given[name] is None and not takes_none:
            raise _null(f"{path}.{name}")
        if given[name] is not None and given[name] == default:
            given = {key: value for key, value in given.items() if key != name}
    return given


def _parameters(owner: Any) -> Iterator[tuple[str, tuple[bool, Any]]]:
    """Yield the options of a class or a function: name, whether it takes null, and its default.

    Options of derived classes come last and override earlier ones.
    """
    functions = [owner]
    if inspect.isclass(owner):
        functions = [vars(c)["__init__"] for c in reversed(owner.__mro__) if "__init__" in vars(c)]
    for function in functions:
        try:
            hints, parameters = get_type_hints(function), inspect.signature(function).parameters
        except (NameError, TypeError, ValueError):  # types that are imported only for type checkers
            continue
        for name, parameter in parameters.items():
            # a default of None means that null is accepted, whatever the type says
            none = parameter.default is None or _takes_none(hints.get(name, Any))
            yield name, (none, parameter.default)


def _takes_none(hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return any(map(_takes_none, get_args(hint)))
    return hint in (Any, object, None, type(None)) or not (
        isinstance(hint, type) or get_origin(hint) is not None
    )


def _null(path: str) -> ConfigError:
    return ConfigError(
        "null is no value of this option",
        where=path,
        rule="null stands only where an option can be left empty, as `lit-rec fit --help_all` says",
        remedy="write a value, or leave the option out to have its default",
    )


def _number(path: str, problem: str, rule: str) -> ConfigError:
    return ConfigError(problem, where=path, rule=rule, remedy="write the number that is meant")
