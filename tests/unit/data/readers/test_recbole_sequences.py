from pathlib import Path

import polars as pl
import pytest

from lit_rec.data.readers.recbole_sequences import RecBoleSequenceReader
from lit_rec.data.splits.splits import LeaveLastOutSplit
from lit_rec.errors import DataError

REAL = Path(__file__).parents[5] / "shared" / "data" / "amazon-scientific"
HEADER = "user_id:token\titem_id_list:token_seq\titem_id:token\n"


@pytest.fixture
def toys(tmp_path):
    folder = tmp_path / "toys"
    folder.mkdir()
    (folder / "toys.train.inter").write_text(f"{HEADER}0\t0 1\t2\n0\t0\t1\n1\t2\t0\n")
    (folder / "toys.valid.inter").write_text(f"{HEADER}0\t0 1 2\t3\n1\t2 0\t1\n")
    (folder / "toys.test.inter").write_text(f"{HEADER}0\t0 1 2 3\t1\n1\t2 0 1\t3\n")
    (folder / "toys.item2index").write_text("Bb\t0\nBa\t1\nBd\t2\nBc\t3\n")
    (folder / "toys.user2index").write_text("Ux\t0\nUy\t1\n")
    (folder / "toys.text").write_text(
        "item_id:token\ttext:token_seq\nBa\tA toy. \nBb\tBricks\nBd\t\nBz\tOf nobody\nBc\tCar\n"
    )
    return folder


def test_tables_by_hand(toys):
    reader = RecBoleSequenceReader(str(toys))
    tables = reader.read()
    assert tables.behaviors.rows() == [
        ("Ux", "Bb", "train", 0),
        ("Ux", "Ba", "train", 1),
        ("Ux", "Bd", "train", 2),
        ("Uy", "Bd", "train", 3),
        ("Uy", "Bb", "train", 4),
        ("Ux", "Bc", "val", 5),
        ("Uy", "Ba", "val", 6),
        ("Ux", "Ba", "test", 7),
        ("Uy", "Bc", "test", 8),
    ]
    assert tables.ordered
    assert tables.items.rows() == [("Bb", "Bricks"), ("Ba", "A toy."), ("Bd", None), ("Bc", "Car")]
    (step,) = tables.dropped
    assert (step.dropped, step.of, step.example) == (1, 5, "Bz")
    places = [tables.place(row).rsplit(", ", 2)[1:] for row in (0, 1, 2, 6, 7)]
    assert places == [
        ["toys.train.inter", "line 3"],
        ["toys.train.inter", "line 3"],
        ["toys.train.inter", "line 2"],
        ["toys.valid.inter", "line 3"],
        ["toys.test.inter", "line 2"],
    ]
    assert [path.suffix for path in reader.files()] == [".inter"] * 3 + [
        ".text",
        ".item2index",
        ".user2index",
    ]


def test_ids_as_they_are(toys):
    for name in ("toys.item2index", "toys.user2index", "toys.text", "toys.valid.inter"):
        (toys / name).unlink()
    (toys / "toys.test.inter").write_text(f"{HEADER}0\t0 1 2\t3\n")
    (toys / "toys.item").write_text("item_id:token\ttitle:token_seq\n0\tA\n1\tB\n2\tC\n3\tD\n")
    tables = RecBoleSequenceReader(str(toys), "toys").read()
    assert tables.behaviors["user_id"].to_list() == ["0", "0", "0", "1", "1", "0"]
    assert tables.behaviors["item_id"].to_list() == ["0", "1", "2", "2", "0", "3"]
    assert tables.items.columns == ["item_id", "title"]
    assert tables.dropped == ()


@pytest.mark.parametrize(
    ("name", "line", "seen"),
    [
        ("toys.train.inter", "1\t2 0", r"train\.inter, line 5: 2 columns"),
        ("toys.train.inter", "0\t0 1\t3", r"item_id_list is not the end .*line 5 \('0 1'\)"),
        ("toys.test.inter", "1\t2 0\t3", r"test\.inter: item_id_list is not .*line 4 \('2 0'\)"),
        (
            "toys.test.inter",
            "9\t0\t1",
            r"test\.inter: user_id is in no other part: line 4 \('9'\)",
        ),
        (
            "toys.train.inter",
            "9\t0\t1",
            r"user_id is not in toys\.user2index: line 5 \('9'\), line 5 \('9'\)",
        ),
        ("toys.train.inter", "1\t2 0\t7", r"valid\.inter: item_id_list is not .*line 3 \('2 0'\)"),
        ("toys.item2index", "Ba\t4", r"id is repeated: 'Ba' on line 2, line 5"),
        ("toys.item2index", "Be\t3", r"number is repeated: '3' on line 4, line 5"),
        ("toys.text", "Ba\tAgain", r"item_id is repeated: 'Ba'"),
    ],
)
def test_damaged_files(toys, name, line, seen):
    with (toys / name).open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=seen):
        RecBoleSequenceReader(str(toys)).read()


