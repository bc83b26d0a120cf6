"""Mistakes in options: short errors instead of jsonargparse's twenty lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, NoReturn

from lightning.pytorch.cli import LightningArgumentParser

from lit_rec.cli.options.examples import with_config
from lit_rec.errors import ConfigError, LitRecError, did_you_mean

_LONGEST = 160
_CHOICES = r"Expected a typing\.Literal\[([^\]]*)\]"


class OptionParser(LightningArgumentParser):
    """A parser whose errors name the option, the value and near misses, without a usage of hundreds of lines."""

    # errors of inner parsers, which jsonargparse wraps in the texts of outer ones
    _inner: ClassVar[list[ConfigError]] = []

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise a ConfigError.

        Raises:
            ConfigError: Always.
        """
        for inner in self._inner:
            if inner.problem in message:
                raise inner from ex
        error = option_error(message, (action.dest for action in self._actions))
        self._inner.append(error)
        raise error from ex


def option_error(message: str, known: Iterable[str]) -> ConfigError:
    """Return a short error for a parser's message.

    Args:
        message: The parser's message.
        known: Names of the existing options, for near misses.

    Example:
        >>> print(option_error("Option 'widht' is not accepted", ["item_encoder.width"]))
        options: there is no option 'widht'.
          Rule: options and classes as `lit-rec fit --help_all` lists them.
          Try:  did you mean 'width'?
    """
    flat = re.sub(r"\s+", " ", message).strip()
    rule = "options and classes as `lit-rec fit --help_all` lists them"
    unknown = re.search(
        r"[Oo]ption '([^']+)' is not accepted|does not accept option '([^']+)'|[Uu]nrecognized arguments: (\S+)",
        flat,
    )
    if unknown:
        name = (unknown[1] or unknown[2] or unknown[3]).split("=")[0]
        options = list(known)
        last = {option.rpartition(".")[2] for option in options}
        remedy = did_you_mean(name.rpartition(".")[2], last) or did_you_mean(
            name.partition(".")[0], ("data", "model", "trainer"), "correct or remove it"
        )
        return ConfigError(
            f"there is no option '{name}'", where="options", rule=rule, remedy=remedy
        )
    required = re.search(r"arguments are required: (.*)", flat)
    if required:
        missing = re.sub(r"\b(fit|validate|test|predict)\.", "", required[1]).split(", ")
        return ConfigError(
            f"there is no {', and no '.join(missing)}",
            where="options",
            rule="a YAML with data and model, and what their classes need",
            remedy=with_config("add the YAML that has them:")
            if {"data", "model.network"} & {*missing}
            else f"set {' and '.join(missing)} among the init_args of its class, in the YAML or on the command line",
        )
    key = re.search(r'[Pp]arser key "([^"]+)"', flat)
    value = re.search(r"(?:Given value|Got value): (.*?)(?: - |$)", flat)
    expected = [
        _cut(text)
        for text in re.findall(r"Expected an? ([^.]*?)(?=\.? Got| - | Given|$)", flat)
        if "NoneType" not in text and not text.startswith("path")
    ]
    expected += re.findall(r"one of [\w-]+(?:, [\w-]+)*", re.sub(_CHOICES, _choices, flat))
    expected += re.findall(
        r"subclass of \w+|module '[^']+' has no attribute '[^']+'|No module named '[^']+'", flat
    )
    value = value or re.search(r"given class_path '([^']+)'|dot import path string: (.*)$", flat)
    if key and value:
        seen = re.sub(r"Namespace\(class_path='([^']+)'.*", r"\1", value[1] or value[2])
        wanted = re.sub(
            r"<class '(?:\w+\.)*(\w+)'>|typing\.", r"\1", "; ".join(dict.fromkeys(expected))
        )
        return ConfigError(
            f"'{_cut(seen)}' is not accepted" + (f" ({wanted})" if wanted else ""),
            where=key[1],
            rule=rule,
            remedy="correct the value, in the YAML or on the command line",
        )
    return ConfigError(
        _cut(flat), where="options", rule=rule, remedy="correct the option named above"
    )


def built_error(error: BaseException) -> ConfigError | None:
    """Return a short error for a class of another library that could not be built.

    Args:
        error: The error of jsonargparse, raised from the library's own error.

    Returns:
        The error; None where the cause is one of our errors, which need no change.

    Example:
        >>> print(built_error(ValueError("Problem with given class_path 'a.MyLogger': needs 'x'")))
        options: a.MyLogger cannot be built (Problem with given class_path 'a.MyLogger': needs 'x').
          Rule: a class whose package is installed, with options that it takes.
          Try:  install what it needs, or correct its options.
    """
    name = re.search(r"class_path[= ]'([^']+)'", str(error))
    if name is None or name[1].startswith("lit_rec."):
        return None
    while error.__cause__ is not None:
        error = error.__cause__
        if isinstance(error, LitRecError):
            return None
    return ConfigError(
        f"{name[1]} cannot be built ({_cut(' '.join(str(error).split()))})",
        where="options",
        rule="a class whose package is installed, with options that it takes",
        remedy="install what it needs, or correct its options",
    )


def _choices(found: re.Match[str]) -> str:
    return "one of " + found[1].replace("'", "")


def _cut(text: str) -> str:
    text = text.strip().rstrip(".")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
