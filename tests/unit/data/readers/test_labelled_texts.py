import gzip

import polars as pl
import pytest
from transformers import BertTokenizerFast

from lit_rec.data.batches.plan import BatchPlan
from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.splits.few_labels import FewLabelsSplit
from lit_rec.data.splits.splits import GivenSplit
from lit_rec.data.text_datamodule import ItemTextDataModule
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError, DataError

TRAIN = 'text,category\nred,a\nblue,b\nred,a\n"blue, red",b\n'
TEST = "text,category\nblue red,b\nred,a\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.csv").write_text(TRAIN)
    (tmp_path / "test.csv").write_text(TEST)
    return tmp_path


def test_a_row_is_a_text_and_its_label(folder):
    reader = LabelledTextReader(
        f"{folder}/train.csv", {"label": "category"}, test_texts=f"{folder}/test.csv"
    )
    tables = reader.read()
    assert tables.items["text"].to_list() == ["red", "blue", "red", "blue, red", "blue red", "red"]
    assert tables.behaviors["label"].to_list() == ["a", "b", "a", "b", "b", "a"]
    assert tables.behaviors["split"].to_list() == ["train"] * 4 + ["test"] * 2
    assert tables.behaviors["item_id"].to_list() == tables.items["item_id"].to_list()
    assert tables.items["item_id"].n_unique() == 6
    assert tables.place(4).endswith("test.csv, line 2")
    assert len(reader.files()) == 2


def test_one_file_has_no_parts(folder):
    tables = LabelledTextReader(f"{folder}/train.csv", {"label": "category"}).read()
    assert "split" not in tables.behaviors.columns


def test_ratings_of_reviews(folder):
    (folder / "reviews.jsonl").write_text(
        '{"review": "red", "stars": 5}\n{"review": "blue", "stars": 1.5}\n'
    )
    tables = LabelledTextReader(f"{folder}/reviews.jsonl", {"rating": "stars"}).read()
    assert tables.behaviors["rating"].to_list() == [5.0, 1.5]
    assert tables.items["review"].to_list() == ["red", "blue"]


def test_ids_of_ones_own_stay(folder):
    (folder / "ids.csv").write_text("item_id,text,label\nx,red,a\ny,blue,b\n")
    tables = LabelledTextReader(f"{folder}/ids.csv").read()
    assert tables.items["item_id"].to_list() == ["x", "y"]


def test_errors(folder):
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        LabelledTextReader(f"{folder}/nowhere.csv").read()
    with pytest.raises(DataError, match="no column 'categry'"):
        LabelledTextReader(f"{folder}/train.csv", {"label": "categry"}).read()


@pytest.mark.parametrize(("name", "delimiter"), [("x.csv", None), ("x", "|"), ("x.csv.gz", ";")])
def test_texts_without_a_header(folder, name, delimiter):
    sign = delimiter or ","
    content = f'spam{sign}"win, now"\nham{sign}so\n'.encode()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    tables = LabelledTextReader(
        f"{folder}/{name}", names=["label", "text"], delimiter=delimiter
    ).read()
    assert tables.items["text"].to_list() == ["win, now", "so"]
    assert tables.behaviors["label"].to_list() == ["spam", "ham"]
    assert [tables.place(row).rsplit(", ", 1)[1] for row in (0, 1)] == ["line 1", "line 2"]


@pytest.fixture
def module_of(folder):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "blue", ","]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder / "encoder")

    def make(split, **options):
        return ItemTextDataModule(
            LabelledTextReader(f"{folder}/train.csv", {"label": "category"}, **options),
            str(folder / "encoder"),
            TextTemplate(["text"]),
            split,
            cache_folder=str(folder / "cache"),
        )

    return make


def test_batches_have_texts_and_nobody(module_of, folder):
    module = module_of(GivenSplit(0.25), test_texts=f"{folder}/test.csv")
    module.prepare_data()
    assert module.facts.user_ids == ()
    module.follow(BatchPlan(table_at_evaluation=False))
    [batch] = list(module.test_dataloader())
    assert batch.users.vocab_row.tolist() == [0, 0]
    assert not batch.history.mask.any()
    assert batch.target.value.flatten().tolist() == [1, 0]
    assert batch.texts.tokens.tolist() in ([5, 6, 5], [6, 5, 5])


