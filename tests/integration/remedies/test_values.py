"""Remedies of wrong values in tables; see ``followed``."""

import re
from functools import partial

import polars as pl
import pytest

from lit_rec.data.readers.amazon_ratings import AmazonRatingsReader
from lit_rec.data.readers.frames import FrameReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.readers.recbole import RecBoleReader
from lit_rec.data.tables.cleaning import clean

from .followed import each_remedy_of, follow, refused

HEADER = "user_id,item_id,rating,timestamp\n"
ROWS = f"{HEADER}u,a,5,1\nu,b,3,2\nv,a,1,3\n"
ITEMS = "item_id,title\na,A film\nb,B film\n"


@pytest.fixture
def read(tmp_path):
    def read(behaviors=ROWS, items=ITEMS, ending="csv", **options):
        files = tmp_path / f"b.{ending}", tmp_path / f"i.{ending}"
        for file, content in zip(files, (behaviors, items), strict=True):
            file.write_text(content)
        return TableReader(*map(str, files), **options).read()

    return read


BAD = {"no user": ",a,5,4\n", "no number": "u,a,good,4\n", "no time": "u,a,5,soon\n"}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("mended", ["u,a,5,4\n", "", "drop"])
def test_invalid_rows(read, name, mended):
    drop = mended == "drop"
    follow(
        lambda: read(ROWS + BAD[name]),
        lambda: read(ROWS + BAD[name], invalid_rows="drop") if drop else read(f"{ROWS}{mended}"),
        says="correct or remove these lines, or set TableReader.invalid_rows to drop",
    )


def test_more_than_half_are_invalid(read):
    """Then no error says that they could be left out."""
    rows = HEADER + "".join(BAD.values())
    for options in ({}, {"invalid_rows": "drop"}):
        broken = partial(read, rows, **options)
        assert "invalid_rows to drop" not in refused(broken)[0].remedy
        follow(broken, read, says="correct or remove these lines")


@pytest.mark.parametrize("mended", ["a,A film\nb,B film\n", "a,A film\nb,B film\nc,C\n", "drop"])
def test_repeated_items(read, mended):
    items = f"{ITEMS}a,again\n"
    follow(
        lambda: read(items=items),
        lambda: (
            read(items=items, invalid_rows="drop")
            if mended == "drop"
            else read(items=f"item_id,title\n{mended}")
        ),
        says="correct or remove these lines, or set TableReader.invalid_rows to drop",
    )


def test_decimal_commas(read):
    rows = 'user_id,item_id,rating\nu,a,"3,5"\nu,b,4\nu,,4\nv,a,2\n'
    broken = partial(read, rows)
    option, value = re.match(r"set TableReader\.(\w+) to '(.)'", refused(broken)[0].remedy).groups()
    mended = partial(read, rows.replace("u,,4\n", ""), **{option: value})
    tables = follow(broken, mended, says="; correct or remove the other lines, or set TableReader")
    assert tables.behaviors["rating"].to_list() == [3.5, 4, 2]


def test_decimal_commas_of_a_frame():
    frame = pl.DataFrame({"user_id": ["u"], "item_id": ["a"], "rating": ["3,5"]})
    items = pl.DataFrame({"item_id": ["a"]})
    points = frame.with_columns(pl.col("rating").str.replace(",", "."))
    follow(
        lambda: FrameReader(frame, items).read(),
        lambda: FrameReader(points, items).read(),
        says="write numbers with a decimal point",
    )


