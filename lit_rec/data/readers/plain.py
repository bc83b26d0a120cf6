"""TableReader: a user's own tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Literal

import polars as pl

from lit_rec.data.readers.reader import (
    Reader,
    check_apart,
    check_canonical,
    checked_delimiter,
)
from lit_rec.data.tables.cells import IDS, CellRules, Missing
from lit_rec.data.tables.checks import refuse, typed_entities, valid_behaviors
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.column_values import NoSuchValuesError, numbers_of
from lit_rec.data.tables.delimited import DelimitedOptions
from lit_rec.data.tables.headers import lacks_header, no_header, rename_columns
from lit_rec.data.tables.problems import Dropping, InvalidRows
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables, read_valid, together
from lit_rec.data.tables.times import TimeRules, TimeUnit, to_seconds
from lit_rec.data.tables.written_dates import year_last
from lit_rec.errors import DataError, excerpt, option_of, some_of

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
_Undecoded = dict[tuple[str, str], tuple[Source, int]]


class TableReader(Reader):
    r"""Two tables, behaviors and items, as CSV, TSV, Parquet or JSON lines, each also .gz.

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
        time_unit: Unit of numbers in the timestamp column, since 1970: ``s``, ``ms``, ``us``, ``ns`` or ``d`` (days);
            ``mixed`` where some are seconds and some are milliseconds, so that each number's size says its unit;
            ``unknown`` where the numbers have an order but no unit is known, such as weeks of a course.
        validation_behaviors: File with the behaviors that validate; ``behaviors`` then trains.
        test_behaviors: File with the behaviors that test.
        missing_values: Texts and numbers that stand for a missing value besides ``NaN``, ``NULL``, ``None``, ``NA``,
            ``N/A``, ``-``, ``\N`` and ``?``, such as ``[-1]``: in every column, ids too. Or canonical name
            -> those of this column, such as ``{rating: [0]}``; an empty list: no text stands for one there.
        decimal: What separates the fraction of a number: ``.`` or ``,``.
        clean_html: Whether tags are removed, and entities replaced, in texts that have them.
        invalid_rows: ``drop``: rows with an empty id, an unreadable number or time, or (of items) a repeated id are
            left out, and counted, and so are lines that cannot be read; more than half of a file's rows are an error.
        strip_ids: Whether spaces around ids are removed.
        behavior_names: Names of the columns of behaviors files without a header, in their order.
        item_names: The same for items.
        user_names: The same for users.
        day_first: Of dates such as 13.04.2020 or 04/13/2020 whether the day is first. Dates with the year first, or
            with a month's name, need no option.
        unknown_times: Numbers in the timestamp column that say that a time is not known, such as 0. These rows are
            left out and counted.

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
        time_unit: TimeUnit = "s",
        missing_values: Mapping[str, Sequence[str | float]] | Sequence[str | float] | None = None,
        decimal: Literal[".", ","] = ".",
        clean_html: bool = True,
        invalid_rows: Literal["error", "drop"] = "error",
        strip_ids: bool = False,
        behavior_names: Sequence[str] | None = None,
        item_names: Sequence[str] | None = None,
        user_names: Sequence[str] | None = None,
        day_first: bool | None = None,
        unknown_times: Sequence[float] = (),
    ) -> None:
        self.behaviors, self.items, self.users = behaviors, items, users
        self.behavior_columns = dict(behavior_columns or {})
        self.item_columns = dict(item_columns or {})
        self.user_columns = dict(user_columns or {})
        self.delimiter, self.ordered, self.time_unit = delimiter, ordered, time_unit
        self.validation_behaviors, self.test_behaviors = validation_behaviors, test_behaviors
        self.missing_values, self.decimal, self.clean_html = missing_values, decimal, clean_html
        self.invalid_rows: InvalidRows = invalid_rows
        self.strip_ids = strip_ids
        self.behavior_names, self.item_names = behavior_names, item_names
        self.user_names = user_names
        self.day_first, self.unknown_times = day_first, list(unknown_times)
        self._check()

    def _check(self) -> None:
        name = "behavior_columns"
        check_canonical(self, name, self.behavior_columns, _CANONICAL, "other columns are not read")
        self.delimiter = checked_delimiter(self, self.delimiter)
        check_apart(self, {name: getattr(self, name) for name in _PARTS if getattr(self, name)})

    def _source(self, name: str) -> Source | None:
        return self._given(name) if getattr(self, name) else None

    def _given(self, name: str) -> Source:
        """Return the file that an option names."""
        named = _names_option(name)
        return Source.table(
            Path(getattr(self, name)),
            option_of(self, name),
            self.delimiter,
            getattr(self, named) or (),
            DelimitedOptions(option_of(self, "delimiter"), option_of(self, named)),
        )

    @property
    def _rules(self) -> CellRules:
        missing: Missing = () if self.missing_values is None else self.missing_values
        return CellRules(missing, self.decimal, self.clean_html, self.strip_ids)

    def sources(self) -> list[Source]:
        """Return every file that an option names."""
        names = ("behaviors", "validation_behaviors", "test_behaviors", "items", "users")
        return [source for name in names if (source := self._source(name)) is not None]

    def read(self) -> Tables:
        """Return the tables."""
        frames: list[pl.DataFrame] = []
        sources: list[tuple[Source, int]] = []
        dropping = Dropping(
            self.invalid_rows, option_of(self, "invalid_rows"), option_of(self, "decimal")
        )
        given = self.validation_behaviors or self.test_behaviors
        for part, name in zip(("train", "val", "test"), _PARTS, strict=True):
            source = self._source(name)
            if source is None:
                continue
            frame, source = self._behaviors(source, dropping)
            if given:
                _check_part(frame, frames, source, self.behaviors)
                frame = frame.with_columns(split=pl.lit(part))
            frames.append(frame)
            sources.append((source, len(frame)))
        behaviors = together(frames, [source for source, _ in sources])
        behaviors = behaviors.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        if self.unknown_times and "timestamp" in behaviors.columns:
            behaviors = self._with_times(behaviors, dropping.steps)
        undecoded: _Undecoded = {}
        items = self._entities("items", "item_id", self.item_columns, dropping, undecoded)
        users = None
        if self.users:
            users = self._entities("users", "user_id", self.user_columns, dropping, undecoded)
        frames = [behaviors, items] if users is None else [behaviors, items, users]
        mappings = (self.user_columns, self.item_columns, self.behavior_columns)
        self._rules.check_named(
            chain(*(f.columns for f in frames)),
            option_of(self, "missing_values"),
            {column: name for mapping in mappings for name, column in mapping.items()},
        )
        return Tables(
            behaviors,
            items,
            users,
            self.ordered,
            tuple(sources),
            dropped=tuple(dropping.steps),
            undecoded=undecoded,
        )

    def _read(
        self,
        source: Source,
        name: str,
        columns: Mapping[str, str],
        required: tuple[str, ...],
        dropping: Dropping,
        undecoded: _Undecoded,
    ) -> tuple[pl.DataFrame, Source]:
        """Return a table under canonical names, its cells read, and the source of its rows."""
        ids = [columns.get(each, each) for each in IDS]
        mapping = option_of(self, f"{name[:-1]}_columns")
        # any other column of items may be a text that a model reads: whoever reads it asks ``check_decoded``
        needed = [
            columns.get(each, each) for each in (_CANONICAL if name == "behaviors" else required)
        ]
        damaged: dict[str, tuple[Source, int]] = {}
        frame, source = read_valid(source, dropping, ids=ids, needed=needed, undecoded=damaged)
        undecoded |= {(name, column): place for column, place in damaged.items()}
        absent = [columns.get(each, each) not in frame.columns for each in required]
        if any(absent) and source.delimiter and source.has_header and lacks_header(frame):
            otherwise = (
                f"; if the first line is a header, set {mapping}.{required[0]} to its column"
            )
            option = option_of(self, _names_option(name))
            raise no_header(frame.columns, source, option, otherwise)
        frame = rename_columns(frame, columns, required, option=mapping, where=source.where)
        return self._rules.read_table(frame, IDS if name == "behaviors" else required), source

    def _behaviors(self, source: Source, dropping: Dropping) -> tuple[pl.DataFrame, Source]:
        required = ("user_id", "item_id")
        columns = self.behavior_columns
        frame, source = self._read(source, "behaviors", columns, required, dropping, {})
        if "rating" in frame.columns:
            frame = frame.with_columns(self._rules.numbers(frame["rating"]))
        if self.time_unit != "s" and "timestamp" in frame.columns:
            self._refuse_dates(frame["timestamp"], source)
        return valid_behaviors(frame, source, times=self._times(), dropping=dropping)

    def _refuse_dates(self, given: pl.Series, source: Source) -> None:
        numbers, dates = pl.Series([False]), given.is_not_null()
        if not given.dtype.is_temporal():
            try:
                numbers = numbers_of(given).is_not_null()
                dates = ~numbers & to_seconds(given, day_first=self.day_first).is_not_null()
            except NoSuchValuesError:  # refused later
                return
            if given.dtype == pl.String:
                dates |= ~numbers & year_last(given)
        option = option_of(self, "time_unit")
        refuse(
            given,
            dates,
            source,
            "is a date",
            rule=f"numbers, since {option} is {self.time_unit}",
            remedy="write numbers or dates in all rows" if numbers.any() else f"leave {option} out",
        )

    def _times(self) -> TimeRules:
        return TimeRules(
            self.time_unit,
            self.day_first,
            tuple(float(value) for value in self.unknown_times),
            option_of(self, "day_first"),
        )

    def _with_times(self, behaviors: pl.DataFrame, notes: list[CleaningStep]) -> pl.DataFrame:
        """Leave out the rows whose time is unknown."""
        known = behaviors.filter(pl.col("timestamp").is_not_null())
        left = len(behaviors) - len(known)
        values = ", ".join(f"{value:g}" for value in self.unknown_times)
        if left == len(behaviors):
            option = option_of(self, "unknown_times")
            raise DataError(
                f"the time of all {left:,} behaviors is unknown ({values})",
                where=option,
                rule="numbers that say that a time is not known, in some rows",
                remedy=f"leave numbers that are times out of {option}, or name no column timestamp",
            )
        if left:
            notes.append(CleaningStep(f"time unknown ({values})", left, len(behaviors)))
        return known

    def _entities(
        self,
        name: str,
        key: str,
        columns: dict[str, str],
        dropping: Dropping,
        undecoded: _Undecoded,
    ) -> pl.DataFrame:
        given = self._given(name)
        frame, source = self._read(given, name, columns, (key,), dropping, undecoded)
        return typed_entities(frame, key, source, dropping)


def _names_option(name: str) -> str:
    return f"{name[:-1]}_names" if name in ("items", "users") else "behavior_names"


def _check_part(
    frame: pl.DataFrame, others: list[pl.DataFrame], source: Source, first: str
) -> None:
    """Check that the file of one part has columns that agree with the files of the other parts."""
    if "split" in frame.columns:
        raise DataError(
            f"there is a column 'split', holding {excerpt(frame['split'][0])}, and also a file for each part",
            where=source.where,
            rule="the parts come from the files or from a column, not from both",
            remedy="leave the column split out, or leave validation_behaviors and test_behaviors out",
        )
    if others and ("timestamp" in frame.columns) != ("timestamp" in others[0].columns):
        raise DataError(
            f"the columns are {some_of(frame.columns)}; those of {first} are {some_of(others[0].columns)}",
            where=source.where,
            rule="all files of behaviors have a timestamp, or none has",
            remedy="add the column timestamp where it is missing, or leave it out of all files",
        )
