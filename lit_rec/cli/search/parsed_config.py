"""The whole configuration of a run, as the parser of `lit-rec fit` reads it; nothing is built."""

from __future__ import annotations

from typing import Any

import yaml

from lit_rec.cli.rec_cli import RecCLI
from lit_rec.progress import quieten_lightning


class _ParseCLI(RecCLI):
    """``fit``, up to its configuration."""

    trains = False

    def _set_seed(self) -> None:
        """Leave the random state of this process as it is."""

    def before_instantiate_classes(self) -> None:
        """Do nothing."""

    def instantiate_classes(self) -> None:
        """Build nothing."""

    def after_instantiate_classes(self) -> None:
        """Do nothing."""

    def _run_subcommand(self, subcommand: str) -> None:
        """Run nothing."""


def parsed_config(words: list[str]) -> dict[str, Any]:
    """Return the configuration of ``lit-rec fit``, with all defaults, as plain values.

    Args:
        words: The words after ``fit``.

    Raises:
        LitRecError: If it is wrong.
    """
    quieten_lightning()
    cli = _ParseCLI(["fit", *words])
    whole: dict[str, Any] = yaml.safe_load(cli.parser.dump(cli.config, skip_none=False))["fit"]
    return whole