@pytest.mark.parametrize(
    ("dates", "given", "says"),
    [
        (["31/12/2019", "01/02/2020"], {}, "day_first to true: the day is first"),
        (["31/12/2019", "01/02/2020"], {"day_first": False}, "to true: the day is first"),
        (["12/31/2019", "01/02/2020"], {}, "day_first to false: the month is first"),
        (["01/02/2020", "03/02/2020"], {}, "day_first to true where the day is first"),
    ],
)
def test_dates_with_the_year_last(read, dates, given, says):
    rows = HEADER + "".join(f"u,a,5,{date}\n" for date in dates)
    broken = partial(read, rows, **given)
    option, value = re.match(r"set TableReader\.(\w+) to (\w+)", refused(broken)[0].remedy).groups()
    follow(broken, lambda: read(rows, **{option: value == "true"}), says=says)


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        (["31/12/2019", "12/31/2019"], "write all dates in one order, such as 2019-12-31"),
        (["31/12/2019", "31/02/2019"], "correct or remove these lines"),
    ],
)
def test_dates_that_no_option_reads(read, dates, says):
    rows = HEADER + "".join(f"u,a,5,{date}\n" for date in dates)
    mended = partial(read, f"{HEADER}u,a,5,2019-12-31\nu,a,5,2019-02-28\n")
    follow(lambda: read(rows, day_first=True), mended, says=says)


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        (["31.12.2019", "01.02.2020"], "str.to_datetime('%d.%m.%Y')"),
        (["1/31/20 10:00", "1/2/20 11:30"], "str.to_datetime('%m/%d/%y %H:%M')"),
        (["01/02/2020"], "('%d/%m/%Y'))` where the day is first, '%m/%d/%Y' where"),
    ],
)
def test_dates_of_a_frame(dates, says):
    frame = pl.DataFrame({"user_id": "u", "item_id": "a", "timestamp": dates})
    items = pl.DataFrame({"item_id": ["a"]})
    broken = FrameReader(frame, items).read
    code = refused(broken)[0].remedy.split("`")[1]
    mended = FrameReader(eval(code, {"frame": frame, "pl": pl}), items).read
    follow(broken, mended, says=says)


def test_dates_that_no_format_reads():
    frame = pl.DataFrame({"user_id": "u", "item_id": "a", "timestamp": ["31.12.2019", "2020-1-1"]})
    items = pl.DataFrame({"item_id": ["a"]})
    right = frame.with_columns(timestamp=pl.Series(["2019-12-31", "2020-01-01"]))
    follow(
        lambda: FrameReader(frame, items).read(),
        lambda: FrameReader(right, items).read(),
        says="write 2019-12-31 for 31/12/2019",
    )


def test_dates_of_a_reader_without_an_option(tmp_path):
    def read(date):
        rows = f"user_id:token\titem_id:token\ttimestamp:float\nu\ta\t{date}\n"
        (tmp_path / "toy.inter").write_text(rows)
        (tmp_path / "toy.item").write_text("item_id:token\ttitle:token_seq\na\tA\n")
        return RecBoleReader(str(tmp_path), "toy").read()

    says = "write 2019-12-31 for 31/12/2019"
    follow(lambda: read("31/12/2019"), lambda: read("2019-12-31"), says=says)


LISTS, TEXTS = "write the ids of a row as a list", "or as a text with spaces between them"


@pytest.mark.parametrize(
    ("column", "values", "right", "says"),
    [
        ("user_id", [[7], [8]], ["7", "8"], "one text or whole number in each row"),
        ("user_id", [True, False], ["x", "y"], "one text or whole number in each row"),
        ("item_id", [2.0**60] * 2, [1, 1], "one text or whole number in each row"),
        ("rating", [[4], [5]], [4, 5], "one number in each row"),
        ("timestamp", [[1], [2]], ["2020-01-01", "3"], "one number, date or ISO text in each"),
        ("event", [["x"], ["y"]], ["x", "y"], "one text or number in each row"),
        ("history", [{"a": 1}, None], [["1"], None], LISTS),
        ("history", [{"a": 1}, None], ["1 1", None], TEXTS),
    ],
)
@pytest.mark.parametrize("way", ["write", "name"])
def test_a_column_of_the_wrong_kind(tmp_path, column, values, right, says, way):
    """Written as the rule says, or another column in its place."""
    frame = pl.DataFrame({"user_id": ["u", "v"], "item_id": ["1", "1"], "other": right})
    wrong = frame.with_columns(pl.Series(column, values))
    (tmp_path / "i.csv").write_text("item_id,title\n1,One\n")

    def read(frame, **columns):
        frame.write_parquet(tmp_path / "b.parquet")
        files = (f"{tmp_path}/b.parquet", f"{tmp_path}/i.csv")
        return TableReader(*files, behavior_columns=columns).read()

    mended = {
        "write": partial(read, frame.with_columns(pl.Series(column, right))),
        "name": partial(read, wrong, **{column: "other"}),
    }
    assert f"name another column {column}" in refused(partial(read, wrong))[0].remedy
    follow(partial(read, wrong), mended[way], says=says)


