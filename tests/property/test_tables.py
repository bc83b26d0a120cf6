"""Ids of random, hard tables: what a reader returns is what another parser finds in the file, or an error."""

import csv
import io
import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lit_rec.data.readers.plain import TableReader
from lit_rec.errors import LitRecError

TRICKY = [
    *("NA", "null", "nan", "None", "1e5", "007", "7", "7.0", " 7 ", "7 ", "٧", "1_000", "0x1F", "-0"),
    *("é", "é", "a b", 'a"b', '"', '""', '"a"', "a'b", "a,b", "a;b", "a|b", "#a", "=1+1", "\ufeffa"),
    *("a\nb", "a\r\nb", "a\tb", "a\0b", "\x1b[31m", "\u2028", "\u202e", "\u200b", "\U0001f32e", "\ufffd"),
    *("9007199254740992", "9007199254740993", "true", "false", "Infinity", "[]", "{}", "\\", "\\n", "a" * 200),
]  # fmt: skip
IDS = st.lists(
    st.sampled_from(TRICKY) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
    min_size=2,
    max_size=8,
    unique=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


def read(folder, kind, content, ids):
    """Return the ids that the reader finds in a behaviors file, None where it refuses; the items are the same ids."""
    (folder / f"b.{kind}").write_bytes(content)
    pl.DataFrame({"item_id": ids}).write_parquet(folder / "i.parquet")
    try:
        tables = TableReader(f"{folder}/b.{kind}", f"{folder}/i.parquet").read()
    except LitRecError as error:
        lines = str(error).split("\n")
    else:
        behaviors = tables.behaviors
        return list(
            zip(*(behaviors[name] for name in ("user_id", "item_id", "label")), strict=True)
        )
    assert len(lines) <= 8
    assert all(line.isprintable() and len(line) < 1200 for line in lines)
    return None
    return list(zip(behaviors["user_id"], behaviors["item_id"], behaviors["label"], strict=True))


def as_written(found, rows):
    """Return whether the rows are those of the file, or refused for an id of spaces alone."""
    return found == rows or (
        found is None and not all(cell.strip() for r in rows for cell in r[:2])
    )


@given(
    ids=IDS,
    ends=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_csv(folder, ids, ends, quoting):
    if any("\r" in i for i in ids):  # which the writer does not take for a line end
        quoting = csv.QUOTE_ALL
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ends, quoting=quoting)
    writer.writerows([("user_id", "item_id", "label"), *((i, i, "x") for i in ids)])
    rows = [tuple(row) for row in csv.reader(io.StringIO(text.getvalue(), newline=""))][1:]
    assert rows == [(i, i, "x") for i in ids]
    assert as_written(read(folder, "csv", text.getvalue().encode(), ids), rows)


@given(ids=IDS, ends=st.sampled_from(["\n", "\r\n"]))
def test_tsv(folder, ids, ends):
    ids = [i for i in ids if not set(i) & set("\t\r\n")] or ["a"]
    lines = ["user_id\titem_id\tlabel", *(f"{i}\t{i}\tx" for i in ids)]
    rows = [tuple(line.split("\t")) for line in lines[1:]]
    assert as_written(read(folder, "tsv", ends.join(lines).encode(), ids), rows)


@given(ids=IDS, ascii_only=st.booleans())
def test_json_lines(folder, ids, ascii_only):
    lines = [
        json.dumps({"user_id": i, "item_id": i, "label": "x"}, ensure_ascii=ascii_only) for i in ids
    ]
    rows = [tuple(json.loads(line).values()) for line in lines]
    assert as_written(read(folder, "jsonl", "\n".join(lines).encode(), ids), rows)


NUMBERS = (
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(2**53, 2**54)
)


@given(numbers=st.lists(NUMBERS, min_size=1, max_size=8))
def test_numbers_of_json_lines(folder, numbers):
    rows = [(str(n), f"i{n}", "x") for n in map(json.dumps, numbers)]
    content = "\n".join(f'{{"user_id": {u}, "item_id": "{i}", "label": "x"}}' for u, i, _ in rows)
    ids = list(dict.fromkeys(i for _, i, _ in rows))
    assert read(folder, "jsonl", content.encode(), ids) == rows


@given(ids=IDS)
def test_parquet(folder, ids):
    content = io.BytesIO()
    pl.DataFrame({"user_id": ids, "item_id": ids, "label": "x"}).write_parquet(content)
    assert as_written(read(folder, "parquet", content.getvalue(), ids), [(i, i, "x") for i in ids])


@given(
    numbers=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8, unique=True),
    kind=st.sampled_from([pl.Int64, pl.Float64, pl.Float32]),
)
def test_numbers_of_parquet(folder, numbers, kind):
    """The ids of floats are those of the same whole numbers, or refused."""
    content = io.BytesIO()
    users = pl.Series(numbers).cast(kind)
    pl.DataFrame({"user_id": users, "item_id": "a", "label": "x"}).write_parquet(content)
    found = read(folder, "parquet", content.getvalue(), ["a"])
    exact = {pl.Int64: 2**64, pl.Float64: 2**53, pl.Float32: 2**24}[kind]
    if all(abs(number) < exact for number in numbers):
        assert found == [(str(number), "a", "x") for number in numbers]
    else:
        assert found is None
