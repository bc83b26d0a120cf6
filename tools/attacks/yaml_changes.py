"""Changes to a configuration: its values, and its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import yaml

from attacks.tree_changes import change, draw_dict, draw_place, harmful_class, harmful_text
from attacks.watch import CANARY


def changed_values(chance: Random, text: str, outside: Path) -> tuple[str, str]:
    """Return a configuration with changed values, and what was changed.

    Args:
        chance: Draws the change.
        text: The configuration.
        outside: Where harmful values would leave a mark.
    """
    tree = yaml.safe_load(text)
    how = chance.choice([_plain, _plain, _plain, _plain, _unknown, _class, _text, _self])
    did = how(chance, tree, outside)
    if chance.random() < 0.2:
        did += f"; {_plain(chance, tree, outside)}"
    return yaml.safe_dump(tree, allow_unicode=True), did


def changed_text(chance: Random, text: str, outside: Path) -> tuple[bytes, str]:
    """Return a configuration with a changed text, and how it was changed."""
    name = chance.choice(list(_TEXTS))
    found = _TEXTS[name](chance, text, outside)
    return found if isinstance(found, bytes) else found.encode(errors="surrogatepass"), name


def repeats_a_key(text: str) -> bool:
    """Return whether a mapping of a valid YAML has a key twice."""

    def walk(node: Any) -> bool:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            return len({*keys}) < len(keys) or any(walk(value) for _, value in node.value)
        return isinstance(node, yaml.SequenceNode) and any(map(walk, node.value))

    try:
        return walk(yaml.compose(text, yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError):
        return False


def _plain(chance: Random, tree: Any, outside: Path) -> str:
    return change(chance, tree)


def _unknown(chance: Random, tree: Any, outside: Path) -> str:
    """Add an option that does not exist."""
    holder, path = draw_dict(chance, tree)
    key = chance.choice(
        [
            "unknown",
            "optoin",
            "config",
            "class_path",
            "init_args",
            "dict_kwargs",
            "help",
            "-",
            "a.b",
            7,
            None,
            True,
            "",
        ]
    )
    holder[key] = chance.choice([1, "x", {}, [], None, {"a": 1}])
    return f"{'.'.join(map(str, path))}.{key!r} is {holder[key]!r}"


def _class(chance: Random, tree: Any, outside: Path) -> str:
    """Name something other than a class of lit_rec."""
    found = harmful_class(chance, outside, calls_only=True)
    holder, path = draw_dict(chance, tree)
    key = chance.choice([*holder, "profiler"])
    holder[key] = chance.choice([found, [found], found["class_path"], {"a": found}])
    return f"{'.'.join(map(str, (*path, key)))} -> {found}"


def _text(chance: Random, tree: Any, outside: Path) -> str:
    text = harmful_text(chance, outside)
    place = draw_place(chance, tree)
    place.put(text)
    return f"{place} -> {text}"


def _self(chance: Random, tree: Any, outside: Path) -> str:
    """Put a part of the configuration somewhere else in it."""
    part, place = draw_place(chance, tree), draw_place(chance, tree)
    place.put(yaml.safe_load(yaml.safe_dump(part.value)))
    return f"{place} is what {part} was"


def _at_line(make: Callable[[Random, str, Path], str]) -> Callable[[Random, str, Path], str]:
    """Return a change that puts a line after a random line, with the same indentation."""

    def put(chance: Random, text: str, outside: Path) -> str:
        lines = text.splitlines()
        at = chance.randrange(len(lines))
        depth = re.match(r"[ -]*", lines[at])
        lines.insert(
            at + 1,
            " " * len(depth[0] if depth else "") + make(chance, lines[at].strip(" -"), outside),
        )
        return "\n".join(lines)

    return put


def _other_bytes(chance: Random, text: str, outside: Path) -> bytes:
    found = bytearray(text.encode())
    for _ in range(chance.choice([1, 1, 10])):
        found[chance.randrange(len(found))] = chance.randrange(256)
    return bytes(found)


def _cut(chance: Random, text: str, outside: Path) -> str:
    return text[: chance.randrange(len(text))]


def _bomb(chance: Random, text: str, outside: Path) -> str:
    levels = [f"x0: &x0 [{', '.join(['1'] * 9)}]"]
    levels += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 12)]
    place = chance.choice(
        ["trainer:\n  callbacks: *x11\n", "data: *x11\n", "seed_everything: *x11\n"]
    )
    return "\n".join([*levels, place, text])


def _deep(chance: Random, text: str, outside: Path) -> str:
    depth = chance.choice([50, 500, 5000, 100_000])
    return (
        text
        + "\n"
        + chance.choice(
            [
                "extra: " + "[" * depth + "]" * depth,
                "extra: " + "{a: " * depth + "}" * depth,
                "- " * depth,
            ]
        )
    )


def _value(text: str) -> Callable[[Random, str, Path], str]:
    """Return a change to the value of one line."""

    def put(chance: Random, source: str, outside: Path) -> str:
        lines = source.splitlines()
        at = chance.choice([n for n, line in enumerate(lines) if re.search(r"\w+: \S", line)])
        head = lines[at].partition(": ")[0]
        lines[at] = f"{head}: {text.format(outside=outside)}"
        return "\n".join(lines)

    return put


_TEXTS: dict[str, Callable[[Random, str, Path], str | bytes]] = {
    "a line twice": _at_line(lambda c, line, o: line),
    "a key twice": _at_line(lambda c, line, o: f"{line.partition(':')[0]}: 1"),
    "a key twice, quoted": _at_line(lambda c, line, o: f'"{line.partition(":")[0]}": 1'),
    "another line": _at_line(
        lambda c, line, o: c.choice(
            [
                "- x",
                "x",
                "? x",
                ": x",
                "<<: {a: 1}",
                "!!x y",
                "@",
                "%",
                "`",
                "&a",
                "*a",
                "\t",
                "---",
                "...",
            ]
        )
    ),
    "bytes": _other_bytes,
    "cut": _cut,
    "alias bomb": _bomb,
    "deep": _deep,
    "recursion": _value("&a [*a]"),
    "recursion of keys": _value("&a {{b: *a}}"),
    "tag that calls": _value("!!python/object/apply:os.system ['touch {outside}/mark']"),
    "tag that imports": _value(f"!!python/name:{CANARY}.call"),
    "tag that makes": _value(f"!!python/object/new:{CANARY}.Canary []"),
    "tag of a module": _value(f"!!python/module:{CANARY}"),
    "own tag": _value("!x y"),
    "binary": _value("!!binary aGVsbG8="),
    "set": _value("!!set {{a, b}}"),
    "date": _value("2024-02-30"),
    "sexagesimal": _value("1:30:00"),
    "octal": _value("0777"),
    "digits": _value("9" * 5000),
    "exponent": _value("1e999999999"),
    "yes": _value("yes"),
    "tilde": _value("~"),
    "open quote": _value('"'),
    "open braces": _value("${{"),
    "variable": _value("${{oc.env:HOME}}"),
    "resolver": _value("${{oc.create:{{a: 1}}}}"),
    "deep braces": _value("${{" * 400 + "}}" * 400),
    "circle": _value("${{seed_everything}}"),
    "two documents": lambda c, t, o: f"{t}\n---\n{t}",
    "a mark": lambda c, t, o: b"\xef\xbb\xbf" + t.encode(),
    "utf-16": lambda c, t, o: t.encode("utf-16"),
    "latin-1": lambda c, t, o: t.replace("title", "tïtle").encode("latin-1"),
    "nul": lambda c, t, o: t.replace(":", ":\x00", 1),
    "tabs": lambda c, t, o: t.replace("  ", "\t"),
    "carriage returns": lambda c, t, o: t.replace("\n", "\r\n"),
    "list": lambda c, t, o: f"- {c.choice(['x', '{a: 1}', '[]'])}\n",
    "one value": lambda c, t, o: c.choice(
        ["x", "1", "null", "", "{}", "[]", "#", "---", "\n", "..."]
    ),
    "json": lambda c, t, o: str(yaml.safe_load(t)),
    "another file": lambda c, t, o: f"config: {o}/other.yaml\n{t}",
    "directive": lambda c, t, o: f"%YAML 9.9\n---\n{t}",
    "shallow": lambda c, t, o: re.sub(r"^  ", " ", t, flags=re.MULTILINE),
}
