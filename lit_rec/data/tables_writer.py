"""From a reader's files to a folder of prepared tables: read, cleaned, split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from lightning.pytorch.utilities import rank_zero_info

from lit_rec.data.cleaning import clean
from lit_rec.data.cleaning_record import CleaningRecord
from lit_rec.data.fields.field import Field
from lit_rec.data.prepared import ALL_PARTS, PARTS, prepare
from lit_rec.data.readers.reader import Reader
from lit_rec.data.splits import Split
from lit_rec.data.text_template import TextTemplate


def write_tables(
    folder: Path,
    reader: Reader,
    split: Split,
    text: TextTemplate,
    *,
    unknown_items: Literal["error", "drop"],
    duplicates: Literal["keep", "first", "last"],
    item_fields: Sequence[Field],
    user_text: TextTemplate | None,
    user_fields: Sequence[Field],
) -> None:
    """Write prepared tables and the record of their cleaning into a folder, and tell what was dropped and how many rows each part has.

    The options are those of ``BehaviorDataModule``.

    Raises:
        ConfigError: If an option is wrong.
        DataError: If a table cannot be trusted.
    """
    tables, report = clean(reader.read(), unknown_items=unknown_items, duplicates=duplicates)
    rank_zero_info(str(report))
    CleaningRecord.of(report, tables.behaviors).write(folder)
    part = split.assign(tables.behaviors, ordered=tables.ordered)
    counts = {name: int((part == name).sum()) for name in ALL_PARTS}
    rank_zero_info(
        f"{len(tables.behaviors):,} behaviors of {len(tables.items):,} items: "
        + ", ".join(f"{name} {count:,}" for name, count in counts.items() if count or name in PARTS)
    )
    prepare(
        tables,
        part,
        text,
        folder,
        item_fields=item_fields,
        user_text=user_text,
        user_fields=user_fields,
    )