def test_equal_texts_are_tokenised_once(module_of, folder):
    module = module_of(GivenSplit(0.25), test_texts=f"{folder}/test.csv")
    assert len(module.catalogue) == 6
    assert len(module.catalogue.store.offsets) - 1 == 4


@pytest.mark.parametrize(
    ("name", "values", "read"),
    [
        ("item_id", pl.Series([7.0, 8.0]), ["7", "8"]),
        ("item_id", pl.Series([True, False]), "true and false"),
        ("label", pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
        ("label", pl.Series([[1], [2]]), "lists of numbers"),
        ("rating", pl.Series([b"1", b"2.5"]), [1.0, 2.5]),
        ("timestamp", pl.Series([1, 2]).cast(pl.Duration("us")), "durations"),
    ],
)
def test_types_of_parquet(tmp_path, name, values, read):
    frame = pl.DataFrame({"text": ["a", "b"], "label": ["x", "y"]})
    frame.with_columns(values.alias(name)).write_parquet(tmp_path / "t.parquet")
    reader = LabelledTextReader(f"{tmp_path}/t.parquet")
    if isinstance(read, str):
        with pytest.raises(DataError, match=read):
            reader.read()
    else:
        assert reader.read().behaviors[name].to_list() == read


def test_columns_of_other_types_in_other_files(tmp_path):
    """2**53 + 1 is no float: whole numbers here and fractions there are read as texts."""
    for name, years in (("a", [2**53 + 1, 1]), ("b", [1.5, 2.0])):
        frame = pl.DataFrame({"text": ["a", "b"], "label": ["x", "y"], "year": years})
        frame.write_parquet(tmp_path / f"{name}.parquet")
    files = [f"{tmp_path}/{name}.parquet" for name in "ab"]
    items = LabelledTextReader(files[0], test_texts=files[1]).read().items
    assert items["year"].to_list() == ["9007199254740993", "1", "1.5", "2.0"]


def test_names_of_labels_are_training_texts(folder):
    """They train whatever share validates, and however few rows of a label train."""
    rows = "".join(f"red {n},lost_card?\nblue {n},Top-up_failed\n" for n in range(10))
    (folder / "train.csv").write_text(f"text,category\n{rows}")
    (folder / "test.csv").write_text("text,category\nred,lost_card?\n")
    reader = LabelledTextReader(
        f"{folder}/train.csv",
        {"label": "category"},
        test_texts=f"{folder}/test.csv",
        label_names="text",
    )
    tables = reader.read()
    table = tables.behaviors.join(tables.items, on="item_id")
    assert len(table) == len(tables.items) == 23
    assert table["row"].to_list() == list(range(23))
    names = table.filter(event="label_name")
    assert dict(names.select("label", "text").iter_rows()) == {
        "Top-up_failed": "Top up failed",
        "lost_card?": "lost card",
    }
    assert tables.place(21) == "row 22 of the behaviors"
    for split in (GivenSplit(validation=0.5), FewLabelsSplit(rows_per_label=1, validation=0.5)):
        part = split.assign(tables.behaviors)
        assert (part == "val").sum() == 10, "a half of the rows that have no name"
        assert part.to_list()[-2:] == ["train", "train"]
    assert (part == "train").sum() == 4


def test_cells_are_read_as_those_of_tables(tmp_path):
    """HTML becomes text, and what stands for a missing value none; ids stay as they are."""
    rows = [
        "id,text,label",
        "NA,<b>Caf&eacute;</b> open,good",
        "2,NaN,good",
        "3,shut,none of it",
        "4,x,-",
    ]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    path, columns = f"{tmp_path}/t.csv", {"item_id": "id"}
    found = LabelledTextReader(path, columns).read()
    assert found.items["text"].to_list() == ["Café open", None, "shut", "x"]
    assert found.items["item_id"].to_list() == ["NA", "2", "3", "4"]
    assert found.behaviors["label"].to_list() == ["good", "good", "none of it", None]
    missing = {"label": ["none of it"], "text": []}
    found = LabelledTextReader(path, columns, missing_values=missing, clean_html=False).read()
    assert found.items["text"].to_list()[:2] == ["<b>Caf&eacute;</b> open", "NaN"]
    assert found.behaviors["label"].to_list() == ["good", "good", None, None]
    with pytest.raises(
        ConfigError, match=r"no table has a column 'labels'(.|\n)*did you mean 'label'"
    ):
        LabelledTextReader(path, columns, missing_values={"labels": []}).read()
