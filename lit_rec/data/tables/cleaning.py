"""Cleaning: what is dropped, and why; no row disappears silently."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Self

import polars as pl

from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.tables import Tables
from lit_rec.errors import DataError, excerpt, option_of

_FILE = "cleaning.json"


@dataclass(frozen=True)
class CleaningReport:
    """What cleaning did; ``str`` returns lines for the screen."""

    steps: tuple[CleaningStep, ...]

    def __str__(self) -> str:
        """Return a line per rule that dropped something."""
        lines = [
            f"cleaning: {s.rule}: {s.dropped:,} of {s.of:,} {s.of_what} {s.done}, such as {s.example}"
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
    steps = list(tables.dropped)
    known = behaviors["item_id"].is_in(tables.items["item_id"].implode())
    if unknown_items == "error":
        _raise_unknown(tables, behaviors, known, "item_id", "behaviors")
    steps.append(_step(tables, "the item is not in the items table", behaviors, known))
    behaviors = behaviors.filter(known)
    if duplicates != "keep":
        key = [c for c in ("user_id", "item_id", "timestamp") if c in behaviors.columns]
        same = pl.struct(key)
        chosen = same.is_first_distinct() if duplicates == "first" else same.is_last_distinct()
        keep = behaviors.select(chosen).to_series()
        rule = f"repeated ({', '.join(key)}), the {duplicates} kept"
        steps.append(_step(tables, rule, behaviors, keep))
        behaviors = behaviors.filter(keep)
    if behaviors.is_empty():
        raise _nothing_left(tables)
    if "history" in behaviors.columns:
        behaviors = _known_histories(tables, behaviors, unknown_items, steps)
    histories = tables.histories
    if histories is not None:
        # the error names the first behavior that has the list
        of_list = (
            pl.col("history_index").is_first_distinct() & pl.col("history_index").is_not_null()
        )
        firsts = behaviors.filter(of_list).select("user_id", "row", "history_index")
        lists = firsts.with_columns(histories["history"].gather(firsts["history_index"]))
        lists = _known_histories(tables, lists, unknown_items, steps)
        lists = (
            histories.with_row_index("history_index")
            .select("history_index")
            .join(lists, on="history_index", how="left", maintain_order="left")
        )
        histories = lists.select(pl.col("history").fill_null([]))
    return replace(tables, behaviors=behaviors, histories=histories), CleaningReport(tuple(steps))


def _nothing_left(tables: Tables) -> DataError:
    rule, reader = (
        "at least one behavior whose item is known",
        option_of("BehaviorDataModule", "reader"),
    )
    if not len(tables.behaviors):
        return DataError(
            "the behaviors table is empty",
            where=reader,
            rule=rule,
            remedy="give at least one behavior",
        )
    return DataError(
        f"no behavior is left of {len(tables.behaviors):,}; "
        f"the first had item_id {excerpt(tables.behaviors['item_id'][0])}, "
        f"the first item is {excerpt(tables.items['item_id'][0])}",
        where=reader,
        rule=rule,
        remedy="use the same item ids in both tables",
    )


def _known_histories(
    tables: Tables,
    behaviors: pl.DataFrame,
    unknown_items: Literal["error", "drop"],
    steps: list[CleaningStep],
) -> pl.DataFrame:
    """Drop or refuse the unknown items of given histories, as ``unknown_items`` says."""
    entries = behaviors.select("row", "user_id", item_id="history").explode("item_id").drop_nulls()
    keep = entries["item_id"].is_in(tables.items["item_id"].implode())
    if keep.all():
        return behaviors
    if unknown_items == "error":
        _raise_unknown(tables, entries, keep, "in the history, item_id", "entries of histories")
    rule = "an item of a history is not in the items table"
    steps.append(_step(tables, rule, entries, keep, "entries"))
    known = entries.filter(keep).group_by("row", maintain_order=True).agg(history="item_id")
    return behaviors.drop("history").join(known, on="row", how="left", maintain_order="left")


def _raise_unknown(
    tables: Tables, entries: pl.DataFrame, known: pl.Series, says: str, of_what: str
) -> None:
    if known.all():
        return
    lost = entries.filter(~known)
    first = lost.row(0, named=True)
    near = _near(first["item_id"], tables.items["item_id"])
    ways = [_without_spaces(tables)] if near and near.strip() == first["item_id"].strip() else []
    # where nothing would be left, leaving out is no way
    counted = f"{len(lost):,} of {len(entries):,} {of_what}"
    ways += (
        [
            "add the item",
            f"set BehaviorDataModule.unknown_items to drop to leave such out ({counted})",
        ]
        if len(lost) < len(entries)
        else [f"use the same item ids in both tables: {counted} have others"]
    )
    raise DataError(
        f"{says} {excerpt(first['item_id'])} is not among the {len(tables.items):,} items"
        + (f"; there is {excerpt(near)}" if near is not None else ""),
        where=tables.place(first["row"]),
        rule="every behavior points to a known item",
        remedy=", or ".join(ways),
    )


def _without_spaces(tables: Tables) -> str:
    """Return what to do where ids differ in the spaces around them."""
    if not tables.sources:
        return "remove spaces: `frame.with_columns(pl.col('item_id').str.strip_chars())`"
    if tables.sources[0][0].where.startswith("TableReader."):
        return "set TableReader.strip_ids to true, which removes spaces around ids"
    return "remove the spaces around ids in the files"


def _near(id_: str, ids: pl.Series) -> str | None:
    """Return an id that differs only in spaces, case, leading zeros or a final ``.0``; None: there is none."""
    wanted = pl.Series([id_])
    found = ids.filter(_plain(ids) == _plain(wanted)[0])
    return None if found.is_empty() else str(found[0])


def _plain(ids: pl.Series) -> pl.Series:
    ids = ids.str.strip_chars().str.to_lowercase()
    return ids.str.replace(r"^(\d+)\.0$", "$1").str.replace(r"^0+(\d)", "$1")


def _step(
    tables: Tables,
    rule: str,
    behaviors: pl.DataFrame,
    keep: pl.Series,
    of_what: str = "behaviors",
) -> CleaningStep:
    lost = behaviors.filter(~keep)
    example = ""
    if len(lost):
        first = lost.row(0, named=True)
        example = f"{tables.place(first['row'])} (user {_short(first['user_id'])}, item {_short(first['item_id'])})"
    return CleaningStep(rule, len(lost), len(behaviors), example, of_what)


def _short(id_: str) -> str:
    """Return an id as a report shows it."""
    return id_ if len(id_) <= 60 and id_.isprintable() else excerpt(id_)


@dataclass(frozen=True)
class CleaningRecord:
    """What was dropped, and how many repeated rows were left in.

    Args:
        steps: The rules, including those that dropped nothing.
        repeated: Behaviors that repeat an earlier one.
        repeated_by: The columns in which they are equal.
    """

    steps: tuple[CleaningStep, ...]
    repeated: int
    repeated_by: tuple[str, ...]

    @classmethod
    def of(cls, report: CleaningReport, behaviors: pl.DataFrame) -> Self:
        """Make it from a report and the behaviors that were left."""
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
