"""CommandParser: argparse with our errors, for commands that are not LightningCLI's."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
import textwrap
from collections.abc import Sequence
from functools import partial
from typing import Any, NoReturn

from lit_rec.cli.commands import COMMANDS
from lit_rec.cli.options.examples import with_checkpoint
from lit_rec.cli.options.words import underscored
from lit_rec.errors import ConfigError, did_you_mean
from lit_rec.training.checkpoint.checkpoint_file import check_is_file

TRUST_HELP = "a module of your own that the checkpoint may name; may be repeated"
BASE_HELP = "the encoder's folder, where the checkpoint holds only what was trained"


class _Formatter(argparse.HelpFormatter):
    """A formatter that leaves ``lit-rec`` on one line."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return textwrap.fill(
            " ".join(text.split()),
            width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )


class CommandParser(argparse.ArgumentParser):
    """A parser of one command; an option may be written with hyphens instead of underscores.

    Args:
        name: The command.
        rule: What it needs, for errors.
        description: What it does; by default the docstring of its function.
        epilog: Text below the options.
    """

    def __init__(
        self, name: str, rule: str = "", description: str | None = None, epilog: str | None = None
    ) -> None:
        command = COMMANDS.get(name)
        if command is not None and description is None:
            description = command.description
        super().__init__(
            prog=f"lit-rec {name}",
            usage=None if command is None else f"%(prog)s {command.needs} [options]",
            description=description,
            epilog=epilog,
            allow_abbrev=False,
            formatter_class=partial(_Formatter, max_help_position=28),
        )
        self._rule = rule
        self._words: list[str] = []

    def add_checkpoint(self) -> None:
        """Add ``--ckpt_path``, ``--trust`` and ``--base``, for commands that read a checkpoint."""
        self.add_argument(
            "--ckpt_path",
            required=True,
            metavar="CKPT",
            help="a checkpoint that `lit-rec fit` wrote",
        )
        self.add_argument("--trust", action="append", default=[], metavar="MODULE", help=TRUST_HELP)
        self.add_argument("--base", action="append", default=[], metavar="FOLDER", help=BASE_HELP)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse words with either spelling of options; ``parse_args`` calls this.

        Raises:
            ConfigError: If an option is wrong.
            CheckpointError: If ``--ckpt_path`` names no file.
        """
        words = self._words = underscored(
            sys.argv[1:] if args is None else args, self._option_string_actions
        )
        options, others = super().parse_known_args(words, namespace)
        if getattr(options, "ckpt_path", None) is not None:
            check_is_file(options.ckpt_path)
        return options, others

    def error(self, message: str) -> NoReturn:
        """Raise a ConfigError.

        Raises:
            ConfigError: Always.
        """
        remedy = f"see `{self.prog} --help`"
        unknown = re.match(r"unrecognized arguments: (--[^\s=]+)", message)
        if unknown:
            remedy = did_you_mean(unknown[1], self._option_string_actions, remedy)
        required = re.match(r"the following arguments are required: (.*)", message)
        if required:
            remedy = f"add {required[1]}; {remedy}"
            if required[1] == "--ckpt_path":
                remedy = with_checkpoint(f"{self.prog} {shlex.join(self._words)}".rstrip())
        if message.endswith("expected one argument"):
            option = message.split()[1].rstrip(":")
            remedy = f"write {option}=VALUE, also where the value begins with a hyphen"
        raise ConfigError(message, where=self.prog, rule=self._rule, remedy=remedy)
