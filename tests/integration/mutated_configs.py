"""Random mutations of a configuration, and what becomes of one: our own error, or a configuration with all of it."""

import copy
import math
import random

import yaml

from lit_rec.cli.main import message_of
from lit_rec.cli.rec_cli import RecCLI

ODD = (
    *(None, True, -1, 0, 1, 3.5, 2**70, 10**400, math.inf, math.nan, 1e308, -(2**63)),
    *(
        "",
        "x",
        "null",
        "[1]",
        "{a: 1}",
        "&a [*a]",
        "{a: 1, a: 2}",
        "${x}",
        "${",
        "\0",
        "é\n",
        "a.b",
    ),
    *([], [1], [[1]], {}, {"x": 1}, {"class_path": "x.Y"}, {"class_path": None}, {"config": "x"}),
    *({"class_path": "builtins.dict"}, {"init_args": {}}, [None], "lit_rec.errors.ConfigError"),
    *({1: 2}, {None: 1}, {True: 1}, {"a.b": 1}, {"init_args.x": 1}, "x" * 5000),
)
NAMES = (
    "config",
    "x",
    "class_path",
    "init_args",
    "dict_kwargs",
    "__path__",
    "a.b",
    "help",
    "ckpt_path",
)
NAMES += (
    1,
    None,
    True,
    "",
    "data",
    "model",
    "init_args.batch_size",
    "print_config",
    "+",
    "callbacks+",
)


class ParsedCLI(RecCLI):
    """``fit`` up to its first step."""

    def fit(self, model, datamodule, **options):
        """Train nothing."""


def mutate(config, chance):
    """Return a copy with one place changed, and a description."""
    config = copy.deepcopy(config)
    parent, key = chance.choice(list(places(config)))
    kind = chance.choice(
        ("replace", "replace", "replace", "delete", "rename", "add", "wrap", "swap")
    )
    if kind == "replace":
        parent[key] = copy.deepcopy(chance.choice(ODD))
    elif kind == "delete":
        del parent[key]
    elif kind == "wrap":
        parent[key] = chance.choice(([parent[key]], {"x": parent[key]}))
    elif kind == "swap":
        other, place = chance.choice(list(places(config)))
        parent[key] = copy.deepcopy(other[place])
    elif isinstance(parent, dict):
        name = chance.choice(NAMES)
        if kind == "rename":
            parent[name] = parent.pop(key)
        else:
            parent[name] = copy.deepcopy(chance.choice(ODD))
    return config, f"{kind} {key!r}"


def places(node):
    """Yield each place of a value."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


def fate(path, *words):
    """Return what `lit-rec fit` says of a file, or None where it would train, and the configuration it has."""
    try:
        cli = ParsedCLI(["fit", "-c", str(path), *words])
    except Exception as error:
        text = message_of(error)
        if text is None:
            raise
        return text, None
    return None, yaml.safe_load(cli.parser.dump(cli.config, skip_none=False))["fit"]


def lost(asked, held, path=""):  # noqa: C901, PLR0912 (each branch is a way to write the same value)
    """Yield the leaves of a mutated file that the configuration does not hold."""
    if isinstance(asked, dict):
        for key, value in asked.items():
            name = f"{path}.{key}"
            if not isinstance(held, dict):
                if not (key == "class_path" and str(held).endswith(str(value))) and value not in (
                    None,
                    {},
                    [],
                ):
                    yield name, value, held
            elif str(key) in held:
                yield from lost(value, held[str(key)], name)
            elif "." in str(key):
                first, _, rest = str(key).partition(".")
                yield from lost({first: {rest: value}}, held, path)
            elif value != {}:  # an empty section has nothing to lose
                yield name, value, "absent"
    elif isinstance(asked, list):
        if not isinstance(held, list) or len(held) != len(asked):
            yield path, asked, held
        else:
            for place, (a, h) in enumerate(zip(asked, held, strict=True)):
                yield from lost(a, h, f"{path}[{place}]")
    elif path.endswith(".class_path") and str(held).endswith(f".{asked}"):
        return  # the full path of a short name
    elif asked != held and str(asked) != str(held) and "${" not in str(asked):
        if isinstance(held, dict) and str(held.get("class_path", "")).endswith(str(asked)):
            return
        try:
            if float(asked) == float(held):
                return
        except (TypeError, ValueError):
            pass
        yield path, asked, held


def fuzz(configs, count, seed, path, words=()):
    """Yield a description of each mutated file that ends in a traceback or loses something."""
    chance = random.Random(seed)
    for turn in range(count):
        config, what = chance.choice(configs), []
        for _ in range(chance.choice((1, 1, 2))):
            config, kind = mutate(config, chance)
            what.append(kind)
        try:
            text = yaml.safe_dump(config, allow_unicode=True)
        except (yaml.YAMLError, ValueError):
            continue
        path.write_text(text, encoding="utf-8")
        try:
            said, held = fate(path, *words)
        except BaseException as error:
            yield turn, what, f"{type(error).__name__}: {str(error)[:300]}", error, text
            continue
        if said is not None:
            if len(said.splitlines()) > 8 or "Traceback" in said or len(said) > 1500:
                yield turn, what, f"long: {said[:300]}", None, text
        else:
            gone = list(lost(yaml.safe_load(text), held))
            if gone:
                yield turn, what, f"lost: {str(gone)[:300]}", None, text
