"""Bytes that are not UTF-8: an error in what is read, with its line; nothing elsewhere."""

import json

import polars as pl
import pytest

from lit_rec.data.readers.amazon import Amazon2018Reader
from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.errors import DataError

BAD = "caf\xe9".encode("latin-1")
ROWS = [{"user_id": "u", "item_id": i, "rating": 4, "shop": "x"} for i in "ab"]
ITEMS = [{"item_id": i, "title": f"A film {i}", "note": "y"} for i in "ab"]


def written(path, rows):
    """Write rows, as CSV or JSON lines by the ending."""
    frame = pl.DataFrame(rows)
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_ndjson(path)
    return path


@pytest.fixture(params=["csv", "jsonl"])
def read(request, tmp_path):
    """Return a reading of tables of which bytes were replaced."""

    def tables(old=None, new=BAD, *, of="items", **options):
        files = {}
        for name, rows in (("behaviors", ROWS), ("items", ITEMS)):
            files[name] = written(tmp_path / f"{name}.{request.param}", rows)
            if name == of and old is not None:
                content = files[name].read_bytes()
                assert old in content
                files[name].write_bytes(content.replace(old, new, 1))
        found = TableReader(str(files["behaviors"]), str(files["items"]), **options).read()
        found.check_decoded("items", ["title"])
        return found

    return tables


def test_what_nobody_reads_stops_nothing(read):
    whole, found = read(), read(b"y", BAD)
    assert found.items["title"].equals(whole.items["title"])
    assert "caf\ufffd" in found.items["note"].to_list()
    (step,) = found.dropped
    assert step.rule.startswith("bytes that are not UTF-8 became U+FFFD (items.")
    assert step.dropped == 1
    assert read(b"note", BAD).items["title"].equals(whole.items["title"])
    found = read(b"x", BAD, of="behaviors")
    assert found.behaviors.drop("shop").equals(whole.behaviors.drop("shop"))


@pytest.mark.parametrize(
    ("old", "of"), [(b"A film b", "items"), (b'b"', "items"), (b"u", "behaviors")]
)
def test_what_is_read_is_an_error_that_names_its_line(read, old, of, request):
    is_csv = "csv" in request.node.name
    if old == b'b"':
        old = b"b,A" if is_csv else b'b","title'
    new = {b"b,A": BAD + b",A", b'b","title': BAD + b'","title'}.get(old, BAD)
    if of == "behaviors":
        old, new = (
            (b"u,b", BAD + b",b")
            if is_csv
            else (b'"u","item_id":"b"', b'"' + BAD + b'","item_id":"b"')
        )
    line = 3 if is_csv else 2
    with pytest.raises(DataError) as stop:
        read(old, new, of=of)
    assert f"{of}.{'csv' if is_csv else 'jsonl'}, line {line}" in stop.value.where
    assert "byte 0xe9 is not UTF-8" in stop.value.problem
    assert "iconv" in stop.value.remedy


def test_the_first_line_of_the_column_that_is_read(tmp_path):
    """An earlier bad byte of another column is not the one to mend."""
    (tmp_path / "b.csv").write_text("user_id,item_id\nu,a\n")
    lines = [b"item_id,title,note", b"a,A film," + BAD, b'b,"A', BAD + b'",z']
    (tmp_path / "i.csv").write_bytes(b"\n".join(lines))
    found = TableReader(f"{tmp_path}/b.csv", f"{tmp_path}/i.csv").read()
    with pytest.raises(DataError, match=r"i.csv, line 4: byte 0xe9"):
        found.check_decoded("items", ["title"])


def test_keys_of_amazon_that_nobody_reads(tmp_path):
    review = {"reviewerID": "A1", "asin": "B7", "overall": 5.0, "unixReviewTime": 1514764800}
    lines = [json.dumps(review | {"style": "x", "reviewText": text}).encode() for text in "ab"]
    (tmp_path / "meta.json").write_text(json.dumps({"asin": "B7", "title": "A tripod"}))
    reader = Amazon2018Reader(f"{tmp_path}/reviews.json", f"{tmp_path}/meta.json")
    (tmp_path / "reviews.json").write_bytes(
        b"\n".join([lines[0].replace(b'"x"', b'"' + BAD + b'"'), lines[1]])
    )
    assert reader.read().behaviors["text"].to_list() == ["a", "b"]
    (tmp_path / "reviews.json").write_bytes(
        b"\n".join([lines[0], lines[1].replace(b'"b"', b'"' + BAD + b'"')])
    )
    with pytest.raises(DataError, match="1 of 2 lines are not JSON objects") as stop:
        reader.read()
    assert "line 2" in str(stop.value)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_labelled_texts(tmp_path, ending):
    rows = [{"text": f"A film {k}", "label": "good", "note": "y"} for k in range(2)]
    path = written(tmp_path / f"texts.{ending}", rows)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"y", BAD, 1))
    found = LabelledTextReader(str(path)).read()
    found.check_decoded("items", ["text"])
    with pytest.raises(DataError, match="byte 0xe9"):
        found.check_decoded("items", ["note"])
    path.write_bytes(content.replace(b"good", BAD, 1))
    with pytest.raises(DataError, match="byte 0xe9"):
        LabelledTextReader(str(path)).read()
