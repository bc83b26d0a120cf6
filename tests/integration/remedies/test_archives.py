"""Remedies of the readers of archives; see ``followed``."""

import re
import shutil
from functools import partial
from pathlib import Path

import pytest

from lit_rec.data.readers.amazon import Amazon2018Reader
from lit_rec.data.readers.amazon_ratings import AmazonRatingsReader
from lit_rec.data.readers.mind import MindReader
from lit_rec.data.readers.movielens import MovieLens100KReader
from lit_rec.data.readers.movielens_1m import MovieLens1MReader
from lit_rec.data.readers.movielens_csv import MovieLensReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.readers.recbole import RecBoleReader
from lit_rec.data.readers.recbole_sequences import RecBoleSequenceReader
from lit_rec.data.splits.splits import LeaveLastOutSplit
from lit_rec.data.tables.cleaning import clean

from .followed import each_remedy_of, follow, refused

TOKENS, LISTS = (
    "user_id:token\titem_id:token",
    "user_id:token\titem_id_list:token_seq\titem_id:token",
)
FILES = {
    "100k/u.data": "1\t50\t5\t100\n",
    "100k/u1.base": "1\t50\t5\t100\n",
    "100k/u1.test": "1\t50\t5\t100\n",
    "100k/u.item": f"50|Heat (1995)|||{'|0' * 19}\n",
    "100k/u.user": "1|49|M|writer|55105\n",
    "plots.json": '[{"movielens_id": "50", "plot": "They meet."}]',
    "1m/ratings.dat": "1::50::5::978300760\n",
    "1m/movies.dat": "50::Heat (1995)::Crime\n",
    "1m/users.dat": "1::F::1::10::48067\n",
    "latest/ratings.csv": "userId,movieId,rating,timestamp\n1,50,4,964982931\n",
    "latest/movies.csv": "movieId,title,genres\n50,Heat (1995),Crime\n",
    "latest/tags.csv": "userId,movieId,tag,timestamp\n1,50,heist,964982931\n",
    "mind/news.tsv": "N1\ts\tg\tA\t\t\t\t\nN2\ts\tg\tB\t\t\t\t\n",
    "mind/behaviors.tsv": "1\tU\t11/15/2019 8:55:22 AM\tN2\tN1-1 N2-0\n",
    "dev/news.tsv": "N1\ts\tg\tA\t\t\t\t\n",
    "dev/behaviors.tsv": "1\tU\t11/15/2019 8:55:22 AM\tN1\tN1-1\n",
    "toy/toy.inter": f"{TOKENS}\nu\ta\n",
    "toy/toy.item": "item_id:token\ttitle:token_seq\na\tA\nb\tB\nc\tC\n",
    "seq/seq.train.inter": f"{LISTS}\nu\ta\tb\n",
    "seq/seq.test.inter": f"{LISTS}\nu\ta b\tc\n",
    "seq/seq.item": "item_id:token\ttitle:token_seq\na\tA\nb\tB\nc\tC\n",
    "r.csv": "user_id,parent_asin,rating,timestamp\nA,B,5,1000\n",
    "m.jsonl": '{"parent_asin": "B"}\n',
    "r.json": '{"reviewerID": "A", "asin": "B", "overall": 5.0, "unixReviewTime": 1}\n',
    "m.json": '{"asin": "B"}\n',
}
ABSENT = None


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write right archives into the working folder; return what writes other files, or takes some away."""
    monkeypatch.chdir(tmp_path)

    def write(others=()):
        for name in ("toy", "seq"):
            shutil.rmtree(name, ignore_errors=True)
        for name, content in (FILES | dict(others)).items():
            Path(name).parent.mkdir(exist_ok=True)
            if content is not ABSENT:
                Path(name).write_text(content)

    write()
    return write


READERS = {
    "100k": partial(MovieLens100KReader, "100k"),
    "1m": partial(MovieLens1MReader, "1m"),
    "latest": partial(MovieLensReader, "latest"),
    "mind": partial(MindReader, "mind"),
    "toy": partial(RecBoleReader, "toy"),
    "seq": partial(RecBoleSequenceReader, "seq"),
    "ratings": partial(AmazonRatingsReader, "r.csv", "m.jsonl"),
    "reviews": partial(Amazon2018Reader, "r.json", "m.json"),
}
DAY = {"tags_before": "2015-01-01"}
OPTIONS = [
    ("100k", {"fold": "1"}, {"fold": "u1"}, "MovieLens100KReader.fold to u1"),
    ("100k", {"fold": "1"}, {}, "or leave it out"),
    ("latest", {"tags_before": "soon"}, DAY, "MovieLensReader.tags_before to a day such as 2015-"),
    ("latest", {"tags_before": "soon"}, {}, "leave it out"),
    ("latest", DAY | {"tags": False}, {"tags": False}, "leave it out"),
    ("latest", DAY | {"tags": False}, DAY | {"tags": True}, "set MovieLensReader.tags to true"),
    ("seq", {"parts": "all"}, {"parts": "files"}, "to files where there is NAME.train.inter"),
]


@pytest.mark.parametrize(("name", "broken", "mended", "says"), OPTIONS)
def test_options(write, name, broken, mended, says):
    reader = READERS[name]
    follow(lambda: reader(**broken), lambda: reader(**mended).read(), says=says)


@pytest.mark.parametrize("given", ["100", "100k.zip", "above"])
def test_the_folder_of_an_archive(write, given):
    Path("100k.zip").touch()
    Path("above").mkdir()
    shutil.copytree("100k", "above/ml-100k")
    says = {"100": "check the path, or download https://files.grouplens.org/datasets/movielens/"}
    says["100k.zip"] = "unpack it, and set MovieLens100KReader.folder to the folder that it makes"
    says["above"] = "check the path; near it there is above/ml-100k/u.data"
    follow(MovieLens100KReader(given).read, MovieLens100KReader("100k").read, says=says[given])
    if given == "above":
        MovieLens100KReader("above/ml-100k").read()


AGAIN, LINE = "unpack the archive again", "correct or remove these lines"
TIME = "\t11/15/2019 8:55:22 AM\t"
CONTENT = [
    ("100k", {"100k/u.data": ""}, {}, AGAIN),
    ("100k", {"100k/u.data": ""}, {}, AGAIN),
    ("1m", {"1m/users.dat": ""}, {}, AGAIN),
    ("1m", {"1m/ratings.dat": "1::50::5\n"}, {}, AGAIN),
    ("latest", {"latest/movies.csv": "id,title,genres\n50,Heat,Crime\n"}, {}, AGAIN),
    ("latest", {"latest/tags.csv": "movieId,tag,timestamp\n50,heist,soon\n"}, {}, AGAIN),
    ("mind", {"mind/behaviors.tsv": ""}, {}, AGAIN),
    ("mind", {"mind/behaviors.tsv": "1\tU\tsoon\t\tN1-1\n"}, {}, LINE),
    ("mind", {"mind/behaviors.tsv": f"1\tU{TIME}\t\n"}, {}, LINE),
    ("mind", {"mind/behaviors.tsv": f"1\tU{TIME}\tN1-1\n" * 2}, {}, f"{LINE}, or {AGAIN}"),
    ("mind", {"mind/behaviors.tsv": f"1\tU{TIME}\tN1-1 N2\n"}, {}, LINE),
    ("reviews", {"m.json": '{"asin": "B"}\n{"title": "T"}\n'}, {}, LINE),
    ("reviews", {"m.json": '{"asin": "C"}\n'}, {}, "name the metadata of the reviews' category"),
    ("toy", {"toy/toy.inter": "user\titem\nu\ta\n"}, {}, "correct the header"),
    ("toy", {"toy/toy.inter": f"{TOKENS}\titem_id:float\nu\ta\t1\n"}, {}, "rename one of them"),
    ("seq", {"seq/seq.test.inter": f"{LISTS}\nu\tc\ta\n"}, {}, "as beginnings of one sequence"),
    (
        "seq",
        {"seq/seq.test.inter": f"{LISTS}\nu\tc\ta\n"},
        {"seq/seq.test.inter": f"{LISTS}\nw\tc\ta\n"},
        "give it its own user_id",
    ),
    (
        "seq",
        {"seq/seq.item2index": "x\t9\n"},
        {"seq/seq.item2index": "a\ta\nb\tb\nc\tc\n"},
        "take files of one run of a program",
    ),
    ("seq", {"seq/seq.item2index": "x\t9\n"}, {}, "or remove that file where ids are no numbers"),
]


@pytest.mark.parametrize(("name", "broken", "mended", "says"), CONTENT)
def test_content(write, name, broken, mended, says):
    """Where nothing else is written, the file is as the archive has it."""
    write(broken)
    follow(READERS[name]().read, lambda: write(mended) or READERS[name]().read(), says=says)


@pytest.mark.parametrize("plots", ["{", '[{"movielens_id": "50"}, {"movielens_id": "50"}]'])
@pytest.mark.parametrize("mended", ["plots.json", None])
def test_plots(write, plots, mended):
    write({"plots.json": plots})
    says = "correct the file" if plots == "{" else "keep one object for each film"
    broken = READERS["100k"](plots="plots.json")
    assert refused(broken.read)[0].remedy.endswith(", or leave MovieLens100KReader.plots out")
    follow(broken.read, lambda: write() or READERS["100k"](plots=mended).read(), says=says)


def test_a_folder_of_news_without_clicks(write):
    """As the test folder of the large archive: no line of it is to be corrected."""
    write({"dev/behaviors.tsv": f"1\tU{TIME}\tN1\n"})
    broken, mended = (READERS["mind"](**{part: "dev"}) for part in ("validation", "test"))
    follow(broken.read, mended.read, says="this one can only be MindReader.test")
    follow(broken.read, READERS["mind"]().read, says="name another folder")


def test_other_tables(write):
    """Readers of archives name TableReader for others."""
    columns = {"user_id": "user", "item_id": "item"}
    write({"i.csv": "item_id,title\na,A\n", "latest/ratings.csv": "user,item\nu,a\n"})
    mended = TableReader("latest/ratings.csv", "i.csv", behavior_columns=columns).read
    follow(READERS["latest"]().read, mended, says="or read other tables with TableReader")
    write({"toy/toy.inter": "user\titem\nu\ta\n", "items.dat": "item_id\ttitle\na\tA\n"})
    mended = TableReader("toy/toy.inter", "items.dat", behavior_columns=columns, delimiter="\t")
    says = "or read other tables with TableReader and a delimiter"
    follow(READERS["toy"]().read, mended.read, says=says)


@pytest.mark.parametrize(
    ("broken", "mended", "says"),
    [
        ("2013", "2023", "set AmazonRatingsReader.archive to 2023 where the file has a header"),
        ("2013", "2018", "else to 2018"),
        ("2013", "2014", "or to 2014 where users stand before items"),
        (
            "2023",
            "2018",
            "set AmazonRatingsReader.archive to 2018 or 2014 for one without a header",
        ),
        (
            "2023",
            "2014",
            "set AmazonRatingsReader.archive to 2018 or 2014 for one without a header",
        ),
    ],
)
def test_ratings_of_another_archive(write, broken, mended, says):
    rows = {"2018": "B,A,5,1000\nB,C,1,1000\n", "2014": "A,B,5,1000\nC,B,1,1000\n"}
    if mended in rows:
        write({"r.csv": rows[mended], "m.jsonl": FILES["m.json"]})
    reader = READERS["ratings"]
    follow(lambda: reader(archive=broken).read(), reader(archive=mended).read, says=says)


def test_another_file_of_ratings(write):
    write({"r.csv": "user,item\nu,a\n"})
    says = "name a ratings file of the 2023 archive"
    follow(READERS["ratings"]().read, lambda: write() or READERS["ratings"]().read(), says=says)


def test_the_name_of_a_data_set(write):
    for reader, folder in ((RecBoleReader, "toy"), (RecBoleSequenceReader, "seq")):
        broken = reader(folder, name="toi").read
        option, name = re.search(
            rf"{reader.__name__}\.(\w+) to (\w+)$", refused(broken)[0].remedy
        ).groups()
        follow(broken, reader(folder, **{option: name}).read, says="name to")
    mended = RecBoleSequenceReader("seq").read
    follow(RecBoleReader("seq").read, mended, says="read sequences with RecBoleSequenceReader")


@pytest.mark.parametrize(
    ("there", "says"),
    [("seq.test.inter", "parts to lists"), ("seq.inter", "parts to none; with LeaveLastOutSplit")],
)
def test_no_train_file(write, there, says):
    absent = {"seq/seq.train.inter": ABSENT, "seq/seq.test.inter": ABSENT}
    write(absent | {f"seq/{there}": f"{LISTS}\nu\ta b\tc\n"})
    broken = READERS["seq"]().read
    option, value = re.search(r"Reader\.(\w+) to (\w+)", refused(broken)[0].remedy).groups()
    tables = follow(broken, READERS["seq"](**{option: value}).read, says=says)
    if value == "none":
        assert "test" in LeaveLastOutSplit().assign(tables.behaviors, ordered=True).to_list()


def test_an_empty_sequence(write):
    absent = {"seq/seq.train.inter": ABSENT, "seq/seq.test.inter": ABSENT}
    head = "user_id:token\titem_id_list:token_seq\n"
    broken, mended = ({"seq/seq.inter": f"{head}u\ta b\n{more}"} for more in ("v\t\n", ""))
    write(absent | broken)
    read = READERS["seq"](parts="none").read
    follow(read, lambda: write(absent | mended) or read(), says="remove these lines")


@pytest.mark.parametrize("way", ["remove", "tables"])
def test_users_of_the_test_part_alone(write, way):
    valid = {"seq/seq.valid.inter": f"{LISTS}\nu\ta b\tc\n"}
    test = {"seq/seq.test.inter": f"{LISTS}\nu\ta b c\ta\nv\ta b\tc\n"}
    write(valid | test)
    broken = READERS["seq"]().read

    def mended():
        if way == "remove":
            write(valid | {"seq/seq.test.inter": f"{LISTS}\nu\ta b c\ta\n"})
            return broken()
        columns = {"user_id": "user_id:token", "item_id": "item_id:token"}
        columns["history"] = "item_id_list:token_seq"
        files = (f"seq/seq.{part}.inter" for part in ("train", "valid", "test"))
        train, validation, test = files
        tables = TableReader(
            train,
            "seq/seq.item",
            validation_behaviors=validation,
            test_behaviors=test,
            behavior_columns=columns,
            item_columns={"item_id": "item_id:token"},
            delimiter="\t",
        ).read()
        return clean(tables)

    says = (
        "remove these users, or read the files with TableReader, with delimiter '\\t' and columns"
    )
    follow(broken, mended, says=says)


test_each_remedy_was_followed = each_remedy_of(
    *(f"data/readers/{name}.py" for name in ("amazon", "amazon_items", "amazon_ratings", "mind")),
    *(f"data/readers/movielens{name}.py" for name in ("", "_1m", "_archive", "_csv")),
    *(f"data/readers/{name}.py" for name in ("recbole", "recbole_sequences", "sequence_rows")),
)
