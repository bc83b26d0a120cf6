"""CleaningRecord: what cleaning did, kept beside the tables that it left."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import polars as pl

from lit_rec.data.tables.cleaning import CleaningReport
from lit_rec.data.tables.cleaning_step import CleaningStep

_FILE = "cleaning.json"


@dataclass(frozen=True)
class CleaningRecord:
    """What was dropped, and how many repeated rows were kept.

    Args:
        steps: The rules, those that dropped nothing too.
        repeated: Behaviors that repeat an earlier one.
        repeated_by: The columns in which they are equal.
    """

    steps: tuple[CleaningStep, ...]
    repeated: int
    repeated_by: tuple[str, ...]

    @classmethod
    def of(cls, report: CleaningReport, behaviors: pl.DataFrame) -> Self:
        """Take a report, and the behaviors that were left."""
        key = [c for c in ("user_id", "item_id", "timestamp") if c in behaviors.columns]
        repeated = behaviors.select((~pl.struct(key).is_first_distinct()).sum()).item()
        return cls(report.steps, int(repeated), tuple(key))

    def write(self, folder: Path) -> None:
        """Write it into the tables' folder."""
        (folder / _FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read what ``write`` wrote."""
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        steps = tuple(CleaningStep(**step) for step in found["steps"])
        return cls(steps, found["repeated"], tuple(found["repeated_by"]))
