"""Remedies of the readers of own tables, texts and frames, and of names of columns; see ``followed``."""

import re
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from lit_rec.data.readers.amazon_ratings import AmazonRatingsReader
from lit_rec.data.readers.frames import FrameReader
from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.readers.mind import MindReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.errors import DataError

from .followed import each_remedy_of, follow, refused

FILES = {
    "b.csv": "user_id,item_id,rating,title\nu,a,5,x\nv,a,1,y\n",
    "more.csv": "user_id,item_id,rating\nu,a,4\n",
    "i.csv": "item_id,title\na,A film\nb,B film\n",
    "texts.csv": "text,kind\nred,warm\nblue,cold\n",
    "tests.csv": "text,kind\nred blue,cold\n",
    "split.csv": "text,kind,part\nred,warm,train\nblue,cold,test\n",
    "digits.csv": "text,kind\nred,1\nblue,2\n",
    "x.dat": "warm,red\ncold,blue\n",
    "x.jsonl": '{"kind": "warm", "text": "red"}\n',
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write right files into the working folder; return what writes others."""
    monkeypatch.chdir(tmp_path)

    def write(others=()):
        for name, content in (FILES | dict(others)).items():
            Path(name).write_text(content)

    write()
    return write


def own(**options):
    return TableReader("b.csv", "i.csv", **options).read()


def texts(file="texts.csv", columns=(("label", "kind"),), **options):
    return LabelledTextReader(file, dict(columns), **options).read()


TABBED = {name: FILES[name].replace(",", "\t") for name in ("b.csv", "i.csv")}
ENTRY, MISSING = "behavior_columns", "missing_values"
OWN = [
    ({"test_behaviors": "./b.csv"}, {}, "or leave TableReader.test_behaviors out"),
    ({"test_behaviors": "./b.csv"}, {"test_behaviors": "more.csv"}, "name another one"),
    ({"delimiter": "tab"}, {"delimiter": "\\t"}, "set TableReader.delimiter to '\\t'"),
    ({"delimiter": "comma"}, {"delimiter": ","}, "set TableReader.delimiter to ','"),
    ({"delimiter": ""}, {}, "leave TableReader.delimiter out"),
    ({ENTRY: {"txt": "title"}}, {ENTRY: {"text": "title"}}, "did you mean 'text'?"),
    ({ENTRY: {"rating": "event"}}, {ENTRY: {"event": "rating"}}, "write the entry the other way"),
    ({ENTRY: {"shop": "store"}}, {}, "leave the entry out: other columns are not read"),
    ({MISSING: {"ratng": [0]}}, {MISSING: {"rating": [0]}}, "did you mean 'rating'?"),
    ({MISSING: {"q": [0]}}, {MISSING: {"title": [0]}}, "name one of these columns"),
    (
        {ENTRY: {"event": "rating"}, MISSING: {"rating": [0]}},
        {ENTRY: {"event": "rating"}, MISSING: {"event": [0]}},
        "write event for it",
    ),
]


@pytest.mark.parametrize(("broken", "mended", "says"), OWN)
def test_options_of_tables(write, broken, mended, says):
    if mended.get("delimiter") == "\\t":  # as a shell passes it on
        write(TABBED)
    follow(lambda: own(**broken), lambda: own(**mended), says=says)


def test_a_delimiter_of_several_characters(write):
    says = "replace it in the files by a tab, and set TableReader.delimiter to '\\t'"
    broken = partial(own, delimiter="::")
    follow(broken, lambda: write(TABBED) or own(delimiter="\\t"), says=says)


def test_a_mapping_the_wrong_way_round(write):
    write({"b.csv": FILES["b.csv"].replace("rating", "stars")})
    broken = partial(own, behavior_columns={"stars": "rating"})
    name, column = refused(broken)[0].remedy.partition("round: ")[2].split(": ")
    follow(broken, partial(own, behavior_columns={name: column}), says="rating: stars")


@pytest.mark.parametrize(
    ("reader", "files"), [(MindReader, ["m"]), (AmazonRatingsReader, ["r.csv", "m.jsonl"])]
)
def test_one_place_for_two_parts(reader, files):
    """The option that may be left out is named, not the one that may not."""
    option = "test" if reader is MindReader else "test_ratings"
    broken = partial(reader, *files, **{option: files[0]})
    follow(broken, partial(reader, *files), says=f"or leave {reader.__name__}.{option} out")


PARTS, NAMES = {"test_texts": "tests.csv"}, {"label_names": "text"}
BOTH, DAT = PARTS | NAMES, {"file": "x.dat", "names": ["kind", "text"]}
SPLIT_COLUMN = {"file": "split.csv", "columns": {"label": "kind", "split": "part"}}
DIGITS = {"file": "digits.csv"}
TEXTS = [
    ({"test_texts": "./texts.csv"}, {}, "or leave LabelledTextReader.test_texts out"),
    ({"delimiter": "::"}, {"delimiter": ","}, "set LabelledTextReader.delimiter to"),
    ({"columns": {"text": "red"}}, {}, "leave the entry out: texts keep their names"),
    (NAMES, BOTH, "name validation_texts or test_texts"),
    (NAMES, NAMES | SPLIT_COLUMN, "map a column to split"),
    (NAMES, {}, "or leave label_names out"),
    (PARTS | {"label_names": "texte"}, BOTH, "did you mean 'text'?"),
    (PARTS | {"label_names": "q"}, BOTH, "name one of these: text"),
    (BOTH | {"columns": {}}, BOTH, "set LabelledTextReader.columns.label to the column of the"),
    (BOTH | {"columns": {}}, PARTS | {"columns": {}}, "or leave label_names out"),
    (BOTH | DIGITS, PARTS | DIGITS, "leave label_names out"),
    ({"names": ["kind", "kind"]}, {"names": ["text", "kind"]}, "a different name for each column"),
    ({"names": ["kind"]}, {}, "leave names out where the files have a header"),
    (DAT, DAT | {"delimiter": ","}, "or set LabelledTextReader.delimiter for a text file"),
    (DAT | {"file": "x.jsonl"}, {"file": "x.jsonl"}, "leave LabelledTextReader.names out"),
]


@pytest.mark.parametrize(("broken", "mended", "says"), TEXTS)
def test_options_of_texts(write, broken, mended, says):
    follow(lambda: texts(**broken), lambda: texts(**mended), says=says)


SPLIT = "user_id,item_id,rating,split\nu,a,5,test\n"
CLOCK = "user_id,item_id,rating,timestamp\nu,a,5,1\n"


@pytest.mark.parametrize(
    ("broken", "mended", "says"),
    [
        ({"more.csv": SPLIT}, {}, "leave the column split out"),
        ({"more.csv": SPLIT}, None, "or leave validation_behaviors and test_behaviors out"),
        ({"more.csv": CLOCK}, {"more.csv": CLOCK, "b.csv": CLOCK}, "add the column timestamp"),
        ({"more.csv": CLOCK}, {}, "or leave it out of all files"),
    ],
)
def test_files_of_parts(write, broken, mended, says):
    part = {} if mended is None else {"test_behaviors": "more.csv"}
    follow(
        lambda: write(broken) or own(test_behaviors="more.csv"),
        lambda: write(mended or {}) or own(**part),
        says=says,
    )


ROWS, ITEMS = "user_id,item_id,rating\nu,a,5\nu,b,3\nv,a,1\n", FILES["i.csv"]


@pytest.fixture
def read(write):
    def read(behaviors=ROWS, items=ITEMS, **options):
        write({"b.csv": behaviors, "i.csv": items})
        return own(**options)

    return read


@pytest.mark.parametrize(
    ("columns", "mended", "says"),
    [
        ({"user_id": "userid"}, {"user_id": "userId"}, "behavior_columns.user_id"),
        ({"user_id": "userId", "rating": "userId"}, {"user_id": "userId"}, "keep one of these"),
    ],
)
def test_a_column_that_is_not_there(read, columns, mended, says):
    rows = ROWS.replace("user_id", "userId")
    broken = partial(read, rows, behavior_columns=columns)
    if len(columns) == 1:
        assert "(did you mean 'userId'?)" in refused(broken)[0].remedy
    follow(broken, lambda: read(rows, behavior_columns=mended), says=says)


def test_a_mapping_of_items_the_wrong_way_round(read):
    items = ITEMS.replace("item_id", "sku")
    broken = partial(read, items=items, item_columns={"sku": "item_id"})
    canonical, column = refused(broken)[0].remedy.partition("round: ")[2].split(": ")
    mended = partial(read, items=items, item_columns={canonical: column})
    follow(broken, mended, says="item_id: sku")


def test_an_entry_without_a_name(read):
    broken = partial(read, item_columns={"": "titel"})
    follow(broken, lambda: read(item_columns={}), says="leave '' out of TableReader.item_columns")


def test_no_header(read):
    rows = "u1,a,5\nu2,b,4\nu1,b,3\n"
    broken = partial(read, rows)
    option, names = re.search(
        r"TableReader\.(\w+) to \[(.*?)\]", refused(broken)[0].remedy
    ).groups()
    given = {option: names.split(", ")}
    follow(broken, lambda: read(rows, **given), says="name its 3 columns", then=DataError)
    columns = {"user_id": "column_1", "item_id": "column_2"}
    read(rows, behavior_columns=columns, **given)
    # numbers above numbers may be names of columns all the same
    columns = {"user_id": "u1", "item_id": "a"}
    mended = partial(read, rows, behavior_columns=columns)
    follow(broken, mended, says="if the first line is a header, set TableReader.behavior_columns")


@pytest.mark.parametrize("mended", [["user_id", "item_id", "rating"], ["user_id", "item_id"]])
def test_too_few_names(read, mended):
    rows = "u,a,5\nv,b,1\n"
    other = rows if len(mended) == 3 else "u,a\nv,b\n"
    follow(
        lambda: read(rows, behavior_names=["user_id", "item_id"]),
        lambda: read(other, behavior_names=mended),
        says="give 3 names in TableReader.behavior_names, or name a file with 2 columns",
    )


CLOCKS = "user_id,item_id,rating,timestamp\n"
TIMES = f"{CLOCKS}u,a,5,1500000000000\nu,b,3,1600000000000\n"


def test_dates_where_numbers_of_a_unit_are_expected(read):
    rows = f"{CLOCKS}u,a,5,2019-12-31\nu,b,3,2020-01-01\n"
    broken = partial(read, rows, time_unit="ms")
    follow(broken, partial(read, rows), says="leave TableReader.time_unit out")
    both = partial(read, f"{TIMES}v,a,1,2020-01-01\n", time_unit="ms")
    mended = partial(read, f"{TIMES}v,a,1,1577836800000\n", time_unit="ms")
    follow(both, mended, says="write numbers or dates in all rows")
    # what is neither is named as such, not as a date
    soon = partial(read, f"{TIMES}v,a,1,soon\n", time_unit="ms")
    follow(soon, partial(read, TIMES, time_unit="ms"), says="correct or remove these lines")


@pytest.mark.parametrize("mended", [[2], "no column"])
def test_all_times_are_unknown(read, mended):
    rows = f"{CLOCKS}u,a,5,1\nu,b,3,2\n"
    other = rows.replace("timestamp", "when") if mended == "no column" else rows
    given = [1, 2] if mended == "no column" else mended
    follow(
        partial(read, rows, unknown_times=[1, 2]),
        partial(read, other, unknown_times=given),
        says="leave numbers that are times out of TableReader.unknown_times, or name no column",
    )


BEHAVIORS = pl.DataFrame({"user_id": ["u"], "item_id": ["a"]})
CATALOGUE = pl.DataFrame({"item_id": ["a"], "title": ["Heat"]})


class Pandas:
    """A frame of pandas, as far as the remedy uses it."""

    def to_dict(self, orient):
        assert orient == "list"
        return {"item_id": ["a"]}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (CATALOGUE.lazy(), "frame.collect()"),
        (CATALOGUE.to_dict(as_series=False), "polars.DataFrame(frame)"),
        (CATALOGUE.to_dicts(), "polars.DataFrame(frame)"),
        ("i.csv", "polars.read_csv(frame)"),
        (Pandas(), "polars.DataFrame(frame.to_dict('list'))"),
        (CATALOGUE.rename({"item_id": "item id"}), "frame.rename({'item id': 'item_id'})"),
        (CATALOGUE.rename({"item_id": "x"}), "frame.rename({'YOURS': 'item_id'})"),
        (CATALOGUE.with_columns(o=pl.Series([object()], dtype=pl.Object)), "frame.drop(['o'])"),
        (CATALOGUE.with_columns(o=pl.Series([{}])), "frame.drop(['o'])"),
    ],
)
def test_frames(write, given, says):
    """The code that the remedy shows is run."""

    def mended():
        names = {"frame": given, "polars": pl}
        return FrameReader(BEHAVIORS, eval(says.replace("YOURS", "x"), names)).read()

    follow(lambda: FrameReader(BEHAVIORS, given).read(), mended, says=says)


def test_files_in_place_of_frames(write):
    follow(lambda: FrameReader("b.csv", CATALOGUE), own, says="read files with TableReader")


@pytest.mark.parametrize("mend", [lambda f: f.drop("when"), lambda f: f[:0].vstack(f[1:])])
def test_dates_that_no_calendar_has(mend):
    when = pl.Series("when", [2_000_000_000, 0], pl.Int32).cast(pl.Date)
    frame = pl.concat([CATALOGUE, CATALOGUE.with_columns(item_id=pl.lit("b"))]).with_columns(when)
    follow(
        lambda: FrameReader(BEHAVIORS, frame).read(),
        lambda: FrameReader(BEHAVIORS, mend(frame)).read(),
        says="leave the column or these rows out",
    )


test_each_remedy_was_followed = each_remedy_of(
    *("data/tables/cells.py", "data/tables/headers.py"),
    *(f"data/readers/{name}.py" for name in ("reader", "plain", "frames", "labelled_texts")),
)
