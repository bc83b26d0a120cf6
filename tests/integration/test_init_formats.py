"""lit-rec init on files of known formats: it finds their reader, and what it writes passes ``check``."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from .conftest import lit_rec, message
from .format_files import (
    amazon_2018,
    amazon_2023,
    amazon_ratings,
    amazon_ratings_2014,
    amazon_ratings_2018,
    labelled_parts,
    labelled_texts,
    labelled_without_header,
    mind,
    movielens_1m,
    movielens_10m,
    movielens_100k,
    movielens_csv,
    recbole,
    recbole_sequences,
    recbole_whole_sequences,
    reviews_alone,
    rows,
    texts,
    titles,
    write,
)

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(autouse=True)
def encoder(apart, workplace, tmp_path):
    """The working folder has the tiny encoder where init looks for one."""
    shutil.copytree(workplace / "checkpoints/assets", tmp_path / "checkpoints/assets")


# what makes the files -> the reader, the task, the split, the history
FORMATS = {
    amazon_2018: ("Amazon2018Reader", "rating", "TimeSplit", "PastHistory"),
    amazon_2023: ("Amazon2023Reader", "rating", "TimeSplit", "PastHistory"),
    amazon_ratings: ("AmazonRatingsReader", "rating", "GivenSplit", "PastHistory"),
    amazon_ratings_2014: ("AmazonRatingsReader", "rating", "TimeSplit", "PastHistory"),
    amazon_ratings_2018: ("AmazonRatingsReader", "rating", "TimeSplit", "PastHistory"),
    movielens_10m: ("MovieLens1MReader", "rating", "TimeSplit", "PastHistory"),
    movielens_100k: ("MovieLens100KReader", "rating", "TimeSplit", "PastHistory"),
    movielens_1m: ("MovieLens1MReader", "rating", "TimeSplit", "PastHistory"),
    movielens_csv: ("MovieLensReader", "rating", "TimeSplit", "PastHistory"),
    mind: ("MindReader", "label", "GivenSplit", "GivenHistory"),
    recbole: ("RecBoleReader", "rating", "TimeSplit", "PastHistory"),
    recbole_sequences: ("RecBoleSequenceReader", "next_item", "GivenSplit", "PastHistory"),
    recbole_whole_sequences: (
        "RecBoleSequenceReader",
        "next_item",
        "LeaveLastOutSplit",
        "PastHistory",
    ),
    labelled_texts: ("LabelledTextReader", "label", "RandomSplit", None),
    labelled_parts: ("LabelledTextReader", "label", "GivenSplit", None),
    labelled_without_header: ("LabelledTextReader", "label", "RandomSplit", None),
    reviews_alone: ("LabelledTextReader", "rating", "RandomSplit", None),
}


def name_of(value):
    return value["class_path"].rpartition(".")[2] if value else None


@pytest.mark.parametrize("make", FORMATS, ids=lambda make: make.__name__)
def test_what_is_written_for_a_format_passes_check(make, capsys):
    lit_rec("init", *make())
    said = capsys.readouterr().out
    assert said.startswith("format     ")
    assert "--plain" in said
    data = yaml.safe_load(Path("my_data.yaml").read_text())["data"]["init_args"]
    found = (
        name_of(data["reader"]),
        data["task"],
        name_of(data["split"]),
        name_of(data.get("history")),
    )
    assert found == FORMATS[make]
    lit_rec("check", "-c", "my_data.yaml", "--trainer.accelerator=cpu")
    assert "fit" in capsys.readouterr().out


@pytest.mark.parametrize("make", [amazon_2018, labelled_without_header, reviews_alone])
def test_what_is_written_for_a_format_is_fitted(make):
    lit_rec("init", *make())
    step = ("--trainer.fast_dev_run=1", "--trainer.enable_model_summary=false")
    lit_rec("fit", "-c", "my_data.yaml", "--trainer.accelerator=cpu", *step)


def reader_of(*words):
    """The reader that init writes."""
    lit_rec("init", *words, "--force")
    return name_of(yaml.safe_load(Path("my_data.yaml").read_text())["data"]["init_args"]["reader"])


def test_plain_turns_it_off():
    files = amazon_2018()
    assert reader_of(*files) == "Amazon2018Reader"
    assert reader_of(*files, "--plain") == "TableReader"
    # who names columns, or says which file is which, has plain tables in mind
    assert reader_of(*files, "--user_column=reviewerID") == "TableReader"
    assert reader_of(*files, f"--behaviors={files[0]}") == "TableReader"


def test_options_of_init_hold_for_a_format():
    lit_rec("init", *amazon_2018(), "--text_columns=title", "--task=next_item", "--encoder=folder")
    data = yaml.safe_load(Path("my_data.yaml").read_text())["data"]["init_args"]
    assert (data["task"], data["encoder"]) == ("next_item", "folder")
    assert data["text"]["init_args"]["columns"] == ["title"]


def test_the_users_own_tables_are_no_format():
    """Files that only have the names of a format, or some of its columns."""
    behaviors = ["reviewerID,asin,overall", *(f"A{u},{i},{r}" for u, i, r, _ in rows("B{}".format))]
    write("behaviors.tsv", [line.replace(",", "\t") for line in behaviors])
    write("news.tsv", ["asin\ttitle", *(f"B{i}\t{t}" for i, t in titles().items())])
    assert reader_of("behaviors.tsv", "news.tsv") == "TableReader"
    write("ratings.csv", ["userId,movieId,stars", *(f"{u},{i},{r}" for u, i, r, _ in rows())])
    write("movies.csv", ["movieId,title", *(f"{i},{t}" for i, t in titles().items())])
    assert reader_of("ratings.csv", "movies.csv") == "TableReader"


def test_broken_lines_are_left_out_and_said(capsys):
    reviews, metadata = amazon_2018("Toys.json")
    write(reviews, [*Path(reviews).read_text().splitlines(), '{"reviewerID": "A1", "asin'])
    lit_rec("init", reviews, metadata)
    assert (
        "(broken_lines): not a JSON object (Toys.json): 1 of 301 lines" in capsys.readouterr().out
    )
    lit_rec("check", "-c", "my_data.yaml", "--trainer.accelerator=cpu")
    # of what else is wrong the reader says what to do
    write(
        reviews,
        [json.dumps({"reviewerID": "A1", "asin": "B1", "overall": "five", "unixReviewTime": 1})],
    )
    assert "rating is not a finite number: line 1" in message(
        capsys, "init", reviews, metadata, "--force"
    )


def test_items_that_the_catalogue_lacks_are_left_out(capsys):
    folders = mind()
    for name in folders:
        path = Path(name, "news.tsv")
        path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    lit_rec("init", *folders)
    assert "left out   the item is not in the items table: " in capsys.readouterr().out
    data = yaml.safe_load(Path("my_data.yaml").read_text())["data"]["init_args"]
    assert data["unknown_items"] == "drop"
    lit_rec("check", "-c", "my_data.yaml", "--trainer.accelerator=cpu")


def test_a_folder_of_labelled_texts():
    labelled_parts()
    for part in ("train", "test"):
        write(f"intents/{part}.tsv", Path(f"part.{part}.tsv").read_text().splitlines())
    write("intents/categories.json", ["[]"])
    assert reader_of("intents") == "LabelledTextReader"
    reader = yaml.safe_load(Path("my_data.yaml").read_text())["data"]["init_args"]["reader"]
    assert reader["init_args"]["test_texts"] == "intents/test.tsv"


def test_one_table_of_users_and_items_needs_another(capsys):
    write(
        "reviews.csv",
        [
            "user_id,item_id,review,rating",
            *(f"u{k % 9},i{k % 7},{t},{k % 5}" for k, (t, _) in enumerate(texts())),
        ],
    )
    assert "1 file" in message(capsys, "init", "reviews.csv")
    # but who names the label means the texts
    assert reader_of("reviews.csv", "--rating_column=rating") == "LabelledTextReader"
