import gzip

import pytest

from lit_rec.data.readers.amazon_ratings import AmazonRatingsReader
from lit_rec.data.tables.cleaning import clean
from lit_rec.errors import DataError

HEADER = "user_id,parent_asin,rating,timestamp"


@pytest.fixture
def core(tmp_path):
    (tmp_path / "Toys.train.csv").write_text(
        f"{HEADER},history\nU,A,5.0,1000,\nU,B,4.0,2000,A\nU,B,4.0,2000,A\n"
    )
    (tmp_path / "Toys.valid.csv").write_text(f"{HEADER},history\nU,C,3.0,3500,A B\n")
    (tmp_path / "Toys.test.csv.gz").write_bytes(
        gzip.compress(f"{HEADER},history\nU,D,2.0,4000,A B C\n".encode())
    )
    (tmp_path / "meta_Toys.jsonl").write_text(
        "".join(f'{{"parent_asin": "{i}", "title": "Title {i}"}}\n' for i in "ABCDE")
    )
    return tmp_path


def reader(core, **options):
    return AmazonRatingsReader(f"{core}/Toys.train.csv", f"{core}/meta_Toys.jsonl", **options)


def all_parts(core, **options):
    return reader(
        core,
        validation_ratings=f"{core}/Toys.valid.csv",
        test_ratings=f"{core}/Toys.test.csv.gz",
        **options,
    )


def test_parts_with_histories_by_hand(core):
    tables = all_parts(core).read()
    assert tables.behaviors.select(
        "user_id", "item_id", "rating", "timestamp", "history", "split", "row"
    ).rows() == [
        ("U", "A", 5.0, 1.0, None, "train", 0),
        ("U", "B", 4.0, 2.0, ["A"], "train", 1),
        ("U", "C", 3.0, 3.5, ["A", "B"], "val", 2),
        ("U", "D", 2.0, 4.0, ["A", "B", "C"], "test", 3),
    ]
    assert tables.items["title"].to_list() == ["Title A", "Title B", "Title C", "Title D"]
    assert [(s.rule, s.dropped, s.example) for s in tables.dropped if s.dropped] == [
        ("the same review again", 1, "Toys.train.csv, line 4 (user U, item B)"),
        ("no review names the item", 1, "meta_Toys.jsonl, line 5 (item E)"),
    ]
    assert tables.place(3).endswith("Toys.test.csv.gz, line 2")
    assert len(clean(tables)[0].behaviors) == 4


def test_one_file_has_no_parts(core):
    tables = reader(core, histories=False, items="all").read()
    assert tables.behaviors.columns == ["user_id", "item_id", "rating", "timestamp", "row"]
    assert len(tables.items) == 5
    (core / "Toys.train.csv").write_text(f"{HEADER}\nU,A,5,1000\n")
    assert reader(core).read().behaviors.columns == [
        "user_id",
        "item_id",
        "rating",
        "timestamp",
        "row",
    ]


def test_items_of_histories_stay_in_the_catalogue(core):
    (core / "Toys.train.csv").write_text(f"{HEADER},history\nU,A,5.0,1000,E B\n")
    assert reader(core).read().items["item_id"].to_list() == ["A", "B", "E"]


def test_damaged_files(core):
    (core / "Toys.train.csv").write_text(f"{HEADER}\nU,A,5.0,1000\nU,B,x,2000\n")
    with pytest.raises(
        DataError, match=r"ratings=.*\n.*rating is not a finite number: line 3 \('x'\)"
    ):
        reader(core).read()
    (core / "Toys.train.csv").write_text(f"{HEADER}\nU,A,5.0,1000\nU,B\n")
    with pytest.raises(DataError, match=r"line 3: 2 columns"):
        reader(core).read()


@pytest.mark.parametrize(
    ("archive", "lines"),
    [
        ("2014", "A1,0001,5.0,1400000000\nA2,0002,1.0,1400000001\n"),
        ("2018", "0001,A1,5.0,1400000000\n0002,A2,1.0,1400000001\n"),
    ],
)
def test_ratings_without_a_header(tmp_path, archive, lines):
    """Seconds, ids with zeros, and the metadata of older archives, which may be Python literals."""
    (tmp_path / "ratings_Books.csv").write_text(lines)
    meta = "{'asin': '0001', 'title': 'A book'}\n{\"asin\": \"0002\", \"title\": \"Another\"}\n"
    (tmp_path / "meta.json").write_text(meta)
    files = f"{tmp_path}/ratings_Books.csv", f"{tmp_path}/meta.json"
    tables = AmazonRatingsReader(*files, archive=archive).read()
    assert tables.behaviors.select("user_id", "item_id", "rating", "timestamp").rows() == [
        ("A1", "0001", 5.0, 1400000000.0),
        ("A2", "0002", 1.0, 1400000001.0),
    ]
    assert tables.items["title"].to_list() == ["A book", "Another"]
    assert tables.place(1).endswith("ratings_Books.csv, line 2")