def test_names_and_headers(toys):
    (toys / "toys.train.inter").write_text("user_id:token\titem_id:token\n0\t1\n")
    with pytest.raises(DataError, match="no column 'item_id_list'"):
        RecBoleSequenceReader(str(toys)).read()
    (toys / "toys.text").unlink()
    with pytest.raises(DataError, match=r"no file 'toys\.text'"):
        RecBoleSequenceReader(str(toys)).files()


def test_lists_train_where_there_is_no_train_file(toys):
    whole = RecBoleSequenceReader(str(toys)).read()
    (toys / "toys.train.inter").unlink()
    tables = RecBoleSequenceReader(str(toys), parts="lists").read()
    columns = ["user_id", "item_id", "split"]
    assert sorted(tables.behaviors.select(columns).rows()) == sorted(
        whole.behaviors.select(columns).rows()
    )
    assert tables.ordered
    (toys / "toys.valid.inter").unlink()
    tables = RecBoleSequenceReader(str(toys), parts="lists").read()
    assert tables.behaviors["split"].value_counts().sort("split").rows() == [
        ("test", 2),
        ("train", 7),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        f"{HEADER}0\t0 1\t2\n0\t0\t1\n1\t2\t0\n",  # beginnings of sequences
        f"{HEADER}0\t0 1\t2\n1\t2\t0\n",  # the longest alone
        "user_id:token\titem_id_list:token_seq\n0\t0 1 2\n1\t2 0\n",  # whole sequences
    ],
)
def test_one_file_without_parts(toys, lines):
    for part in ("train", "valid", "test"):
        (toys / f"toys.{part}.inter").unlink()
    (toys / "toys.inter").write_text(lines)
    with pytest.raises(
        DataError, match=r"but 'toys\.inter'(.|\n)*parts to none; with LeaveLastOutSplit"
    ):
        RecBoleSequenceReader(str(toys)).files()
    tables = RecBoleSequenceReader(str(toys), parts="none").read()
    assert "split" not in tables.behaviors.columns
    assert tables.behaviors.select("user_id", "item_id").rows() == [
        ("Ux", "Bb"),
        ("Ux", "Ba"),
        ("Ux", "Bd"),
        ("Uy", "Bd"),
        ("Uy", "Bb"),
    ]
    part = LeaveLastOutSplit().assign(tables.behaviors, ordered=tables.ordered)
    assert part.to_list() == ["train", "val", "test", "train", "train"]


def test_an_empty_sequence(toys):
    path = toys / "toys.inter"
    path.write_text("user_id:token\titem_id_list:token_seq\n0\t0 1 2\n1\t\n")
    with pytest.raises(DataError, match="item_id_list is empty: line 3"):
        RecBoleSequenceReader(str(toys), parts="none").read()
    path.write_text("user_id:token\titem_id_list:token_seq\n0\t0 1 2\n")
    assert len(RecBoleSequenceReader(str(toys), parts="none").read().behaviors) == 3


@pytest.mark.skipif(not REAL.is_dir(), reason="amazon-scientific is not beside the project")
def test_scientific():
    tables = RecBoleSequenceReader(str(REAL), name="Scientific").read()
    behaviors = tables.behaviors
    assert (behaviors["user_id"].n_unique(), len(tables.items), len(behaviors)) == (
        8442,
        4385,
        59427,
    )
    counts = dict(behaviors["split"].value_counts().rows())
    assert counts == {"train": 42543, "val": 8442, "test": 8442}
    ends = behaviors.group_by("user_id").agg(pl.col("split").sort_by("row"))["split"]
    assert (ends.list.get(-1) == "test").all()
    assert (ends.list.get(-2) == "val").all()
    assert tables.items["text"].str.len_chars().min() > 0
    assert behaviors["item_id"].is_in(tables.items["item_id"].implode()).all()
