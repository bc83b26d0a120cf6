"""Cleaning: what is dropped, and why; no row disappears silently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from lit_rec.data.tables import Tables
from lit_rec.errors import DataError


@dataclass(frozen=True)
class CleaningStep:
    """One rule: how many of how many rows it dropped, and one of them."""

    rule: str
    dropped: int
    of: int
    example: str = ""
    of_what: str = "behaviors"


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did; ``str`` gives lines for the screen."""

    steps: tuple[CleaningStep, ...]

    def __str__(self) -> str:
        """Return a line per rule that dropped something."""
        lines = [
            f"cleaning: {s.rule}: {s.dropped:,} of {s.of:,} {s.of_what} dropped, such as {s.example}"
            for s in self.steps
            if s.dropped
        ]
        return "\n".join(lines) or "cleaning: nothing dropped"


def clean(
    tables: Tables,
    *,
    unknown_items: Literal["error", "drop"] = "error",
    duplicates: Literal["keep", "first", "last"] = "keep",
) -> tuple[Tables, CleaningReport]:
    """Return tables in which every behavior's item is known, and what was dropped.

    Args:
        tables: Tables as read.
        unknown_items: What happens to behaviors whose item is not in the items table.
        duplicates: What happens to repeated (user, item, timestamp).

    Raises:
        DataError: If an item is unknown and ``unknown_items`` is ``error``, or nothing is left.
    """
    behaviors = tables.behaviors
    steps: list[CleaningStep] = []
    known = behaviors["item_id"].is_in(tables.items["item_id"].implode())
    if not known.all() and unknown_items == "error":
        lost = behaviors.filter(~known)
        first = lost.row(0, named=True)
        raise DataError(
            f"row {first['row'] + 1} of the behaviors: item_id '{first['item_id']}' is not among the {len(tables.items):,} items",
            where="data.reader",
            rule="every behavior points to a known item",
            remedy=f"add the item, or drop such rows with --data.unknown_items drop ({len(lost):,} of {len(behaviors):,} rows)",
        )
    steps.append(_step("the item is not in the items table", behaviors, known))
    behaviors = behaviors.filter(known)
    if duplicates != "keep":
        key = [c for c in ("user_id", "item_id", "timestamp") if c in behaviors.columns]
        keep = behaviors.select(
            pl.col("row").is_first_distinct()
            if not key
            else pl.struct(key).is_first_distinct()
            if duplicates == "first"
            else pl.struct(key).is_last_distinct()
        ).to_series()
        steps.append(_step(f"repeated ({', '.join(key)}), the {duplicates} kept", behaviors, keep))
        behaviors = behaviors.filter(keep)
    if behaviors.is_empty():
        raise DataError(
            f"no behavior is left of {len(tables.behaviors):,}",
            where="data.reader",
            rule="at least one behavior whose item is known",
            remedy="check that both tables use the same item ids",
        )
    behaviors = _known_histories(behaviors, tables.items, unknown_items, steps)
    return replace(tables, behaviors=behaviors), CleaningReport(tuple(steps))


def _known_histories(
    behaviors: pl.DataFrame,
    items: pl.DataFrame,
    unknown_items: Literal["error", "drop"],
    steps: list[CleaningStep],
) -> pl.DataFrame:
    """Treat the unknown items of the histories that the data brings as ``unknown_items`` says."""
    if "history" not in behaviors.columns:
        return behaviors
    entries = behaviors.select("row", "user_id", item_id="history").explode("item_id").drop_nulls()
    keep = entries["item_id"].is_in(items["item_id"].implode())
    if keep.all():
        return behaviors
    lost = entries.filter(~keep)
    if unknown_items == "error":
        raise DataError(
            f"row {lost['row'][0] + 1} of the behaviors: the history holds '{lost['item_id'][0]}', which is not among the {len(items):,} items",
            where="data.reader",
            rule="every item of a history is known",
            remedy=f"add the item, or leave such entries out with --data.unknown_items drop ({len(lost):,} of {len(entries):,})",
        )
    steps.append(_step("an item of a history is not in the items table", entries, keep, "entries"))
    known = entries.filter(keep).group_by("row", maintain_order=True).agg(history="item_id")
    return behaviors.drop("history").join(known, on="row", how="left", maintain_order="left")


def _step(
    rule: str, behaviors: pl.DataFrame, keep: pl.Series, of_what: str = "behaviors"
) -> CleaningStep:
    lost = behaviors.filter(~keep)
    example = ""
    if len(lost):
        first = lost.row(0, named=True)
        example = f"row {first['row'] + 1} (user {first['user_id']}, item {first['item_id']})"
    return CleaningStep(rule, len(lost), len(behaviors), example, of_what)
