"""Remedies of ``lit-rec init`` for files of known formats."""

import shutil
import tarfile
from pathlib import Path

import pytest

from lit_rec.errors import LitRecError
from tests.integration.format_files import (
    amazon_2018,
    amazon_2023,
    amazon_ratings,
    movielens_100k,
    recbole,
    rows,
    texts,
    titles,
    write,
)
from tests.integration.init_tables import RATINGS, obeyed, run, two
from tests.integration.init_tables import write as write_table
from tests.integration.remedies.followed import each_remedy_of, follow


@pytest.mark.parametrize("made", [amazon_2018, amazon_2023, amazon_ratings])
def test_reviews_without_their_items(made):
    """The metadata is beside them, or has the name that the archive gives it."""
    files = made()
    metadata = next(Path(name) for name in files if "meta" in name)
    reviews = [name for name in files if "meta" not in name]
    obeyed(reviews, says=f"lit-rec init {' '.join(reviews)} {metadata}")
    metadata.rename("elsewhere")

    def mended():
        Path("elsewhere").rename(f"meta_Toys.json{'' if made is amazon_2018 else 'l'}.gz")
        run(*files)

    if metadata.suffix == ".gz":  # as the archive has it
        follow(
            lambda: run(*reviews), mended, says=f"name the metadata too: lit-rec init {reviews[0]}"
        )


@pytest.mark.parametrize("ending", ["zip", "gztar"])
def test_a_packed_archive(ending):
    folder = movielens_100k()[0]
    packed = shutil.make_archive("ml-100k", ending, ".", folder)
    obeyed([Path(packed).name], says="lit-rec init ml-100k")


def test_a_packed_file_beside_another():
    behaviors, items = two()
    with tarfile.open(f"{behaviors}.tar", "w") as packed:
        packed.add(behaviors)
    obeyed([f"{behaviors}.tar", items], says="lit-rec init behaviors.csv items.csv")


def test_a_folder_of_tables():
    names = two()
    for name in names:
        Path("my shop").mkdir(exist_ok=True)
        Path(name).rename(Path("my shop", name))
    obeyed(["my shop"], says="lit-rec init 'my shop/behaviors.csv' 'my shop/items.csv'")
    for name in ("a.csv", "b.csv"):
        write_table(f"my shop/{name}", RATINGS)
    obeyed(["my shop"], says="such as: lit-rec init 'my shop/behaviors.csv' 'my shop/items.csv'")


def test_a_folder_with_one_table():
    names = two()
    Path("shop").mkdir()
    Path(names[0]).rename("shop/a.csv")
    follow(
        lambda: run("shop"),
        lambda: run("shop/a.csv", names[1]),
        says="name shop/a.csv, and the other table",
    )


def test_a_folder_in_a_folder():
    folder = movielens_100k()[0]
    Path("unpacked").mkdir()
    shutil.move(folder, "unpacked")
    obeyed(["unpacked"], says="lit-rec init unpacked/ml-100k")


def test_an_empty_folder():
    Path("empty").mkdir()
    follow(
        lambda: run("empty"),
        lambda: run(*two()),
        says="name the folder or the files that hold the tables",
    )


def test_several_data_sets_of_recbole():
    """Each can be named by its file, also where it has only parts."""
    recbole()
    for ending in ("inter", "item"):
        shutil.copy(f"toys/toys.{ending}", f"toys/all.{ending}")
    shutil.copytree("toys", "sets")
    obeyed(["sets"], says="lit-rec init sets/all.inter")
    obeyed(["sets/toys.item", "sets/all.inter"], says="lit-rec init sets/all.inter")
    Path("sets/all.inter").rename("sets/all.inter.gz")
    obeyed(["sets"], says="lit-rec init sets/all.inter.gz", then=LitRecError)


def test_recbole_without_items():
    recbole()
    Path("toys/toys.item").unlink()
    written = ["item_id:token\ttitle:token_seq", *(f"{i}\t{t}" for i, t in titles().items())]
    follow(
        lambda: run("toys"),
        lambda: write("toys/toys.item", written) or run("toys"),
        says="write toys/toys.item: first the line item_id:token title:token_seq, then a line for each item",
    )


HEADER = "user_id:token\titem_id:token"


@pytest.mark.parametrize(
    ("header", "asked", "after", "says"),
    [
        (f"{HEADER}\ttimestamp:float", [], [], "timestamp:float"),
        (f"{HEADER}\trating:float", [], [], "or ratings, rating:float"),
        (None, ["--task=next_item"], [], "or leave --task out"),
    ],
)
def test_recbole_without_times(header, asked, after, says):
    recbole()
    kept = [f"{u}\t{i}" for u, i, _, _ in rows()]
    rated = [f"{u}\t{i}\t{r}" for u, i, r, _ in rows()]
    if header is None:
        write("toys/toys.inter", [f"{HEADER}\trating:float", *rated])
    else:
        write("toys/toys.inter", [HEADER, *kept])

    def mended():
        if header is not None:
            write("toys/toys.inter", [header, *rated])
        run("toys", *after)

    follow(lambda: run("toys", *asked), mended, says=says)


def test_several_labels():
    lines = [f"{t},{g},{k % 2}" for k, (t, g) in enumerate(texts())]
    write("texts.csv", ["text,my topic,the intent", *lines])
    obeyed(["texts.csv"], says="--rating_column 'the intent'")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (["--rating_column=topi"], ["--rating_column=topic"], "did you mean 'topic'?"),
        (["--rating_column=x"], ["--rating_column=topic"], "name one of these columns"),
        (["--text_columns=x"], ["--text_columns=text"], "name one of these columns"),
        (["--task=next_item"], [], "leave --task out"),
    ],
)
def test_options_for_labelled_texts(before, after, says):
    write("texts.csv", ["text,topic", *(f"{t},{g}" for t, g in texts())])
    follow(lambda: run("texts.csv", *before), lambda: run("texts.csv", *after), says=says)


test_each_remedy_was_followed = each_remedy_of("init/formats")
