"""FrameReader: tables that a program has as Polars frames."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from lit_rec.data.readers.reader import Reader
from lit_rec.data.tables.cells import IDS, CellRules
from lit_rec.data.tables.checks import typed_entities, valid_behaviors
from lit_rec.data.tables.column_values import NoSuchValuesError, plain_columns
from lit_rec.data.tables.problems import Dropping, InvalidRows
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables
from lit_rec.data.tables.times import TimeRules
from lit_rec.errors import ConfigError, DataError, near_names, option_of, some_of


class FrameReader(Reader):
    """Two tables, behaviors and items, as Polars frames: for Python, without files.

    Columns have canonical names; use ``frame.rename``. Values are read as in Parquet files: ids may be texts or whole
    numbers; times may be seconds, dates or ISO texts.

    Args:
        behaviors: A row per behavior: user_id, item_id; optional rating, label, event, timestamp, impression_id, text,
            history, split.
        items: A row per item: item_id and any other columns.
        users: A row per user: user_id and any other columns.
        ordered: Whether the behaviors are in the order of time, so that a row's place is its time.
        missing_values: What else stands for a missing value, as for ``TableReader``.
        clean_html: Whether tags are removed, and entities replaced, in texts that have them.
        invalid_rows: ``drop``: rows with an empty id, an unreadable number or time, or (of items) a repeated id are
            left out, and counted.

    Raises:
        ConfigError: If one of them is not a Polars frame.
        DataError: If a column holds Python objects.

    Example:
        >>> behaviors = pl.DataFrame({"user_id": ["u"], "item_id": [7], "rating": [4]})
        >>> reader = FrameReader(behaviors, pl.DataFrame({"item_id": [7], "title": ["Heat"]}))
        >>> reader.read().behaviors.rows(named=True)
        [{'user_id': 'u', 'item_id': '7', 'rating': 4.0, 'row': 0}]
    """

    # not among vars(), which become part of a cache key: plain values such as `content`
    __slots__ = ("_frames",)

    def __init__(
        self,
        behaviors: pl.DataFrame,
        items: pl.DataFrame,
        users: pl.DataFrame | None = None,
        ordered: bool = False,
        missing_values: Mapping[str, Sequence[str | float]] | Sequence[str | float] | None = None,
        clean_html: bool = True,
        invalid_rows: Literal["error", "drop"] = "error",
    ) -> None:
        frames = {"behaviors": behaviors, "items": items}
        if users is not None:
            frames["users"] = users
        for name, frame in frames.items():
            if not isinstance(frame, pl.DataFrame):
                raise ConfigError(
                    f"a {type(frame).__name__} is no polars.DataFrame",
                    where=f"FrameReader.{name}",
                    rule="a Polars frame",
                    remedy=_framed(frame),
                )
        self._frames = frames
        self.ordered = ordered
        self.missing_values, self.clean_html = missing_values, clean_html
        self.invalid_rows: InvalidRows = invalid_rows
        self.content = {name: _hash(name, frame) for name, frame in frames.items()}

    def sources(self) -> list[Source]:
        """Return nothing: there is no file."""
        return []

    def read(self) -> Tables:
        """Return the tables.

        Raises:
            DataError: If a column of ids is missing, or a value is of the wrong kind.
        """
        dropping = Dropping(self.invalid_rows, option_of(self, "invalid_rows"))
        behaviors, source = self._table("behaviors", "user_id", "item_id")
        times = TimeRules(in_frame=True)
        behaviors, _ = valid_behaviors(behaviors, source, times=times, dropping=dropping)
        items = self._entities("items", "item_id", dropping)
        users = self._entities("users", "user_id", dropping) if "users" in self._frames else None
        return Tables(behaviors, items, users, self.ordered, dropped=tuple(dropping.steps))

    def _entities(self, name: str, key: str, dropping: Dropping) -> pl.DataFrame:
        frame, source = self._table(name, key)
        return typed_entities(frame, key, source, dropping)

    def _table(self, name: str, *required: str) -> tuple[pl.DataFrame, Source]:
        frame, where = self._frames[name], f"FrameReader.{name}"
        for column in required:
            if column not in frame.columns:
                near = near_names(column, frame.columns)
                raise DataError(
                    f"there is no column '{column}'; the frame has {some_of(frame.columns)}",
                    where=where,
                    rule=f"a column '{column}'",
                    remedy=f"`frame.rename({{{near[0]!r}: '{column}'}})`"
                    if near
                    else f"rename the column that holds it: `frame.rename({{'YOURS': '{column}'}})`",
                )
        try:
            frame = plain_columns(frame)
        except NoSuchValuesError as error:
            raise DataError(
                str(error),
                where=where,
                rule="dates of a calendar",
                remedy="correct these dates, or leave the column or these rows out",
            ) from error
        missing = () if self.missing_values is None else self.missing_values
        ids = IDS if name == "behaviors" else required
        frame = CellRules(missing, clean_html=self.clean_html).read_table(frame, ids)
        # like a Parquet file, so that errors name rows, not lines
        return frame, Source(Path(f"{name}.parquet"), where)


def _framed(table: object) -> str:
    """Return how another table becomes a Polars frame."""
    if isinstance(table, pl.LazyFrame):
        return "`frame.collect()`"
    if isinstance(table, dict | list):
        return "`polars.DataFrame(frame)`"
    if isinstance(table, str | Path):
        return "read files with TableReader, or `polars.read_csv(frame)`"
    return "`polars.from_pandas(frame)`, or `polars.DataFrame(frame.to_dict('list'))`"


def _hash(name: str, frame: pl.DataFrame) -> str:
    """Hash the content of a frame, so that a changed frame is prepared again.

    It is hashed as Parquet, which leaves out the undefined values under nulls.
    """
    content = io.BytesIO()
    try:
        frame.rechunk().write_parquet(content, compression="uncompressed")
    except pl.exceptions.PolarsError as error:
        columns = [column for column in frame.columns if not _is_written(frame.select(column))]
        raise DataError(
            f"a column cannot be written ({error})",
            where=f"FrameReader.{name}",
            rule="texts, numbers, dates, or lists of them",
            remedy=f"leave out columns of Python objects and of empty mappings: `frame.drop({columns})`",
        ) from error
    return hashlib.sha256(content.getbuffer()).hexdigest()


def _is_written(frame: pl.DataFrame) -> bool:
    try:
        frame.write_parquet(io.BytesIO())
    except pl.exceptions.PolarsError:
        return False
    return True
