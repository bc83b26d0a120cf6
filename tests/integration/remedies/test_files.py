"""Remedies of files that cannot be read as tables; see ``followed``."""

import gzip
import io
import re
import subprocess
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.tables.tables import read_table

from .followed import each_remedy_of, follow, refused

ROWS = "user_id,item_id,rating\nu,a,5\nu,b,3\nv,a,1\n"
ITEMS = "item_id,title\na,A film\nb,B film\n"


def write(path, content):
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def frame_of(path, **options):
    return read_table(path, option="--file", **options)


@pytest.fixture
def read(tmp_path):
    def read(behaviors=ROWS, items=ITEMS, name="b.csv", **options):
        files = write(tmp_path / name, behaviors), write(tmp_path / "i.csv", items)
        return TableReader(*map(str, files), **options).read()

    return read


def test_a_name_that_is_nearly_right(tmp_path):
    write(tmp_path / "items.csv", ITEMS)
    broken = partial(frame_of, tmp_path / "itmes.csv")
    near = refused(broken)[0].remedy.partition("there is ")[2]
    follow(broken, lambda: frame_of(tmp_path / near), says="near it there is items.csv")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("ml/items.csv", "near it there is"),  # an archive may make a folder in the folder
        ("shop/prices.txt", "has items.csv"),
        ("shops/items.csv", "near it there is shop"),
        ("nowhere/items.csv", "has ml, shop"),
        ("shop", "name a file of it: items.csv"),
    ],
)
def test_a_path_that_is_not_there(tmp_path, given, says):
    write(tmp_path / "ml/ml-100k/items.csv", ITEMS)
    write(tmp_path / "shop/items.csv", ITEMS)
    remedy = refused(lambda: frame_of(tmp_path / given))[0].remedy
    there = re.split(r"there is |has |name a file of it: ", remedy)[1].split(", ")[-1]
    folder = {"shop/prices.txt": "shop", "shop": "shop"}.get(given, ".")
    found = tmp_path / folder / there
    found = found / "items.csv" if found.is_dir() else found
    follow(lambda: frame_of(tmp_path / given), lambda: frame_of(found), says=says)


def test_a_file_that_was_cut(tmp_path):
    whole = gzip.compress(ITEMS.encode())
    file = tmp_path / "i.csv.gz"
    follow(
        lambda: frame_of(write(file, whole[:-9])),
        lambda: frame_of(write(file, whole)),
        says="copy or download it again",
    )


def test_a_file_that_is_not_packed(tmp_path):
    broken = partial(frame_of, write(tmp_path / "i.csv.gz", ITEMS))
    name = re.search(r"name it (\S+),", refused(broken)[0].remedy)[1]
    follow(
        broken,
        lambda: frame_of((tmp_path / "i.csv.gz").rename(tmp_path / name)),
        says="not packed by gzip",
    )


def test_a_file_of_another_user(tmp_path, monkeypatch):
    file = write(tmp_path / "the items.csv", ITEMS)

    def denied(path):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", denied)  # where root runs tests, the mode denies nothing
        command = refused(lambda: frame_of(file))[0].remedy.split("`")[1]

        def mended():
            subprocess.run(command, shell=True, check=True)
            patch.undo()
            return frame_of(file)

        follow(lambda: frame_of(file), mended, says="let this user read it: `chmod u+r")


FILM = "item_id,title\na,“Café” €\n"


@pytest.mark.parametrize(
    ("name", "content", "title"),
    [
        ("i.csv", FILM.encode("cp1252"), "“Café” €"),
        ("i.csv.gz", gzip.compress(FILM.encode("cp1252"), mtime=0), "“Café” €"),
        ("my items.csv", FILM.encode("utf-16"), "“Café” €"),
        ("i.csv", "item_id,title\na,Café\n".encode("latin-1"), "Café"),
        ("i.csv", FILM.encode().replace(b"A", b"\xe9") + b"b,\xff\n", "“Café” €"),  # nearly UTF-8
    ],
)
def test_another_encoding(tmp_path, name, content, title):
    broken = partial(frame_of, write(tmp_path / name, content))
    command = refused(broken)[0].remedy.split("`")[1]

    def mended():
        subprocess.run(command, shell=True, check=False)  # iconv -c says that it left something out
        return frame_of(Path(re.split("> '?", command)[1].rstrip("'")))

    assert follow(broken, mended, says="-t utf-8")["title"][0] == title


