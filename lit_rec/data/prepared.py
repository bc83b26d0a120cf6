"""Prepared: behaviors as memory-mapped integer columns sorted by user, and the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from lit_rec.data.arrays import Float32s, Int64s
from lit_rec.data.entities import Entities, profiles_of, write_entities
from lit_rec.data.fields.field import Field
from lit_rec.data.tables.tables import Tables
from lit_rec.data.texts.template import TextTemplate
from lit_rec.files.parquet import read_parquet, write_parquet

PARTS = ("train", "val", "test")  # of rows that are predicted
ALL_PARTS = (*PARTS, "shown")
# what to do about rows without an order
GIVE_ORDER = (
    "map a timestamp column (behavior_columns: {timestamp: NAME}), set ordered: true in the reader"
)
_COLUMNS = (
    "user",
    "item",
    "rating",
    "label",
    "event",
    "timestamp",
    "part",
    "row",
    "past_end",
    "impression",
)
_NAMED = ("event", "label")
_GIVEN = ("given_item", "given_offsets", "given_index")

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Prepared:
    """The behaviors of a data set, R rows sorted by user, then time, then the input's order.

    A history is a window over these columns, not a copy. Codes are places in ``user_ids`` and in the rows of ``items``.

    Args:
        user: ``[R]`` int32 codes.
        item: ``[R]`` int32 codes.
        rating: ``[R]`` float32, NaN where absent.
        label: ``[R]`` int32 places in ``labels``, -1 where absent.
        event: ``[R]`` int32 places in ``events``, -1 where absent.
        timestamp: ``[R]`` float64 seconds, NaN where absent.
        part: ``[R]`` int8 places in ``ALL_PARTS``. Rows of ``shown`` are only in histories of evaluated rows: they are
            never predicted, and no figure of the training rows counts them.
        row: ``[R]`` int64, the row in the input's order.
        past_end: ``[R]`` int64, the first row of the same user that is not strictly earlier: it has the same time, or
            the first time of the same impression. In data that is declared ordered, the row's own place.
        impression: ``[R]`` int64; rows of one user with one impression_id have one number, -1 where there is none.
        offsets: ``[U + 1]`` int64; user u has rows ``offsets[u]:offsets[u + 1]``.
        given_item: ``[S]`` int32, the histories given by the data, end to end (empty where none are given).
        given_offsets: ``[L + 1]`` int64 into ``given_item``: L lists, each stored once even if several rows share it;
            the last is empty.
        given_index: ``[R]`` int64, the list of each row.
        items: The catalogue: item_id and the columns read, except vectors.
        texts: The texts of its items, a column per field.
        vectors: By column, vectors ``[I, V]`` float32 of its items.
        profiles: The users in the order of their codes; users that are not in the users table have only their id.
        user_ids: ``[U]`` ids.
        events: Names of the events.
        labels: Names of the labels, in order; numbers by their value.
        has_order: Whether rows have a time or a declared order.
        has_given: Whether the data gives histories.
    """

    user: Ints
    item: Ints
    rating: Floats
    label: Ints
    event: Ints
    timestamp: Floats
    part: Ints
    row: Ints
    past_end: Ints
    impression: Ints
    offsets: Ints
    given_item: Ints
    given_offsets: Ints
    given_index: Ints
    items: pl.DataFrame
    texts: pl.DataFrame
    vectors: Mapping[str, Float32s]
    profiles: Entities
    user_ids: list[str]
    events: list[str]
    labels: list[str]
    has_order: bool
    has_given: bool

    def __len__(self) -> int:
        """Return R, the number of behaviors."""
        return len(self.user)

    def rows_of(self, part: str) -> Int64s:
        """Return the rows of ``train``, ``val``, ``test`` or ``shown``, or of ``all``."""
        if part == "all":
            return np.arange(len(self), dtype=np.int64)
        return np.flatnonzero(self.part == ALL_PARTS.index(part))

    @classmethod
    def open(cls, folder: Path) -> Prepared:
        """Memory-map what ``prepare`` wrote."""
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r")
            for name in (*_COLUMNS, "offsets", *_GIVEN)
        }
        names = read_parquet(folder / "names.parquet")
        flags = read_parquet(folder / "flags.parquet").row(0, named=True)
        items = Entities.open(folder / "items")
        return cls(
            **arrays,
            items=items.table,
            texts=items.texts,
            vectors=items.vectors,
            profiles=Entities.open(folder / "users"),
            user_ids=names.filter(pl.col("kind") == "user")["name"].to_list(),
            events=names.filter(pl.col("kind") == "event")["name"].to_list(),
            labels=names.filter(pl.col("kind") == "label")["name"].to_list(),
            **flags,
        )


def prepare(
    tables: Tables,
    split: pl.Series,
    template: TextTemplate,
    folder: Path,
    *,
    item_fields: Sequence[Field] = (),
    user_text: TextTemplate | None = None,
    user_fields: Sequence[Field] = (),
) -> None:
    """Write clean tables as ``Prepared`` into an existing folder.

    Args:
        tables: Tables in which every behavior's item is known.
        split: ``train``, ``val``, ``test`` or ``shown`` for each behavior.
        template: Makes the texts of an item.
        folder: An existing, empty folder.
        item_fields: Columns of the items that are not read as text.
        user_text: Makes the texts of a user's profile.
        user_fields: Columns of the users that are not read as text.

    Raises:
        ConfigError: If a column is not in its table, or there is no users table.
        DataError: If a vector cannot be read.
    """
    items = tables.items
    frame = _coded(tables, split)
    users = frame["user_id"].unique(maintain_order=True).sort()
    names = {column: _names(frame, column) for column in _NAMED}
    item_code = (items["item_id"], pl.int_range(len(items), dtype=pl.Int32, eager=True))
    frame = frame.with_columns(
        user=pl.col("user_id").replace_strict(users, pl.int_range(len(users), eager=True)),
        item=pl.col("item_id").replace_strict(*item_code),
    )
    # sorting by names would be slow
    frame = frame.drop("user_id", "item_id").sort("user", "moment", "row")
    user = frame["user"].to_numpy().astype(np.int32)
    offsets = np.searchsorted(user, np.arange(len(users) + 1)).astype(np.int64)
    columns = {
        "user": user,
        "item": frame["item"].to_numpy().astype(np.int32),
        "rating": _column(frame, "rating", pl.Float32, np.nan),
        "timestamp": _column(frame, "timestamp", pl.Float64, np.nan),
        **{column: _codes(frame, column, names[column]) for column in _NAMED},
        "part": _part(frame["part"]),
        "row": frame["row"].to_numpy().astype(np.int64),
        "past_end": _past_end(frame, user),
        "impression": _impressions(frame),
        "offsets": offsets,
        **_given(frame, tables.histories, item_code),
    }
    for name, values in columns.items():
        np.save(folder / f"{name}.npy", values)
    options = ("BehaviorDataModule.text", "BehaviorDataModule.item_fields")
    write_entities(folder / "items", items, template, item_fields, options=options)
    profiles = profiles_of(tables.users, users, wanted=bool(user_text or user_fields))
    options = ("BehaviorDataModule.user_text", "BehaviorDataModule.user_fields")
    write_entities(folder / "users", profiles, user_text, user_fields, options=options)
    named = pl.DataFrame(
        {
            "kind": ["user"] * len(users) + [column for column in _NAMED for _ in names[column]],
            "name": [*users, *(name for column in _NAMED for name in names[column])],
        },
        schema={"kind": pl.String, "name": pl.String},
    )
    write_parquet(named, folder / "names.parquet")
    has = frame.columns
    flags = {
        "has_order": [tables.ordered or "timestamp" in has],
        "has_given": ["history" in has or tables.histories is not None],
    }
    write_parquet(pl.DataFrame(flags), folder / "flags.parquet")


def _coded(tables: Tables, split: pl.Series) -> pl.DataFrame:
    """Add ``part``, ``bound``, and ``moment``, which increases with time and is equal where the order is unknown."""
    frame = tables.behaviors.with_columns(split.alias("part"))
    if tables.ordered:
        order = ["timestamp", "row"] if "timestamp" in frame.columns else ["row"]
        frame = frame.sort(order).with_columns(moment=pl.int_range(pl.len()).cast(pl.Float64))
    elif "timestamp" in frame.columns:
        frame = frame.with_columns(moment=pl.col("timestamp"))
    else:
        frame = frame.with_columns(moment=pl.lit(0.0))
    if "impression_id" in frame.columns:
        first = pl.col("moment").min().over("user_id", "impression_id")
        return frame.with_columns(
            bound=pl.when(pl.col("impression_id").is_null()).then("moment").otherwise(first)
        )
    return frame.with_columns(bound=pl.col("moment"))


def _part(names: pl.Series) -> npt.NDArray[np.int8]:
    return names.replace_strict(ALL_PARTS, range(len(ALL_PARTS))).to_numpy().astype(np.int8)


def _past_end(frame: pl.DataFrame, user: Ints) -> Int64s:
    """Find, for each row, the first row of its user at or after its bound."""
    moment = frame["moment"].to_numpy()
    if "impression_id" not in frame.columns:  # the bound is the row's own moment
        begins = np.append(True, (np.diff(user) != 0) | (np.diff(moment) != 0))[: len(user)]
        return np.maximum.accumulate(np.where(begins, np.arange(len(user)), 0))
    # by one joint sort
    bound = frame["bound"].to_numpy()
    rank = np.unique(np.concatenate([moment, bound]), return_inverse=True)[1]
    span = np.int64(rank.max(initial=0) + 1)
    key = user.astype(np.int64) * span + rank[: len(user)]
    return np.searchsorted(key, user.astype(np.int64) * span + rank[len(user) :]).astype(np.int64)


def _column(frame: pl.DataFrame, name: str, kind: Any, default: float) -> Floats:
    if name not in frame.columns:
        return np.full(len(frame), default, np.float32 if kind is pl.Float32 else np.float64)
    return frame[name].cast(kind).fill_null(default).to_numpy()


def _names(frame: pl.DataFrame, column: str) -> list[str]:
    """Return the distinct values of a column of names, sorted; by their value where all are numbers."""
    if column not in frame.columns:
        return []
    names = frame[column].drop_nulls().unique().cast(pl.String)
    number = names.cast(pl.Float64, strict=False)
    return (
        names.sort().to_list() if number.has_nulls() else names.gather(number.arg_sort()).to_list()
    )


def _codes(frame: pl.DataFrame, column: str, names: list[str]) -> Ints:
    if not names:
        return np.full(len(frame), -1, np.int32)
    codes = frame[column].replace_strict(names, range(len(names)), default=-1).fill_null(-1)
    return codes.to_numpy().astype(np.int32)


def _impressions(frame: pl.DataFrame) -> Ints:
    if "impression_id" not in frame.columns:
        return np.full(len(frame), -1, np.int64)
    number = pl.struct("user", "impression_id").rank("dense").cast(pl.Int64) - 1
    known = pl.col("impression_id").is_not_null()
    return frame.select(pl.when(known).then(number).otherwise(-1)).to_series().to_numpy()


def _given(
    frame: pl.DataFrame, shared: pl.DataFrame | None, item_code: tuple[pl.Series, pl.Series]
) -> dict[str, Ints]:
    """Return the lists end to end; rows without a history share an empty list."""
    empty = pl.Series("history", [[]], dtype=pl.List(pl.String))
    if shared is not None:
        history = pl.concat([shared["history"], empty])
        index = frame["history_index"].cast(pl.Int64).fill_null(len(shared))
    elif "history" in frame.columns:
        history = pl.concat([frame["history"].fill_null([]), empty])
        index = pl.int_range(len(frame), eager=True)
    else:
        history, index = empty, pl.zeros(len(frame), pl.Int64, eager=True)
    length = history.list.len().to_numpy().astype(np.int64)
    flat = (
        history.filter(history.list.len() > 0)
        .explode()
        .replace_strict(*item_code, return_dtype=pl.Int32)
    )
    return {
        "given_item": flat.to_numpy().astype(np.int32),
        "given_offsets": np.concatenate([[0], np.cumsum(length)]).astype(np.int64),
        "given_index": index.to_numpy(),
    }
