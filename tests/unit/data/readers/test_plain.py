import pytest

from lit_rec.data.readers.plain import TableReader
from lit_rec.data.tables.cleaning import clean
from lit_rec.errors import DataError


@pytest.fixture
def plain(tmp_path):
    (tmp_path / "b.csv").write_text("userId,item_id,stars\nu,a,5\nv,b,1\n")
    (tmp_path / "val.csv").write_text("userId,item_id,stars\nu,b,2\n")
    (tmp_path / "test.csv").write_text("userId,item_id,stars\nv,a,4\n")
    (tmp_path / "i.jsonl").write_text('{"id": "a", "title": "A"}\n{"id": "b", "title": "B"}\n')
    (tmp_path / "u.tsv").write_text("user_id\tage\nu\t3\nv\t4\n")
    return tmp_path


COLUMNS = {
    "behavior_columns": {"user_id": "userId", "rating": "stars"},
    "item_columns": {"item_id": "id"},
}


def test_plain_tables(plain):
    reader = TableReader(
        f"{plain}/b.csv", f"{plain}/i.jsonl", f"{plain}/u.tsv", ordered=True, **COLUMNS
    )
    tables = reader.read()
    assert tables.behaviors.columns == ["user_id", "item_id", "rating", "row"]
    assert tables.behaviors.rows() == [("u", "a", 5.0, 0), ("v", "b", 1.0, 1)]
    assert tables.items.rows() == [("a", "A"), ("b", "B")]
    assert tables.users.rows() == [("u", "3"), ("v", "4")]
    assert tables.ordered
    assert [path.name for path in reader.files()] == ["b.csv", "i.jsonl", "u.tsv"]


def test_a_file_per_part(plain):
    tables = TableReader(
        f"{plain}/b.csv",
        f"{plain}/i.jsonl",
        validation_behaviors=f"{plain}/val.csv",
        test_behaviors=f"{plain}/test.csv",
        **COLUMNS,
    ).read()
    assert tables.behaviors["split"].to_list() == ["train", "train", "val", "test"]
    assert tables.behaviors["row"].to_list() == [0, 1, 2, 3]


def test_plain_lines_are_those_of_the_file(plain):
    (plain / "b.csv").write_text("userId,item_id,stars\nu,a,good\n")
    (plain / "i.jsonl").write_text('{"id": "a"}\n{"id": ""}\n')
    with pytest.raises(DataError, match=r"behaviors=.*\n.*line 2 \('good'\)"):
        TableReader(f"{plain}/b.csv", f"{plain}/i.jsonl", **COLUMNS).read()
    (plain / "b.csv").write_text("userId,item_id,stars\nu,a,5\n")
    with pytest.raises(DataError, match=r"items=.*\n +item_id is empty: line 2"):
        TableReader(f"{plain}/b.csv", f"{plain}/i.jsonl", **COLUMNS).read()


def test_absent_source_names_its_option(plain):
    reader = TableReader(f"{plain}/bb.csv", f"{plain}/i.jsonl")
    with pytest.raises(DataError, match=r"TableReader\.behaviors=.*bb\.csv"):
        reader.files()


def test_unknown_items_name_file_and_line(plain):
    (plain / "test.csv").write_text('userId,item_id,stars\n"v\nw",a,4\nv,c,4\n')
    tables = TableReader(
        f"{plain}/b.csv", f"{plain}/i.jsonl", test_behaviors=f"{plain}/test.csv", **COLUMNS
    ).read()
    with pytest.raises(DataError, match=r"test_behaviors=.*test\.csv, line 4: item_id 'c'"):
        clean(tables)
