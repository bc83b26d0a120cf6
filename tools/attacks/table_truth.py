"""What a file says, read without Polars, and whether prepared tables have all of it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attacks.table_changes import Table

_DROPPED = re.compile(r": ([\d,]+) of [\d,]+ \w+ dropped")
Pair = tuple[str, str]


@dataclass(frozen=True)
class Truth:
    """What the prepared tables must contain.

    Args:
        rows: Behaviors.
        pairs: User and item of each behavior, or None if it is undefined how they are written as texts.
        distinct: How many users and items the behaviors have, or None if that is undefined.
        items: Ids of the items table in its order, or None.
    """

    rows: int
    pairs: Counter[Pair] | None = None
    distinct: tuple[int, int] | None = None
    items: list[str] | None = None


def truth_of_tables(behaviors: Table, items: Table) -> Truth | None:
    """Return what tables say that were written unchanged; None if a column of ids does not appear exactly once."""
    if any(
        table.header.count(name) != 1
        for table, name in ((behaviors, "user_id"), (behaviors, "item_id"), (items, "item_id"))
    ):
        return None
    users, of = behaviors.column("user_id"), behaviors.column("item_id")
    catalogue = items.column("item_id")
    if not all(_is_text(value) for value in (*users, *of, *catalogue)):
        counts = len({repr(v) for v in users}), len({repr(v) for v in of})
        mixed = any(len({type(v) for v in values}) > 1 for values in (users, of, catalogue))
        return Truth(len(users), distinct=None if mixed else counts)
    pairs = Counter((str(user), str(item)) for user, item in zip(users, of, strict=True))
    return Truth(
        len(users), pairs, (len({*users}), len({*of})), [str(value) for value in catalogue]
    )


def truth_of_file(path: Path) -> Truth | None:
    """Return what a file of behaviors says when it is read strictly, or None if it cannot be read so."""
    content = path.read_bytes()
    try:
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
        records = _records(text, path)
        users = [record["user_id"] for record in records]
        of = [record["item_id"] for record in records]
    except (ValueError, KeyError, TypeError, csv.Error, OSError, EOFError):
        return None
    if not all(_is_text(value) for value in (*users, *of)):
        return Truth(len(users))
    return Truth(len(users), Counter(zip(map(str, users), map(str, of), strict=True)))


def lost(truth: Truth, cache: Path, said: str) -> Iterator[tuple[str, str]]:
    """Yield what prepared tables lack, except what the command said it dropped; run this in a child.

    Args:
        truth: What the files say.
        cache: The folder of the prepared tables.
        said: What the command wrote.
    """
    import numpy as np  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415

    (folder,) = cache.glob("tables-*")
    names = pl.read_parquet(folder / "names.parquet")
    users = names.filter(pl.col("kind") == "user")["name"].to_list()
    items = pl.read_parquet(folder / "items/table.parquet")["item_id"].to_list()
    user, item = np.load(folder / "user.npy").tolist(), np.load(folder / "item.npy").tolist()
    dropped = sum(int(count.replace(",", "")) for count in _DROPPED.findall(said))
    if len(user) + dropped != truth.rows:
        yield (
            "rows lost",
            f"{len(user)} rows prepared, {dropped} said to be dropped, of {truth.rows}",
        )
    if truth.items is not None and items != truth.items:
        yield (
            "ids lost",
            f"{len(items)} items, such as {items[:3]}, instead of {len(truth.items)}, such as {truth.items[:3]}",
        )
    if truth.pairs is not None:
        found = Counter((users[u], items[i]) for u, i in zip(user, item, strict=True))
        more, fewer = found - truth.pairs, truth.pairs - found
        if more or fewer.total() > dropped:
            yield (
                "ids lost",
                f"{more.total()} behaviors too many, {fewer.total()} too few: {[*more][:2]} instead of {[*fewer][:2]}",
            )
    elif truth.distinct is not None and not dropped:
        counts = len({*user}), len({*item})
        if counts != truth.distinct:
            yield "ids lost", f"{counts} users and items instead of {truth.distinct}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def _records(text: str, path: Path) -> list[dict[str, Any]]:
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    if path.suffix == ".parquet":
        raise ValueError("not read here")
    tabs = ".tsv" in path.name
    reader = csv.reader(
        io.StringIO(text.rstrip("\r\n"), newline=""),
        delimiter="\t" if tabs else ",",
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
        strict=True,
    )
    header, *rows = list(reader)
    if len({*header}) < len(header) or any(len(row) != len(header) for row in rows):
        raise ValueError("ragged")
    return [dict(zip(header, row, strict=True)) for row in rows]
