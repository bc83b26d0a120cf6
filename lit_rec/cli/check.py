"""``lit-rec check``: everything that ``fit`` does before it trains, and what it would meet then."""

from __future__ import annotations

import json
from pathlib import Path

from lit_rec.cli.options.first_checks import check_words
from lit_rec.cli.parser import CommandParser
from lit_rec.errors import ConfigError
from lit_rec.files.atomic import replace_file


def check(words: list[str]) -> None:
    """Try data and model without training.

    Read, validate, clean, split and tokenise the data as ``lit-rec fit`` would, build the model, try a few steps, and
    show what was found. Nothing is stored except the cache of prepared data.

    Args:
        words: The options of ``fit``, and ``--json``.

    Raises:
        LitRecError: If ``fit`` would not start.
    """
    parser = CommandParser(
        "check",
        rule="-c with a configuration, and options as for `lit-rec fit`",
        epilog="All options of fit can follow: lit-rec check -c CONFIG --data.batch_size 256; "
        "`lit-rec fit --help` shows those used most, `lit-rec fit --help_all` all.",
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures into a file too")
    options, of_fit = parser.parse_known_args(words)
    if not of_fit:
        raise ConfigError(
            "no configuration is named",
            where="lit-rec check",
            rule="-c with a YAML that `lit-rec fit` takes",
            remedy="lit-rec check -c configs/quickstart.yaml",
        )
    if options.json is not None and Path(options.json).is_dir():
        raise ConfigError(
            "this is a folder",
            where=f"--json {options.json}",
            rule="a file to write",
            remedy=f"--json {Path(options.json, 'check.json')}",
        )
    check_words("fit", of_fit)
    from lit_rec.cli.check_cli import check_fit

    figures = check_fit(of_fit)
    if options.json is not None:
        text = json.dumps(figures, indent=1, ensure_ascii=False) + "\n"
        replace_file(Path(options.json), lambda work: work.write_text(text, encoding="utf-8"))
