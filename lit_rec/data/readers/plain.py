"""TableReader: a user's own tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl

from lit_rec.data.readers.reader import Reader
from lit_rec.data.tables.checks import refuse, typed_behaviors, typed_entities
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.column_values import numbers_of
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables, read_source, rename_columns, together
from lit_rec.errors import ConfigError, DataError, did_you_mean, excerpt, option_of, some_of

_CANONICAL = (
    "user_id",
    "item_id",
    "rating",
    "label",
    "event",
    "timestamp",
    "impression_id",
    "text",
    "history",
    "split",
)
_PARTS = ("behaviors", "validation_behaviors", "test_behaviors")
_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}  # in a second


class TableReader(Reader):
    """Two tables, behaviors and items, as CSV, TSV, Parquet or JSON lines, each also .gz.

    Args:
        behaviors: File with a row per behavior.
        items: File with a row per item.
        users: File with a row per user.
        behavior_columns: Canonical name -> the file's column, such as ``{user_id: userId}``; columns with canonical
            names need no entry. Canonical: user_id, item_id, rating, label, event, timestamp, impression_id, text,
            history, split.
        item_columns: The same for items; canonical is item_id, all others keep their names.
        user_columns: The same for users; canonical is user_id.
        delimiter: What separates the columns of text files; comma or tab by the file's ending.
        ordered: Whether the behaviors are in the order of time, so that a row's place is its time.
        time_unit: Unit of numbers in the timestamp column: ``s``, ``ms``, ``us`` or ``ns``.
        validation_behaviors: File with the behaviors that validate; ``behaviors`` then trains.
        test_behaviors: File with the behaviors that test.

    Raises:
        ConfigError: If a canonical name is unknown, the delimiter is not one character, or one file is given for two
            parts.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     pl.DataFrame({"customer": ["u"], "sku": [7], "rating": [4]}).write_csv(f"{folder}/sales.csv")
        ...     pl.DataFrame({"item_id": ["7"], "title": ["Heat"]}).write_ndjson(f"{folder}/items.jsonl")
        ...     columns = {"user_id": "customer", "item_id": "sku"}
        ...     reader = TableReader(f"{folder}/sales.csv", f"{folder}/items.jsonl", behavior_columns=columns)
        ...     reader.read().behaviors.rows(named=True)
        [{'user_id': 'u', 'item_id': '7', 'rating': 4.0, 'row': 0}]
    """

    def __init__(
        self,
        behaviors: str,
        items: str,
        users: str | None = None,
        behavior_columns: Mapping[str, str] | None = None,
        item_columns: Mapping[str, str] | None = None,
        user_columns: Mapping[str, str] | None = None,
        delimiter: str | None = None,
        ordered: bool = False,
        validation_behaviors: str | None = None,
        test_behaviors: str | None = None,
        time_unit: Literal["s", "ms", "us", "ns"] = "s",
    ) -> None:
        self.behaviors, self.items, self.users = behaviors, items, users
        self.behavior_columns = dict(behavior_columns or {})
        self.item_columns = dict(item_columns or {})
        self.user_columns = dict(user_columns or {})
        self.delimiter, self.ordered, self.time_unit = delimiter, ordered, time_unit
        self.validation_behaviors, self.test_behaviors = validation_behaviors, test_behaviors
        self._check()

    def _check(self) -> None:
        for name in self.behavior_columns:
            if name not in _CANONICAL:
                raise ConfigError(
                    f"'{name}' is not a canonical name",
                    where=option_of(self, "behavior_columns"),
                    rule=f"canonical name: the file's column, with a name of {', '.join(_CANONICAL)}",
                    remedy=did_you_mean(name, _CANONICAL, "leave the entry out"),
                )
        if self.delimiter is not None and len(self.delimiter.encode()) != 1:
            raise ConfigError(
                f"{self.delimiter!r} is not one character",
                where=option_of(self, "delimiter"),
                rule="one ASCII character",
                remedy="replace the separator in the file by a tab",
            )
        paths = [(n, Path(getattr(self, n)).resolve()) for n in _PARTS if getattr(self, n)]
        for place, (name, path) in enumerate(paths):
            for other, same in paths[:place]:
                if path == same:
                    raise ConfigError(
                        f"{getattr(self, name)} is also {other}",
                        where=option_of(self, name),
                        rule="training, validation and test rows come from files of their own",
                        remedy="name another file, or leave the option out",
                    )

    def _source(self, name: str) -> Source | None:
        path = getattr(self, name)
        return path and Source.table(Path(path), option_of(self, name), self.delimiter)

    def sources(self) -> list[Source]:
        """Return every file that an option names."""
        names = ("behaviors", "validation_behaviors", "test_behaviors", "items", "users")
        return [source for name in names if (source := self._source(name)) is not None]

    def read(self) -> Tables:
        """Return the tables."""
        frames: list[pl.DataFrame] = []
        sources: list[tuple[Source, int]] = []
        notes: list[CleaningStep] = []
        given = self.validation_behaviors or self.test_behaviors
        for part, name in zip(("train", "val", "test"), _PARTS, strict=True):
            source = self._source(name)
            if source is None:
                continue
            frame = self._behaviors(source, notes)
            if given:
                _check_part(frame, frames, source, self.behaviors)
                frame = frame.with_columns(split=pl.lit(part))
            frames.append(frame)
            sources.append((source, len(frame)))
        behaviors = together(frames, [source for source, _ in sources])
        behaviors = behaviors.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        items = self._entities("items", "item_id", self.item_columns, notes)
        users = None
        if self.users:
            users = self._entities("users", "user_id", self.user_columns, notes)
        return Tables(behaviors, items, users, self.ordered, tuple(sources), dropped=tuple(notes))

    def _behaviors(self, source: Source, notes: list[CleaningStep]) -> pl.DataFrame:
        columns = self.behavior_columns
        ids = [columns.get(name, name) for name in ("user_id", "item_id", "history")]
        frame = rename_columns(
            read_source(source, ids=ids, notes=notes),
            columns,
            ("user_id", "item_id"),
            option=option_of(self, "behavior_columns"),
            where=source.where,
        )
        ticks = _UNITS[self.time_unit]
        behaviors = typed_behaviors(frame, source, ticks=ticks)
        if self.time_unit == "s" or "timestamp" not in frame.columns:
            return behaviors
        given = frame["timestamp"]
        is_date = given.dtype.is_temporal()
        dates = given.is_not_null() if is_date else numbers_of(given).is_null()
        refuse(
            given,
            dates,
            source,
            "is a date",
            rule=f"numbers, since {option_of(self, 'time_unit')} is {self.time_unit}",
            remedy=f"leave {option_of(self, 'time_unit')} out",
        )
        return behaviors.with_columns(pl.col("timestamp") / ticks)

    def _entities(
        self, name: str, key: str, columns: dict[str, str], notes: list[CleaningStep]
    ) -> pl.DataFrame:
        source = Source.table(Path(getattr(self, name)), option_of(self, name), self.delimiter)
        mapping = option_of(self, f"{name[:-1]}_columns")
        frame = read_source(source, ids=[columns.get(key, key)], notes=notes)
        frame = rename_columns(frame, columns, (key,), option=mapping, where=source.where)
        return typed_entities(frame, key, source)


def _check_part(
    frame: pl.DataFrame, others: list[pl.DataFrame], source: Source, first: str
) -> None:
    """Check that the file of one part has columns that agree with the files of the other parts."""
    if "split" in frame.columns:
        raise DataError(
            f"there is a column 'split', holding {excerpt(frame['split'][0])}, and also a file for each part",
            where=source.where,
            rule="the parts come from the files or from a column, not from both",
            remedy="leave the column out, or leave validation_behaviors and test_behaviors out",
        )
    if others and ("timestamp" in frame.columns) != ("timestamp" in others[0].columns):
        raise DataError(
            f"the columns are {some_of(frame.columns)}; those of {first} are {some_of(others[0].columns)}",
            where=source.where,
            rule="all files of behaviors have a timestamp, or none has",
            remedy="add the column, or leave it out of all",
        )
