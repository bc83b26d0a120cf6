"""``lit-rec acquire``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from lit_rec.cli.parser import CommandParser
from lit_rec.errors import ConfigError
from lit_rec.files.existing import is_there

if TYPE_CHECKING:
    import polars as pl

    from lit_rec.inference.acquirer import Acquired

_ROW, _SCORE = "pool_row", "acquisition_score"


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser("acquire", rule="--ckpt_path, --pool and --count")
    parser.add_checkpoint()
    add = parser.add_argument
    add("--pool", required=True, metavar="FILE", help="a table with the columns of the text")
    add("--count", required=True, type=int, metavar="N", help="how many rows to choose")
    add("--strategy", help="margin (default), entropy, badge, k_center or random")
    add("--labelled", metavar="FILE", help="a table of texts that got a label since training")
    add(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="of badge, of random, of equal scores (default: 0)",
    )
    add(
        "--output",
        metavar="FILE",
        help="the csv, tsv, jsonl or parquet to write (default: csv on the screen)",
    )
    add("--overwrite", action="store_true", help="replace the file if it is there")
    return parser


def acquire(words: list[str]) -> None:
    """Choose the rows of a pool of texts to label next.

    They are written best first, with all columns of the pool, `acquisition_score`, and `pool_row`, counted from 1. The
    checkpoint is of a classifier of texts. Texts that it was trained on, equal texts and empty ones are left out.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    options = _parser().parse_args(words)
    write = None if options.output is None else _writer(Path(options.output), options.overwrite)
    from lit_rec.data.tables.tables import read_table
    from lit_rec.inference.acquirer import DEFAULT, Acquirer

    pool = read_table(Path(options.pool), option="--pool")
    _check_columns(pool, options.pool)
    labelled = options.labelled
    known = None if labelled is None else read_table(Path(labelled), option="--labelled")
    model = Acquirer.from_checkpoint(options.ckpt_path, trust=options.trust, base=options.base)
    found = model.choose(
        *(pool, options.count, options.strategy or DEFAULT),
        labelled=known,
        seed=options.seed,
        where=f"--pool {options.pool}",
        where_labelled=f"--labelled {labelled}",
    )
    table = _table(pool, found)
    if write is None:
        sys.stdout.write(_flat(table).write_csv())
    else:
        write(table)
    for line in _remarks(found, options.count, len(pool)):
        sys.stderr.write(f"{line}\n")


def _writer(path: Path, overwrite: bool) -> Callable[[pl.DataFrame], None]:
    """Return what writes the file, whole or not at all; a wrong name is refused before anything is read."""
    kinds: dict[str, Callable[[pl.DataFrame, Path], object]] = {
        ".csv": lambda table, work: _flat(table).write_csv(work),
        ".tsv": lambda table, work: _flat(table).write_csv(work, separator="\t"),
        ".jsonl": lambda table, work: table.write_ndjson(work),
        ".parquet": lambda table, work: table.write_parquet(work),
    }
    if path.suffix not in kinds:
        raise ConfigError(
            f"'{path.suffix}' is no kind of table" if path.suffix else "it has no ending",
            where=f"--output {path}",
            rule=f"a name that ends with {', '.join(kinds)}",
            remedy=f"name {path.with_suffix('.csv')}",
        )
    if is_there(path) and not overwrite:
        raise ConfigError(
            "there is already such a file",
            where=f"--output {path}",
            rule="no file is replaced unasked",
            remedy="name another, or add --overwrite",
        )
    from lit_rec.files.atomic import replace_file

    return lambda table: replace_file(path, lambda work: kinds[path.suffix](table, work))


def _check_columns(pool: pl.DataFrame, name: str) -> None:
    for column in (_ROW, _SCORE):
        if column in pool.columns:
            raise ConfigError(
                f"there is a column '{column}' already",
                where=f"--pool {name}",
                rule=f"columns of other names than {_ROW} and {_SCORE}, which are added",
                remedy="rename it, or name the table that it was chosen from",
            )


def _table(pool: pl.DataFrame, found: Acquired) -> pl.DataFrame:
    import polars as pl

    added = [pl.Series(_ROW, found.row + 1), pl.Series(_SCORE, found.score)]
    rows = pool.select(pl.all().gather(found.row))
    return rows.with_columns(added).select(_ROW, _SCORE, *pool.columns)


def _flat(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table of which every value can be a cell: lists are joined by commas."""
    import polars as pl

    from lit_rec.data.tables.column_values import shown_columns

    nested = [name for name, kind in table.schema.items() if kind.is_nested()]
    cells = [
        pl.Series(name, values, pl.String) for name, values in shown_columns(table, nested).items()
    ]
    return table.with_columns(cells)


def _remarks(found: Acquired, count: int, rows: int) -> list[str]:
    """Return lines about rows that were not considered."""
    left_out = {
        "without a text": found.empty,
        "with the text of an earlier row": found.repeated,
        "with a text that has a label already": found.labelled,
    }
    parts = [f"{len(of):,} {why}" for why, of in left_out.items() if len(of)]
    lines = [f"left out of {rows:,} rows: {', '.join(parts)}"] if parts else []
    if len(found.row) < count:
        lines.append(
            f"these are all: {len(found.row):,} rows could be chosen, {count:,} were asked for"
        )
    return lines
