"""``lit-rec classify``."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_rec.cli.parser import CommandParser
from lit_rec.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from lit_rec.inference.classifier import Classifier


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(
        "classify",
        rule="--ckpt_path, and one of --text and --file",
    )
    parser.add_checkpoint()
    parser.add_argument("--text", action="append", default=[], help="a text; may be repeated")
    parser.add_argument(
        "--file",
        help="a table with the columns of the text, as in training: csv, tsv, parquet or jsonl, also .gz",
    )
    parser.add_argument("--k", type=int, default=1, help="how many labels of each (default: 1)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def classify(words: list[str]) -> None:
    """Predict labels or ratings of texts.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    options = _parser().parse_args(words)
    if bool(options.text) == (options.file is not None):
        both = bool(options.text)
        example = f"lit-rec classify --ckpt_path {shlex.quote(options.ckpt_path)} --text"
        raise ConfigError(
            "texts and a file are given" if both else "there is nothing to classify",
            where="lit-rec classify",
            rule="one of --text and --file",
            remedy="leave out --text or --file" if both else f'{example} "Where is my card?"',
        )
    from lit_rec.data.tables.tables import read_table
    from lit_rec.inference.classifier import Classifier

    texts, where = options.text, "--text"
    if options.file is not None:
        texts, where = read_table(Path(options.file), option="--file"), f"--file {options.file}"
    model = Classifier.from_checkpoint(options.ckpt_path, trust=options.trust, base=options.base)
    answers = _answers(model, texts, options.k, where)
    if options.json:
        json.dump(answers, sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        from rich.console import Console

        Console().print(_table(answers))


def _answers(
    model: Classifier, texts: list[str] | pl.DataFrame, k: int, where: str
) -> list[dict[str, Any]]:
    """Return for each text its first column, and ``labels``, most probable first, or ``rating``."""
    from lit_rec.data.tables.column_values import shown_columns

    first: Sequence[str | None] = (
        texts
        if isinstance(texts, list)
        else shown_columns(texts, model.columns[:1])[model.columns[0]]
    )
    if model.labels:
        found = model.classify(texts, k, where=where)
        labels = [[vars(one) for one in of_text] for of_text in found]
        return [{"text": t, "labels": of_text} for t, of_text in zip(first, labels, strict=True)]
    ratings = model.rate(texts, where=where)
    return [{"text": t, "rating": rating} for t, rating in zip(first, ratings, strict=True)]


def _table(answers: list[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table()
    columns = ("rating",) if "rating" in answers[0] else ("label", "probability")
    for name in columns:
        table.add_column(name, justify="left" if name == "label" else "right")
    table.add_column("text", overflow="fold")
    for answer in answers:
        text = str(answer["text"] or "")
        for one in answer.get("labels", [answer]):
            cells = [one[name] for name in columns]
            shown = (c if isinstance(c, str) else f"{c:.3f}" for c in cells)
            table.add_row(*map(Text, (*shown, text)))  # brackets of a text are no markup
            text = ""  # once for all its labels
    return table
