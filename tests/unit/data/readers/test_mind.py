import gzip

import polars as pl
import pytest

from lit_rec.data.readers.mind import MindReader
from lit_rec.errors import DataError


def news(*rows):
    return "".join(
        f"{i}\tsports\tgolf\t{title}\t{abstract}\thttps://x\t[]\t[]\n"
        for i, title, abstract in rows
    )


TRAIN = (
    "1\tU1\t11/15/2019 8:55:22 AM\tN3 N1\tN2-1 N4-0 N1-0\n"
    "2\tU2\t11/15/2019 12:05:00 AM\t\tN4-1\n"
    "3\tU1\t11/15/2019 1:00:00 PM\tN3 N1\tN4-0 N2-1\n"
)
DEV = "1\tU1\t11/16/2019 9:00:00 AM\tN3 N1\tN5-0 N2-1\n2\tU3\t11/16/2019 9:00:01 AM\tN5\tN1-1\n"
NOON = 1573819200.0  # 2019-11-15 12:00 UTC


@pytest.fixture
def mind(tmp_path):
    for part, behaviors in (("train", TRAIN), ("dev", DEV)):
        (tmp_path / part).mkdir()
        (tmp_path / part / "behaviors.tsv").write_text(behaviors)
    (tmp_path / "train" / "news.tsv").write_text(
        news(
            ("N1", 'The "one', ""), ("N2", "Two", "It is."), ("N3", "Three", ""), ("N4", "Four", "")
        )
    )
    (tmp_path / "dev" / "news.tsv").write_text(
        news(("N5", "Five", ""), ("N2", "Two", "It is."), ("N1", "New one", ""))
    )
    return tmp_path


def read(mind, **parts):
    return MindReader(
        f"{mind}/train", **{part: f"{mind}/{name}" for part, name in parts.items()}
    ).read()


def test_tables_by_hand(mind):
    tables = read(mind)
    behaviors = tables.behaviors
    assert behaviors.select("user_id", "item_id", "event", "label", "impression_id").rows() == [
        ("U1", "N2", "click", "1", "train-1"),
        ("U1", "N4", "show", "0", "train-1"),
        ("U1", "N1", "show", "0", "train-1"),
        ("U2", "N4", "click", "1", "train-2"),
        ("U1", "N4", "show", "0", "train-3"),
        ("U1", "N2", "click", "1", "train-3"),
    ]
    morning, night, day = NOON - 11078, NOON - 42900, NOON + 3600
    assert behaviors["timestamp"].to_list() == [morning] * 3 + [night] + [day] * 2
    assert behaviors["split"].unique().to_list() == ["train"]
    assert behaviors["row"].to_list() == list(range(6))
    assert tables.items.row(0) == ("N1", "sports", "golf", 'The "one', None)
    assert [tables.place(row).rsplit(", ", 1)[1] for row in (0, 2, 3, 5)] == [
        "line 1",
        "line 1",
        "line 2",
        "line 3",
    ]


def test_a_history_stands_once_however_many_rows_share_it(mind):
    tables = read(mind, validation="dev")
    assert tables.histories.rows() == [(["N3", "N1"],), (["N3", "N1"],), (["N5"],)]
    assert tables.behaviors["history_index"].to_list() == [0, 0, 0, None, 0, 0, 1, 1, 2]
    assert tables.behaviors.schema["history_index"] == pl.UInt32


def test_folders_are_parts(mind):
    tables = read(mind, test="dev")
    assert tables.behaviors["split"].to_list() == ["train"] * 6 + ["test"] * 3
    assert tables.behaviors["impression_id"].unique(maintain_order=True).to_list() == [
        "train-1",
        "train-2",
        "train-3",
        "test-1",
        "test-2",
    ]
    assert read(mind, validation="dev").behaviors["split"][-1] == "val"
    assert tables.items["item_id"].to_list() == ["N1", "N2", "N3", "N4", "N5"]
    (step,) = tables.dropped
    assert (step.dropped, step.example) == (1, "N1")  # of N2 both folders say the same
    assert tables.place(8).endswith("behaviors.tsv, line 2")
    assert [p.name for p in MindReader(f"{mind}/train", test=f"{mind}/dev").files()] == [
        "behaviors.tsv",
        "news.tsv",
    ] * 2


def test_a_test_folder_may_keep_its_answers(mind):
    (mind / "dev" / "behaviors.tsv").write_text(DEV.replace("-0", "").replace("-1", ""))
    tables = read(mind, test="dev").behaviors.filter(split="test")
    assert tables["item_id"].to_list() == ["N5", "N2", "N1"]
    assert tables["label"].to_list() == tables["event"].to_list() == [None] * 3
    with pytest.raises(
        DataError, match=r"validation=.*does not say whether it was clicked: line 1 \('N5'\)"
    ):
        read(mind, validation="dev")


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("4\tU1\t11/15/2019 8:55:22 AM", r"behaviors\.tsv, line 4: 3 columns"),
        ("4\tU1\t11/15/2019 8:55:22 AM\tN1\tN2-1 N4-", r"clicked: line 4 \('N4-'\)"),
        ("4\tU1\t11/15/2019 8:55:22 AM\tN1\t", r"shown is empty: line 4 \(nothing\)"),
        (
            "4\tU1\t15/11/2019 8:55:22\tN1\tN2-1",
            r"time is no time: line 4 \('15/11/2019 8:55:22'\)",
        ),
        (
            "3\tU1\t11/15/2019 8:55:22 AM\tN1\tN2-1",
            r"impression_id is repeated: line 3 \('3'\), line 4",
        ),
        ("4\t\t11/15/2019 8:55:22 AM\tN1\tN2-1", r"user_id is empty: line 4"),
        ("4\tU1\t11/15/2019 8:55:22 AM\tN1\t-1", r"item_id is empty: line 4"),
    ],
)
def test_damaged_lines_are_named(mind, line, seen):
    with (mind / "train" / "behaviors.tsv").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=seen):
        read(mind)


def test_damaged_news(mind):
    with (mind / "train" / "news.tsv").open("a") as file:
        file.write("N9\tsports\n")
    with pytest.raises(DataError, match=r"train=.*news\.tsv, line 5: 2 columns"):
        read(mind)
    (mind / "train" / "news.tsv").write_text(news(("N1", "A", ""), ("N1", "B", "")))
    with pytest.raises(DataError, match=r"item_id is repeated: 'N1' on line 1, line 2"):
        read(mind)
    (mind / "train" / "behaviors.tsv").write_text("")
    with pytest.raises(DataError, match=r"behaviors\.tsv: the file is empty"):
        read(mind)


def test_news_without_the_columns_that_nobody_reads(mind):
    whole = read(mind).items
    path = mind / "train" / "news.tsv"
    lines = ["\t".join(line.split("\t")[:5]) for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines))
    assert read(mind).items.equals(whole)


def test_packed_files(mind):
    plain = read(mind)
    for path in (mind / "train").iterdir():
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = read(mind)
    assert packed.items.equals(plain.items)
    assert packed.behaviors.equals(plain.behaviors)


def test_a_folder_that_is_not_there(mind):
    with pytest.raises(DataError, match=r"test=.*/nowhere, behaviors\.tsv: there is no folder"):
        MindReader(f"{mind}/train", test=f"{mind}/nowhere").files()
