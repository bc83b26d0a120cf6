"""Remedies of bytes of another encoding, followed as a shell takes them; see ``followed``."""

import subprocess

import polars as pl
import pytest

from lit_rec.data.readers.plain import TableReader

from .followed import follow, refused


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_byte_of_another_encoding(tmp_path, ending):
    """Converted as the remedy says, or where nobody reads the column."""
    pl.DataFrame({"user_id": ["u"], "item_id": ["a"]}).write_csv(tmp_path / "b.csv")
    file, items = tmp_path / f"i.{ending}", pl.DataFrame({"item_id": ["a"], "title": ["cafe"]})
    items.write_csv(file) if ending == "csv" else items.write_ndjson(file)
    file.write_bytes(file.read_bytes().replace(b"cafe", b"caf\xe9"))

    def titles():
        tables = TableReader(f"{tmp_path}/b.csv", str(file)).read()
        tables.check_decoded("items", ["title"])
        return tables.items["title"].to_list()

    def converted():
        subprocess.run(refused(titles)[0].remedy.split("`")[1], shell=True, check=True)
        (tmp_path / f"utf8_i.{ending}").replace(file)
        return titles()

    assert follow(titles, converted, says="convert it to UTF-8") == ["café"]