def test_a_column_of_an_archive(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"parent_asin": "B"}\n')

    def ratings(header):
        (tmp_path / "r.csv").write_text(f"{header}\nu,B,5,1000\n")
        return AmazonRatingsReader(f"{tmp_path}/r.csv", f"{tmp_path}/m.jsonl").read()

    follow(
        lambda: ratings("user_id,asin,rating,timestamp"),
        lambda: ratings("user_id,parent_asin,rating,timestamp"),
        says="name a ratings file of the 2023 archive",
    )
    (tmp_path / "m.jsonl").write_text('{"parent_asin": "B"}\n{"title": "T"}\n')
    header = "user_id,parent_asin,rating,timestamp"
    follow(
        lambda: ratings(header),
        lambda: (tmp_path / "m.jsonl").write_text('{"parent_asin": "B"}\n') and ratings(header),
        says="correct or remove these lines",
    )


def cleaned(tables, **options):
    return clean(tables, **options)[0]


@pytest.mark.parametrize("mended", ["add", "drop"])
@pytest.mark.parametrize("history", ["", "a x"])
def test_an_unknown_item(read, mended, history):
    rows = f"user_id,item_id,history\nu,a,\nu,{'a' if history else 'x'},{history}\n"
    items = f"{ITEMS}x,X\n" if mended == "add" else ITEMS
    options = {"unknown_items": "drop"} if mended == "drop" else {}
    follow(
        lambda: cleaned(read(rows)),
        lambda: cleaned(read(rows, items), **options),
        says="add the item, or set BehaviorDataModule.unknown_items to drop",
    )


@pytest.mark.parametrize("options", [{}, {"unknown_items": "drop"}])
def test_all_items_are_unknown(read, options):
    """To leave all behaviors out would lead to another error."""
    follow(
        lambda: cleaned(read("user_id,item_id\nu,X1\nv,X2\n"), **options),
        lambda: cleaned(read("user_id,item_id\nu,a\nv,b\n"), **options),
        says="use the same item ids in both tables",
    )


def test_spaces_around_ids(read, tmp_path):
    rows = "user_id,item_id\nu, a\nu,b\n"
    broken = partial(cleaned, read(rows))
    option, value = re.match(r"set TableReader\.(\w+) to (\w+)", refused(broken)[0].remedy).groups()
    mended = partial(cleaned, read(rows, **{option: value == "true"}))
    follow(broken, mended, says="which removes spaces around ids, or add the item")
    frame, items = (
        pl.DataFrame({"user_id": ["u"], "item_id": [" a"]}),
        pl.DataFrame({"item_id": ["a"]}),
    )
    broken = partial(cleaned, FrameReader(frame, items).read())
    code = refused(broken)[0].remedy.split("`")[1]
    mended = partial(cleaned, FrameReader(eval(code, {"frame": frame, "pl": pl}), items).read())
    follow(broken, mended, says="remove spaces: `frame.with_columns")

    def recbole(item):
        (tmp_path / "toy.inter").write_text(f"user_id:token\titem_id:token\nu\t{item}\n")
        (tmp_path / "toy.item").write_text("item_id:token\ttitle:token\na\tA\n")
        return cleaned(RecBoleReader(str(tmp_path), "toy").read())

    follow(lambda: recbole(" a"), lambda: recbole("a"), says="remove the spaces around ids in the")


def test_no_behavior():
    items = pl.DataFrame({"item_id": ["a"]})
    one = pl.DataFrame({"user_id": ["u"], "item_id": ["a"]})
    follow(
        lambda: cleaned(FrameReader(one[:0], items).read()),
        lambda: cleaned(FrameReader(one, items).read()),
        says="give at least one behavior",
    )


test_each_remedy_was_followed = each_remedy_of(
    *(f"data/tables/{name}.py" for name in ("checks", "problems", "cleaning"))
)
