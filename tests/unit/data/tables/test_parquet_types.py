"""Every type that a Parquet file can hold, in every role: read as is written here by hand, or refused in a sentence."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest

from lit_rec.data.fields.category import CategoryField
from lit_rec.data.fields.number import NumberField
from lit_rec.data.fields.table_fields import encode_fields, fit_fields
from lit_rec.data.fields.vector import VectorField
from lit_rec.data.prepared import Prepared, prepare
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.tables.cleaning import clean
from lit_rec.data.tables.column_values import shown_columns
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import LitRecError
from lit_rec.init.columns import Column


@dataclass
class Case:
    """Two values of a type, and what they are in each role; None: refused."""

    values: list[Any]
    kind: Any
    ids: list[str] | None = None
    numbers: list[float] | None = None
    seconds: list[float] | None = None
    texts: list[str] | None = None
    vectors: list[list[float]] | None = None


def number(kind, texts=("1", "2")):
    return Case([1, 2], kind, ["1", "2"], [1.0, 2.0], [1.0, 2.0], list(texts))


def text(kind, one="1", two="2"):
    vectors = [[1.0], [2.0]]
    return Case([one, two], kind, ["1", "2"], [1.0, 2.0], [1.0, 2.0], ["1", "2"], vectors)


def moment(kind, texts):
    values = [dt.datetime(1970, 1, 2), dt.datetime(1970, 1, 3)]
    return Case(values, kind, seconds=[86400.0, 172800.0], texts=texts)


FLOATS = ("1.0", "2.0")
CASES = {
    **{name: number(getattr(pl, name)) for name in ["Int8", "Int64", "Int128", "UInt64"]},
    "Float32": number(pl.Float32, FLOATS),
    "Float64": number(pl.Float64, FLOATS),
    "Decimal": Case(
        [Decimal("1.00"), Decimal("2.50")],
        pl.Decimal(38, 2),
        ["1", "2.5"],
        [1.0, 2.5],
        [1.0, 2.5],
        ["1.00", "2.50"],
    ),
    "Boolean": Case([True, False], pl.Boolean, None, [1.0, 0.0], None, ["true", "false"]),
    "String": text(pl.String),
    "Categorical": text(pl.Categorical),
    "Enum": text(pl.Enum(["2", "1"])),
    "Binary": text(pl.Binary, b"1", b"2"),
    "Binary, no text": Case([b"\xff", b"\xfe"], pl.Binary),
    "Date": Case(
        [dt.date(1970, 1, 2), dt.date(1970, 1, 3)],
        pl.Date,
        seconds=[86400.0, 172800.0],
        texts=["1970-01-02", "1970-01-03"],
    ),
    **{
        f"Datetime {unit}": moment(
            pl.Datetime(unit), [f"1970-01-0{d} 00:00:00.{'0' * n}" for d in (2, 3)]
        )
        for unit, n in (("ms", 3), ("ns", 9))
    },
    "Datetime zone": moment(
        pl.Datetime("us", "Asia/Tokyo"),
        [f"1970-01-0{d} 09:00:00.000000+09:00" for d in (2, 3)],
    ),
    "Time": Case([dt.time(1), dt.time(2)], pl.Time, texts=["01:00:00", "02:00:00"]),
    "Duration": Case([dt.timedelta(1), dt.timedelta(2)], pl.Duration("us")),
    "Null": Case([None, None], pl.Null, [None, None], [None, None], [None, None], [None, None]),
    "List of numbers": Case(
        [[1.5, 2], [3, 4]],
        pl.List(pl.Float64),
        texts=["1.5, 2.0", "3.0, 4.0"],
        vectors=[[1.5, 2], [3, 4]],
    ),
    "Array": Case(
        [[1, 2], [3, 4]], pl.Array(pl.Int32, 2), texts=["1, 2", "3, 4"], vectors=[[1, 2], [3, 4]]
    ),
    "List of texts": Case(
        [["1", "2"], ["3", "4"]],
        pl.List(pl.String),
        texts=["1, 2", "3, 4"],
        vectors=[[1, 2], [3, 4]],
    ),
    "List of categories": Case(
        [["1", "2"], ["3", "4"]],
        pl.List(pl.Categorical),
        texts=["1, 2", "3, 4"],
        vectors=[[1, 2], [3, 4]],
    ),
    "List of decimals": Case(
        [[Decimal("1.5")], [Decimal(2)]],
        pl.List(pl.Decimal(38, 1)),
        texts=["1.5", "2.0"],
        vectors=[[1.5], [2]],
    ),
    "List of bytes": Case([[b"\xff"], [b"\xfe"]], pl.List(pl.Binary)),
    "List of dates": Case([[dt.date(1970, 1, 2)]] * 2, pl.List(pl.Date), texts=["1970-01-02"] * 2),
    "List of lists": Case([[[1]], [[2]]], pl.List(pl.List(pl.Int64))),
    "List of objects": Case([[{"a": 1}], [{"a": 2}]], pl.List(pl.Struct({"a": pl.Int64}))),
    "Array of arrays": Case([[[1, 2]], [[3, 4]]], pl.Array(pl.Int64, (1, 2))),
    "Struct": Case([{"a": 1}, {"a": 2}], pl.Struct({"a": pl.Int64})),
}
IDS = {
    "List of numbers": [["1.5", "2"], ["3", "4"]],
    "Array": [["1", "2"], ["3", "4"]],
    "List of texts": [["1", "2"], ["3", "4"]],
    "List of categories": [["1", "2"], ["3", "4"]],
    "List of decimals": [["1.5"], ["2"]],
}


class Data:
    """Tables in which one column of one file is of the type; ``role`` names both."""

    def __init__(self, folder, role, case):
        self.folder, self.column = folder, pl.Series(role.partition(".")[2], case.values, case.kind)
        ids = case.ids if role.endswith("item_id") and case.ids else ["x", "y"]
        behaviors = pl.DataFrame(
            {"user_id": ["u", "v"], "item_id": ids, "rating": [1, 2], "timestamp": [1, 2]}
        )
        frames = {
            "behaviors": behaviors,
            "items": pl.DataFrame({"item_id": ids, "title": ["a", "b"]}),
            "users": pl.DataFrame({"user_id": ["u", "v"], "job": ["a", "b"]}),
        }
        name = role.partition(".")[0]
        frames[name] = frames[name].with_columns(self.column)
        if role == "users.user_id" and case.ids:
            frames["behaviors"] = behaviors.with_columns(user_id=pl.Series(case.ids))
        for name, frame in frames.items():
            frame.write_parquet(folder / f"{name}.parquet")
        self.reader = TableReader(
            *(f"{folder}/{n}.parquet" for n in ("behaviors", "items", "users"))
        )

    def prepared(self, **options):
        folder = self.folder / "prepared"
        folder.mkdir()
        tables, _ = clean(self.reader.read(), unknown_items="drop")
        template = options.pop("text", TextTemplate(["title"]))
        prepare(tables, pl.Series(["train"] * len(tables.behaviors)), template, folder, **options)
        return Prepared.open(folder)


def refused_or(expected, call):
    """Return what the call does, or None where nothing is expected of it: it must say so."""
    if expected is not None:
        return call()
    with pytest.raises(LitRecError) as caught:
        call()
    lines = str(caught.value).splitlines()
    assert len(lines) <= 8
    assert lines[-1].startswith("  Try:")
    assert all(len(line) < 400 for line in lines)
    return None


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.mark.parametrize("name", ["user_id", "item_id", "impression_id"])
def test_ids_of_behaviors(tmp_path, case, name):
    data = Data(tmp_path, f"behaviors.{name}", case)
    expected = None if case.kind == pl.Null and name != "impression_id" else case.ids
    tables = refused_or(expected, data.reader.read)
    if tables:
        assert tables.behaviors[name].to_list() == expected


@pytest.mark.parametrize("role", ["items.item_id", "users.user_id"])
def test_ids_of_entities(tmp_path, case, role):
    data = Data(tmp_path, role, case)
    expected = None if case.kind == pl.Null else case.ids
    prepared = refused_or(expected, lambda: data.prepared(user_text=TextTemplate(["job"])))
    if prepared:
        ids = prepared.items["item_id"].to_list() if "item" in role else prepared.user_ids
        assert ids == expected


def test_ratings(tmp_path, case):
    data = Data(tmp_path, "behaviors.rating", case)
    prepared = refused_or(case.numbers, data.prepared)
    if prepared:
        assert [None if np.isnan(r) else r for r in prepared.rating.tolist()] == case.numbers


def test_timestamps(tmp_path, case):
    data = Data(tmp_path, "behaviors.timestamp", case)
    expected = None if case.kind == pl.Null else case.seconds
    prepared = refused_or(expected, data.prepared)
    if prepared:
        assert prepared.timestamp.tolist() == expected


@pytest.mark.parametrize("name", ["event", "label", "text", "split"])
def test_names(tmp_path, case, name):
    data = Data(tmp_path, f"behaviors.{name}", case)
    texts = None if case.kind in (pl.List, pl.Array) else case.texts
    tables = refused_or(texts, data.reader.read)
    if tables:
        assert tables.behaviors[name].to_list() == texts
        data.prepared()


def test_histories(tmp_path, request, case):
    data = Data(tmp_path, "behaviors.history", case)
    name = request.node.callspec.params["case"]
    expected = IDS.get(name) or (case.ids and [[i] if i else None for i in case.ids])
    tables = refused_or(expected, data.reader.read)
    if tables:
        assert tables.behaviors["history"].to_list() == expected
        data.prepared()


@pytest.mark.parametrize("role", ["items.column", "users.column"])
def test_texts(tmp_path, case, role):
    data = Data(tmp_path, role, case)
    of = "text" if role == "items.column" else "user_text"
    prepared = refused_or(
        case.texts, lambda: data.prepared(**{of: TextTemplate(["column"], {"column": "c "})})
    )
    if prepared:
        texts = prepared.texts if of == "text" else prepared.profiles.texts
        expected = [f"c {text}" if text else "" for text in case.texts]
        assert texts["text"].to_list() == expected


@pytest.mark.parametrize("role", ["items.column", "users.column"])
@pytest.mark.parametrize("kind", [NumberField, CategoryField, VectorField])
def test_fields(tmp_path, case, role, kind):
    data = Data(tmp_path, role, case)
    option = "item_fields" if role == "items.column" else "user_fields"
    fields = [kind("column")]

    def read():
        prepared = data.prepared(**{option: fields})
        of = prepared if option == "item_fields" else prepared.profiles
        table = prepared.items if option == "item_fields" else prepared.profiles.table
        fitted = fit_fields(fields, table, np.arange(2), of.vectors, "here")
        return fitted[0], encode_fields(fitted, table, "here", of.vectors)["column"]

    expected = {NumberField: case.numbers, CategoryField: case.texts, VectorField: case.vectors}[
        kind
    ]
    if expected is not None and len({str(e) for e in expected}) < 2:  # a field says something
        expected = None
    found = refused_or(expected, read)
    if found is None:
        return
    fitted, values = found
    if kind is CategoryField:
        names = [{fitted.names[code - 1] for code in row if code} for row in values.tolist()]
        assert names == [set(text.split(", ")) for text in expected]
    else:
        assert values.tolist() == expected


def test_shown_columns_and_guesses_take_any_type(tmp_path, case):
    data = Data(tmp_path, "items.column", case)
    items = data.reader.read().items
    shown = shown_columns(items, ["column"])["column"]
    assert shown == (case.texts or [str(v) for v in items["column"].to_list()])
    column = Column("column", items["column"])
    for name in ("distinct", "filled", "is_id_like", "is_key_like", "is_numeric", "is_whole"):
        getattr(column, name)
    for name in ("labels", "time_unit", "has_dates", "words", "most_words", "has_words", "foreign"):
        getattr(column, name)
    column.shown()
