"""Reading tables of which only the paths are known."""

import gzip

import polars as pl
import pytest

from lit_rec.errors import ConfigError, DataError
from lit_rec.init.table_files import read_files


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "jsonl"])
def test_endings(behaviors, items, write, ending):
    one, two = read_files([write(behaviors, f"b.{ending}"), write(items, f"i.{ending}")])
    assert (len(one), len(two)) == (600, 40)
    assert list(one.columns) == ["u", "i", "r", "t"]
    assert one.delimiter is None


def test_delimiter_that_the_ending_does_not_tell(behaviors, items, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    behaviors.write_csv("b.csv", separator=";")
    items.write_csv("i.dat", separator=";")
    assert [file.delimiter for file in read_files(["b.csv", "i.dat"])] == [";", ";"]
    items.write_csv("i.csv")
    with pytest.raises(ConfigError, match=r"';' in b.csv and by ',' in i.csv"):
        read_files(["b.csv", "i.csv"])
    items.write_parquet("i.parquet")
    assert [file.delimiter for file in read_files(["b.csv", "i.parquet"])] == [";", None]


def test_packed(behaviors, items, write, tmp_path):
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(behaviors.write_csv().encode()))
    assert len(read_files([str(packed), write(items, "i.csv")])[0]) == 600


def test_wrong_numbers_of_files(behaviors, write):
    name = write(behaviors, "b.csv")
    with pytest.raises(ConfigError, match=r"1 file\."):
        read_files([name])
    with pytest.raises(ConfigError, match=r"4 files\."):
        read_files([name] * 4)
    with pytest.raises(ConfigError, match=r"\./b.csv is named twice"):
        read_files([name, f"./{name}"])


def test_files_that_cannot_be_read(behaviors, write, tmp_path):
    name = write(behaviors, "b.csv")
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        read_files([name, "nowhere.csv"])
    (tmp_path / "one.csv").write_text("only\n1\n")
    with pytest.raises(DataError, match="is one column"):
        read_files([name, "one.csv"])
    (tmp_path / "book.xlsx").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"\.xlsx"):
        read_files([name, "book.xlsx"])


def test_tables_of_very_many_columns(tmp_path):
    names = [f"c{number}" for number in range(2001)]
    for name in "ab":
        pl.DataFrame({name: [1] for name in names}).write_csv(tmp_path / f"{name}.csv")
    with pytest.raises(
        ConfigError, match=r"a.csv: the table has 2,001 columns: c0, .*c11, \.\.\.\."
    ):
        read_files([f"{tmp_path}/a.csv", f"{tmp_path}/b.csv"])


def test_json_lines_under_the_name_of_json(tmp_path):
    (tmp_path / "a.json").write_text('{"id": 1, "price": NaN}\n{"id": 2, "price": 1.5}\n')
    (tmp_path / "b.json").write_text('[{"id": 1}]')
    with pytest.raises(DataError, match=r"b.json, line 1: .*one list of objects"):
        read_files([f"{tmp_path}/a.json", f"{tmp_path}/b.json"])
    (tmp_path / "b.json").write_text('{"id": 1}\n')
    assert read_files([f"{tmp_path}/a.json", f"{tmp_path}/b.json"])[0].columns["price"].is_numeric
