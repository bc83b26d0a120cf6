"""TablesWriter: reads, cleans and splits a reader's tables, and caches them in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal

import polars as pl
from lightning.pytorch.utilities import rank_zero_info

from lit_rec.data.fields.field import Field
from lit_rec.data.prepared import ALL_PARTS, PARTS, prepare
from lit_rec.data.readers.reader import Reader
from lit_rec.data.splits.splits import Split
from lit_rec.data.tables.cleaning import CleaningRecord, clean
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError, DataError, did_you_mean, excerpt, option_of, some_of
from lit_rec.files.cache import cached, hash_of, hash_of_files, options_of

_FORMAT = 8  # raise when what the cache holds changes


@dataclass(frozen=True)
class TablesWriter:
    """All options that change the prepared data; they are those of ``BehaviorDataModule``."""

    reader: Reader
    split: Split
    text: TextTemplate
    unknown_items: Literal["error", "drop"]
    duplicates: Literal["keep", "first", "last"]
    item_fields: Sequence[Field]
    user_text: TextTemplate | None
    user_fields: Sequence[Field]
    target_events: Sequence[str] | None

    @cached_property
    def _hashes(self) -> list[str]:
        return hash_of_files(self.reader.files())

    @cached_property
    def key(self) -> str:
        """A hash of the files and of all options that change the prepared data."""
        options: dict[str, object] = {
            "format": _FORMAT,
            "files": self._hashes,
            "parts": [options_of(p) for p in (self.reader, self.split, self.text)],
            "fields": [self.item_fields, self.user_text, self.user_fields],
            "cleaning": [self.unknown_items, self.duplicates],
        }
        if self.target_events is not None:
            options["target_events"] = list(self.target_events)
        return hash_of(options)

    def folder(self, cache: Path, key: str) -> Path:
        """Return the folder of the prepared tables and of the record of their cleaning; make it if it is absent.

        When it is made, the user is shown what was dropped and how many rows each part has.

        Args:
            cache: The folder of all caches.
            key: The hash above.

        Raises:
            ConfigError: If an option is wrong, or the cache cannot be written.
            DataError: If a table cannot be trusted, or has changed since it was hashed.
        """
        return cached(cache, "tables", key, self._write)

    def _write(self, folder: Path) -> None:
        hashes, unknown, repeated = self._hashes, self.unknown_items, self.duplicates
        tables, report = clean(self.reader.read(), unknown_items=unknown, duplicates=repeated)
        self._refuse_changed(hashes)
        for table, template, fields in (
            ("items", self.text, self.item_fields),
            ("users", self.user_text, self.user_fields),
        ):
            texts = template.fields.values() if template is not None else ()
            tables.check_decoded(table, [*chain(*texts), *(field.column for field in fields)])
        rank_zero_info(str(report))
        CleaningRecord.of(report, tables.behaviors).write(folder)
        self._check_events(tables.behaviors)
        part = self.split.assign(
            tables.behaviors, ordered=tables.ordered, target_events=self.target_events
        )
        counts = {name: int((part == name).sum()) for name in ALL_PARTS}
        rank_zero_info(
            f"{len(tables.behaviors):,} behaviors of {len(tables.items):,} items: "
            + ", ".join(
                f"{name} {count:,}" for name, count in counts.items() if count or name in PARTS
            )
        )
        prepare(
            tables,
            part,
            self.text,
            folder,
            item_fields=self.item_fields,
            user_text=self.user_text,
            user_fields=self.user_fields,
        )

    def _check_events(self, behaviors: pl.DataFrame) -> None:
        """Check that the events that are predicted are in the table."""
        events = self.target_events or ()
        known = []
        if "event" in behaviors.columns:
            known = behaviors["event"].drop_nulls().unique().cast(pl.String).sort().to_list()
        unknown = sorted(set(events) - set(known))
        if unknown:
            near = did_you_mean(unknown[0], known, "name one of these")
            raise ConfigError(
                f"no row has the event {excerpt(unknown[0])}; there are {some_of(known)}"
                if known
                else "the behaviors have no events",
                where=option_of("BehaviorDataModule", "target_events"),
                rule="names in the column event",
                remedy=near
                if known
                else "map the column with behavior_columns: {event: NAME}, or leave the option out",
            )

    def _refuse_changed(self, hashes: list[str]) -> None:
        """Check that the files did not change while they were read: other rows would be cached under their hash."""
        files = self.reader.files()
        for path, new in zip(files, hash_of_files(files), strict=True):
            if new not in hashes:
                raise DataError(
                    "the file changed while it was read",
                    where=str(path),
                    rule="tables stay as they are until they have been read",
                    remedy="wait until the file is complete, then start the command again",
                )
