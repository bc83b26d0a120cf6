"""CommandParser: argparse whose errors are ours, for the commands that LightningCLI does not know."""

from __future__ import annotations

import argparse
from typing import NoReturn

from lit_rec.errors import ConfigError


class CommandParser(argparse.ArgumentParser):
    """A parser of one subcommand.

    Args:
        name: The subcommand.
        rule: What it needs, for errors.
        description: What it does.
        epilog: What stands below the options.
    """

    def __init__(self, name: str, rule: str, description: str, epilog: str | None = None) -> None:
        super().__init__(
            prog=f"lit-rec {name}", description=description, epilog=epilog, allow_abbrev=False
        )
        self._rule = rule

    def error(self, message: str) -> NoReturn:
        """Raise a ConfigError.

        Raises:
            ConfigError: Always.
        """
        raise ConfigError(
            message, where=self.prog, rule=self._rule, remedy=f"see `{self.prog} --help`"
        )
