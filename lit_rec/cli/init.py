"""``lit-rec init``: from two tables to a configuration."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_rec.cli.options.option_paths import worded_by
from lit_rec.cli.parser import CommandParser
from lit_rec.errors import ConfigError, LitRecError
from lit_rec.files.atomic import replace_file

if TYPE_CHECKING:
    from lit_rec.init.table_files import Reading

# options that this command has under the same names
_OF_READER = re.compile(r"\bTableReader\.(invalid_rows|decimal|\w+_names)\b")


def _parser() -> CommandParser:
    parser = CommandParser(
        "init",
        rule="two tables, and options as `lit-rec init --help` lists them",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="tables: CSV, TSV, Parquet, JSON lines (also .gz); or a known format",
    )
    parser.add_argument(
        "-o",
        "--output",
        default="my_data.yaml",
        metavar="YAML",
        help="the YAML to write (default: my_data.yaml)",
    )
    parser.add_argument("--encoder", help="folder or hub name of the encoder")
    parser.add_argument(
        "--plain", action="store_true", help="read files of a known format as plain tables"
    )
    parser.add_argument("--force", action="store_true", help="overwrite the YAML if it is there")
    parser.add_argument("--behaviors", metavar="FILE", help="which file holds the behaviors")
    parser.add_argument("--user_column", metavar="NAME", help="the behaviors' column of users")
    parser.add_argument("--item_column", metavar="NAME", help="the behaviors' column of items")
    parser.add_argument(
        "--rating_column", metavar="NAME", help="the behaviors' column of ratings, or of 0 and 1"
    )
    parser.add_argument(
        "--task",
        choices=["next_item"],
        help="predict the next item even if there are ratings or labels",
    )
    parser.add_argument("--time_column", metavar="NAME", help="the behaviors' column of times")
    parser.add_argument(
        "--text_columns", metavar="NAMES", help="the items' columns to read: title,description"
    )
    parser.add_argument(
        "--behavior_names", metavar="NAMES", help="columns of behaviors without a header: user,item"
    )
    parser.add_argument(
        "--missing_values", metavar="TEXTS", help="what else is a missing value: =-1,unknown"
    )
    parser.add_argument(
        "--invalid_rows",
        metavar="drop",
        choices=["error", "drop"],
        default="error",
        help="leave out rows with an empty id, an unreadable number or time",
    )
    # not shown: rarely needed, and named by the errors that they answer
    parser.add_argument("--item_names", help=argparse.SUPPRESS)
    parser.add_argument("--user_names", help=argparse.SUPPRESS)
    parser.add_argument("--header", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--decimal", choices=[".", ","], help=argparse.SUPPRESS)
    return parser


def _reading(options: Any) -> Reading:
    from lit_rec.init.table_files import Reading

    given = {
        role: getattr(options, f"{role[:-1]}_names") for role in ("behaviors", "items", "users")
    }
    return Reading(
        missing=_words(options.missing_values or ""),
        decimal=options.decimal,
        invalid_rows=options.invalid_rows,
        names={role: _words(names) for role, names in given.items() if names is not None},
        behaviors=options.behaviors,
        has_header=options.header,
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _by_options(error: LitRecError) -> LitRecError:
    """Return an error that names options of the reader as this command does."""
    return error.reworded(lambda text: _OF_READER.sub(r"--\1", text))


def init(words: list[str]) -> None:
    """Write a configuration, guessed from two tables.

    Look at behaviors and items, guess what their columns mean, and write a YAML for ``lit-rec fit``. Its comments say
    what was guessed, and why.

    Args:
        words: The options.

    Raises:
        LitRecError: If a table cannot be read, or something cannot be guessed.
    """
    options = _parser().parse_args(words)
    from lit_rec.init.config_writer import config_text, guesses
    from lit_rec.init.formats.format_plan import make_format_plan
    from lit_rec.init.formats.format_writer import format_config, format_lines
    from lit_rec.init.formats.recognise import recognised
    from lit_rec.init.option_words import divided, option
    from lit_rec.init.plan import make_plan
    from lit_rec.init.table_files import read_files

    output = Path(options.output)
    if output.exists() and (output.is_dir() or not options.force):
        folder = output.is_dir()
        raise ConfigError(
            "this is a folder" if folder else "there is already such a file",
            where=f"--output {output}",
            rule="a file to write; one that is there is overwritten only where --force says so",
            remedy=f"name a file in it: {option('--output', str(output / 'my_data.yaml'))}"
            if folder
            else f"choose another name with --output, or add --force to replace {output.name}",
        )
    named = {
        role: name
        for role, name in (
            ("user_id", options.user_column),
            ("item_id", options.item_column),
            ("rating", options.rating_column),
            ("timestamp", options.time_column),
        )
        if name is not None
    }
    texts = options.text_columns
    columns = None if texts is None else divided(texts)
    next_item = options.task is not None
    command = shlex.join(["lit-rec", "init", *(word for word in words if word != "--force")])
    found, reading = None, _reading(options)
    if not (options.plain or options.behaviors or reading.names or reading.has_header):
        found = recognised(options.files, named, columns)
    if found is not None:
        ready = make_format_plan(
            found, text_columns=columns, encoder=options.encoder, next_item=next_item
        )
        text, seen = format_config(ready, output, command), format_lines(ready)
    else:
        with worded_by(_by_options):
            plan = make_plan(
                read_files(options.files, reading),
                behaviors=options.behaviors,
                columns=named,
                text_columns=columns,
                encoder=options.encoder,
                next_item=next_item,
            )
        text, seen = config_text(plan, output, command), guesses(plan)
    replace_file(output, lambda work: work.write_text(text, encoding="utf-8"))
    lines = [
        *seen,
        f"written: {output}",
        f"next: lit-rec check -c {output}, then lit-rec fit -c {output}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