def parquet():
    content = io.BytesIO()
    pl.DataFrame({"item_id": ["a"], "x": [200]}).write_parquet(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "mended", "says"),
    [
        (gzip.compress(ITEMS.encode(), mtime=0), "i.csv.gz", "add .gz to its name"),
        (b"\x50\x4b\x03\x04\x14\xe9", ITEMS, "save a spreadsheet as CSV"),
        (parquet(), "i.parquet", "give it the ending .parquet"),
    ],
)
def test_what_is_no_text(tmp_path, content, mended, says):
    broken = partial(frame_of, write(tmp_path / "i.csv", content))
    renamed = mended.startswith("i.")
    follow(
        broken,
        lambda: frame_of(
            (tmp_path / "i.csv").rename(tmp_path / mended)
            if renamed
            else write(tmp_path / "i.csv", mended)
        ),
        says=says,
    )


@pytest.mark.parametrize(
    ("name", "mended", "says"),
    [
        ("i.dat", "i.csv", "give it the ending of what it holds"),
        ("i.xlsx", "i.csv", "save it as CSV in UTF-8"),
        ("i.zip", "i.csv", "unpack it"),
    ],
)
def test_an_ending_that_says_nothing(tmp_path, name, mended, says):
    """A command without an option for delimiters names none."""
    broken = partial(frame_of, write(tmp_path / name, ITEMS))
    assert "delimiter" not in refused(broken)[0].remedy
    follow(broken, lambda: frame_of(write(tmp_path / mended, ITEMS)), says=says)


def test_an_ending_that_says_nothing_and_a_delimiter(read):
    follow(
        lambda: read(name="b.dat"),
        lambda: read(name="b.dat", delimiter=","),
        says="or set TableReader.delimiter for a text file",
    )


def test_a_table_without_rows(read):
    follow(lambda: read("user_id,item_id\n"), read, says="write rows into it")


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_what_is_not_parquet(tmp_path, ending):
    def mended():
        if ending == ".csv":
            return frame_of((tmp_path / "i.parquet").rename(tmp_path / "i.csv"))
        pl.DataFrame({"item_id": ["a"]}).write_parquet(tmp_path / "i.parquet")
        return frame_of(tmp_path / "i.parquet")

    says = "write it again" if ending == ".parquet" else "give it that ending"
    follow(lambda: frame_of(write(tmp_path / "i.parquet", ITEMS)), mended, says=says)


@pytest.mark.parametrize("mend", [lambda f: f.drop("when"), lambda f: f[:1]])
def test_dates_that_no_calendar_has(tmp_path, mend):
    when = pl.Series("when", [0, 2_000_000_000], pl.Int32).cast(pl.Date)
    frame = pl.DataFrame({"item_id": ["a", "b"]}).with_columns(when)

    def read(frame):
        frame.write_parquet(tmp_path / "t.parquet")
        return frame_of(tmp_path / "t.parquet")

    follow(lambda: read(frame), lambda: read(mend(frame)), says="leave the column or these rows")


@pytest.mark.parametrize(
    ("year", "says"),
    [(pl.Series([["x"]]), "write texts here too"), (pl.Series([{"a": 1}]), "write texts or numb")],
)
@pytest.mark.parametrize("mended", [pl.Series(["1990"]), None])
def test_a_column_of_another_kind_in_another_file(tmp_path, year, says, mended):
    """Either way: as in the other file, or not at all."""
    frame = pl.DataFrame({"text": ["t"], "label": ["x"], "year": [1.5]})
    frame.write_parquet(tmp_path / "a.parquet")

    def read(year):
        other = frame.drop("year") if year is None else frame.with_columns(year=year)
        other.write_parquet(tmp_path / "b.parquet")
        return LabelledTextReader(
            f"{tmp_path}/a.parquet", test_texts=f"{tmp_path}/b.parquet"
        ).read()

    follow(lambda: read(year), lambda: read(mended), says=says)


BROKEN = "user_id,item_id\nu,a\nu\nu,a,1\nv\n"


@pytest.mark.parametrize(
    ("broken", "mended", "says"),
    [
        (BROKEN, "user_id,item_id\nu,a\n", "correct or remove the line"),
        ("user_id,item_id\n1,2,3\n1,2,3\n", "user_id,item_id,n\n1,2,3\n1,2,3\n", "write 3 names"),
    ],
)
def test_more_lines_are_broken_than_whole(read, broken, mended, says):
    items = "item_id,title\na,A\n2,B\n"
    follow(lambda: read(broken, items, invalid_rows="drop"), lambda: read(mended, items), says=says)


test_each_remedy_was_followed = each_remedy_of("data/tables/source.py", "data/tables/tables.py")
