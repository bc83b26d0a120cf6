"""Options of classes, read from their code: an unknown one is found before torch is imported, which takes seconds.

The parser finds all of them. Where a class cannot be read here (one of another library, or one that hands ``**kwargs``
on), nothing is said, and it is left to the parser.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lit_rec.cli.options.strict_yaml import at
from lit_rec.errors import ConfigError, did_you_mean, some_of
from lit_rec.training.checkpoint.former_paths import current_paths

_PACKAGE = Path(__file__).parents[2]
_TRAINER = "lightning.pytorch.trainer.trainer.Trainer"
_SECTIONS = {"model": "lit_rec.training.lit_rec.LitRec", "trainer": _TRAINER}
_CLASS = re.compile(r"^class (\w+)", re.MULTILINE)


def options_of(class_path: str) -> tuple[str, ...] | None:
    """Return the names of a class's options; None: they cannot be told without importing it.

    Args:
        class_path: Its import path, or its name alone for a class of lit_rec.

    Example:
        >>> options_of("FrozenTuning"), options_of("TopLayersTuning"), options_of("torch.nn.Linear")
        ((), ('layers',), None)
    """
    module, _, name = current_paths(class_path).rpartition(".")
    if not module:
        module = _modules_by_class().get(name, "")
    return _options(module, name)


@functools.cache
def _options(module: str, name: str) -> tuple[str, ...] | None:
    tree = _tree(module)
    found = [node for node in getattr(tree, "body", ()) if getattr(node, "name", "") == name]
    if not found or not isinstance(kind := found[0], ast.ClassDef):
        return None
    for method in kind.body:
        if isinstance(method, ast.FunctionDef) and method.name in ("__init__", "__new__"):
            taken = method.args
            if taken.vararg or taken.kwarg:
                return None
            return tuple(
                arg.arg for arg in [*taken.posonlyargs, *taken.args, *taken.kwonlyargs][1:]
            )
    if kind.decorator_list:
        return None  # such as a dataclass
    return _options_of_base(tree, module, kind.bases[0]) if kind.bases else ()


def _options_of_base(tree: Any, module: str, base: ast.expr) -> tuple[str, ...] | None:
    if isinstance(base, ast.Subscript):
        base = base.value
    name = getattr(base, "id", getattr(base, "attr", ""))
    if name in ("ABC", "Module", "Callback"):  # without options of their own
        return ()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and name in [alias.name for alias in node.names]:
            module = node.module or ""
    return _options(module, name)


@functools.cache
def _tree(module: str) -> ast.Module | None:
    first, *others = module.split(".")
    if first == "lit_rec":
        path = _PACKAGE.joinpath(*others).with_suffix(".py")
    elif module == _TRAINER.rpartition(".")[0]:
        spec = importlib.util.find_spec(first)
        path = Path(getattr(spec, "origin", "") or "").parent.joinpath(*others).with_suffix(".py")
    else:
        return None
    return ast.parse(path.read_text("utf-8")) if path.is_file() else None


@functools.cache
def _modules_by_class() -> dict[str, str]:
    """Modules of lit_rec by the names of their classes; two classes of one name: neither."""
    found: dict[str, str] = {}
    for path in sorted(_PACKAGE.rglob("*.py")):
        module = ".".join((_PACKAGE.name, *path.relative_to(_PACKAGE).with_suffix("").parts))
        for name in _CLASS.findall(path.read_text("utf-8")):
            found[name] = "" if name in found else module
    return found


def refuse_unknown_in(root: MappingNode, where: str) -> None:
    """Check the options of a configuration.

    Args:
        root: Its nodes.
        where: The file.

    Raises:
        ConfigError: If a class of lit_rec, or the Trainer, has no such option.
    """
    for key, section in root.value:
        if isinstance(section, MappingNode):
            _refuse_in(section, _SECTIONS.get(key.value), key.value, where)


def _refuse_in(node: Node, kind: str | None, path: str, where: str) -> None:
    if isinstance(node, SequenceNode):
        for place, inner in enumerate(node.value):
            _refuse_in(inner, None, f"{path}[{place}]", where)
    if not isinstance(node, MappingNode):
        return
    inside = {key.value: value for key, value in node.value}
    if isinstance(named := inside.get("class_path"), ScalarNode):
        options = inside.get("init_args")
        if options is not None:
            _refuse_in(options, named.value, f"{path}.init_args", where)
        return
    known = None if kind is None else options_of(kind)
    for key, value in node.value:
        if kind is not None and known is not None and key.value not in known:
            raise _unknown(key.value, kind, known, at(where, key.start_mark, path))
        _refuse_in(value, None, f"{path}.{key.value}", where)


def refuse_unknown_words(words: Sequence[str], roots: Sequence[MappingNode]) -> None:
    """Check the options of the command line.

    Args:
        words: Such as ``--data.batch_size=8``.
        roots: The nodes of the configurations, which name the classes.

    Raises:
        ConfigError: If a class of lit_rec, or the Trainer, has no such option.
    """
    chosen: dict[str, Any] = {}
    for root in roots:
        _merge(chosen, _classes(root))
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        if not option.startswith("--") or option.endswith("+"):
            continue
        steps = option.removeprefix("--").split(".")
        if not equals:
            value = words[place + 1] if place + 1 < len(words) else ""
        _check_steps(steps, chosen, f"--{'.'.join(steps)}")
        if steps[0] in ("data", *_SECTIONS):
            _choose(chosen, [step for step in steps if step != "init_args"], value)


def _check_steps(steps: list[str], chosen: dict[str, Any], where: str) -> None:
    first, *others = [step.replace("-", "_") for step in steps if step != "init_args"]
    node = chosen.get(first, {})
    kind = _SECTIONS.get(first) or node.get("class_path")
    for step in others:
        known = options_of(kind) if kind else None
        if known is None or not kind or step in ("class_path", "dict_kwargs"):
            return
        if step not in known:
            raise _unknown(step, kind, known, where)
        node = node.get(step, {})
        kind = node.get("class_path")


def _choose(chosen: dict[str, Any], steps: list[str], value: str) -> None:
    """Note that a word names a class, or anything else that the configurations do not know."""
    for step in steps[:-1]:
        chosen = chosen.setdefault(step, {})
    if steps[-1] == "class_path":
        chosen["class_path"] = value
    elif re.fullmatch(r"[\w.]+", value) and not value.islower():
        chosen[steps[-1]] = {"class_path": value}
    else:
        chosen[steps[-1]] = {}


def _classes(node: Node) -> dict[str, Any]:
    """Return the classes of a configuration: nested options, and ``class_path`` where one is named."""
    found: dict[str, Any] = {}
    for key, value in node.value if isinstance(node, MappingNode) else ():
        if key.value == "class_path" and isinstance(value, ScalarNode):
            found["class_path"] = value.value
        elif key.value == "init_args":
            found |= _classes(value)
        elif isinstance(value, MappingNode):
            found[key.value] = _classes(value)
        elif (
            isinstance(value, ScalarNode)
            and "." not in (text := value.value)
            and text[:1].isupper()
        ):
            found[key.value] = {"class_path": text}
    return found


def _merge(chosen: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict) and isinstance(chosen.get(name), dict):
            _merge(chosen[name], value)
        else:
            chosen[name] = value


def _unknown(name: str, kind: str, known: Sequence[str], where: str) -> ConfigError:
    kind = kind.rpartition(".")[2]
    known = [other for other in known if other != "facts"]  # these come from the data
    return ConfigError(
        f"{kind} has no option '{name}'",
        where=where,
        rule=f"one of {some_of(known)}" if known else f"{kind} has no options",
        remedy=did_you_mean(name, known, "correct or remove it"),
    )
