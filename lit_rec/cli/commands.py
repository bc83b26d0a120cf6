"""The table of commands: a command is a file with a function, and a row here."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

_EXAMPLE = "lit-rec fit -c CONFIG --data.batch_size 256 --trainer.max_epochs 3"
_WIDTH = 100
_NEEDS = 16  # width of a column; a wider text has a line of its own


@dataclass(frozen=True)
class Command:
    """A command of ``lit-rec``.

    Its function has the same name, with underscores, and takes the words that follow. The function's docstring is the
    help. So the module imports what takes seconds, such as torch, within its functions.

    Args:
        name: What is typed after ``lit-rec``.
        module: Has the function.
        needs: Required arguments, for its usage line.
        uses_torch: Whether it needs the memory that torch takes.

    Example:
        >>> Command("init", "lit_rec.cli.init", "BEHAVIORS ITEMS").summary
        'Write a configuration, guessed from two tables.'
    """

    name: str
    module: str
    needs: str
    uses_torch: bool = True

    @property
    def function(self) -> Callable[[list[str]], object]:
        """The function, imported when it is asked for."""
        function: Callable[[list[str]], object] = getattr(
            import_module(self.module), self.name.replace("-", "_")
        )
        return function

    @property
    def description(self) -> str:
        """The function's docstring without its sections."""
        text = inspect.getdoc(self.function) or ""
        return text.partition("\n\nArgs:")[0].replace("``", "`")

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.description.partition("\n")[0]


_TRAINER = "lit_rec.cli.trainer_commands"
_ROWS = (
    Command("init", "lit_rec.cli.init", "BEHAVIORS ITEMS", uses_torch=False),
    Command("check", "lit_rec.cli.check", "-c CONFIG"),
    Command("fit", _TRAINER, "-c CONFIG"),
    Command("tune", "lit_rec.cli.search.tune", "-c CONFIG"),
    Command("validate", _TRAINER, "--ckpt_path CKPT"),
    Command("test", _TRAINER, "--ckpt_path CKPT"),
    Command("predict", _TRAINER, "--ckpt_path CKPT"),
    Command("recommend", "lit_rec.cli.recommend", "--ckpt_path CKPT"),
    Command("classify", "lit_rec.cli.classify", "--ckpt_path CKPT"),
    Command("acquire", "lit_rec.cli.acquire", "--ckpt_path CKPT --pool FILE --count N"),
    Command("slim", "lit_rec.cli.slim", "CKPT"),
    Command("export-encoder", "lit_rec.cli.export_encoder", "--ckpt_path CKPT --output FOLDER"),
    Command("prune-encoder", "lit_rec.cli.encoders.prune_encoder", "-c CONFIG --output FOLDER"),
)
COMMANDS = {command.name: command for command in _ROWS}


def usage() -> str:
    """Return the text of ``lit-rec --help``: each command, what it needs, and what it does."""
    names = max(map(len, COMMANDS))
    indent = " " * (len("  lit-rec ") + names + _NEEDS + 4)
    lines = []
    for command in _ROWS:
        start = f"  lit-rec {command.name:<{names}}  {command.needs:<{_NEEDS}}  "
        beside = len(start) == len(indent)
        if not beside:
            lines.append(start.rstrip())
        lines += textwrap.wrap(
            command.summary,
            _WIDTH,
            initial_indent=start if beside else indent,
            subsequent_indent=indent,
        )
    return "\n".join(
        [
            "lit-rec: fine-tune a language model into a recommender\n",
            *lines,
            f"\nOptions of the YAML can follow: {_EXAMPLE}",
            "Options of a command: lit-rec COMMAND --help          Version: lit-rec --version",
        ]
    )
