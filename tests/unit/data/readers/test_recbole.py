import gzip

import pytest

from lit_rec.data.readers.recbole import RecBoleReader
from lit_rec.errors import DataError


@pytest.fixture
def recbole(tmp_path):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "toy.inter").write_text(
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t7\t4\t10\n2\t8\t3\t11.5\n"
    )
    (folder / "toy.item").write_text('item_id:token\ttitle:token_seq\n7\tSay "hi"\n8\tB\n')
    return folder


def test_recbole(recbole):
    tables = RecBoleReader(str(recbole)).read()
    assert tables.behaviors.rows() == [("1", "7", 4.0, 10.0, 0), ("2", "8", 3.0, 11.5, 1)]
    assert tables.items.rows() == [("7", 'Say "hi"'), ("8", "B")]
    assert tables.users is None
    (recbole / "toy.user").write_text("user_id:token\tage:float\n1\t30\n2\t31\n")
    reader = RecBoleReader(str(recbole), name="toy")
    assert reader.read().users.rows() == [("1", "30"), ("2", "31")]
    assert [path.name for path in reader.files()] == ["toy.inter", "toy.item", "toy.user"]


@pytest.mark.parametrize(
    ("header", "seen"),
    [
        ("item_id\ttitle", "the header holds 'item_id'"),
        ("id:token\tname:token", "'item_id'; the file has id"),
    ],
)
def test_recbole_header(recbole, header, seen):
    (recbole / "toy.item").write_text(f"{header}\n7\tA\n")
    with pytest.raises(DataError, match=seen):
        RecBoleReader(str(recbole)).read()


def test_recbole_names(recbole):
    reader = RecBoleReader(str(recbole), name="tay")
    for call in (reader.read, reader.files):
        with pytest.raises(DataError, match=r"no file 'tay\.inter'(.|\n)*name to toy"):
            call()
    (recbole / "toy.item").unlink()
    with pytest.raises(DataError, match=r"no file 'toy\.item'"):
        RecBoleReader(str(recbole)).files()
    with pytest.raises(DataError, match=rf"folder={recbole}y, .*no folder '{recbole}y'"):
        RecBoleReader(f"{recbole}y").files()


def test_recbole_lines(recbole):
    with (recbole / "toy.inter").open("a") as file:
        file.write("3\t8\tbad\t1\n")
    with pytest.raises(DataError, match=r"toy\.inter: 1 problem.\n.*line 4 \('bad'\)"):
        RecBoleReader(str(recbole)).read()
    (recbole / "toy.inter").write_text("user_id:token\titem_id:token\n1\t7\n2\n")
    with pytest.raises(DataError, match=r"toy\.inter, line 3: 1 column, '2'"):
        RecBoleReader(str(recbole)).read()


def test_recbole_column_of_no_known_type(recbole):
    """It may be one that nobody reads."""
    (recbole / "toy.item").write_text(
        "item_id:token\ttitle:token_seq\tprice:int\tx\n7\tA\t1\t\n8\tB\t\t2\n"
    )
    assert RecBoleReader(str(recbole)).read().items.rows() == [
        ("7", "A", "1", None),
        ("8", "B", None, "2"),
    ]


def test_recbole_packed(recbole):
    plain = RecBoleReader(str(recbole)).read()
    for path in recbole.iterdir():
        (recbole / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    reader = RecBoleReader(str(recbole))
    assert reader.read().behaviors.equals(plain.behaviors)
    assert [path.name for path in reader.files()] == ["toy.inter.gz", "toy.item.gz"]
