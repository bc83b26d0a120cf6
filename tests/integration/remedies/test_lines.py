"""Remedies of files whose lines cannot be read; see ``followed``."""

import gzip
import json
import re
import subprocess
from functools import partial
from pathlib import Path

import pytest

from lit_rec.data.readers.amazon import Amazon2018Reader, Amazon2023Reader
from lit_rec.data.readers.mind import MindReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.tables.json.lines import read_json_lines
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import read_table

from .followed import each_remedy_of, follow, refused

ROWS = "user_id,item_id,rating\nu,a,5\nu,b,3\nv,a,1\n"
ITEMS = "item_id,title\na,A film\nb,B film\n"


@pytest.fixture
def read(tmp_path):
    def read(behaviors=ROWS, items=ITEMS, ending="csv", **options):
        files = tmp_path / f"b.{ending}", tmp_path / f"i.{ending}"
        for file, content in zip(files, (behaviors, items), strict=True):
            file.write_text(content)
        return TableReader(*map(str, files), **options).read()

    return read


@pytest.mark.parametrize(
    ("content", "command"),
    [
        ('[\n{"item_id": "a"},\n{"item_id": "b"}]', "jq -c '.[]' "),
        ('{\n"item_id": "a"\n}\n{\n"item_id": "b"\n}', "jq -c . "),
    ],
)
@pytest.mark.parametrize("name", ["my items.json", "i.json.gz"])
def test_json_that_is_not_in_lines(tmp_path, content, command, name):
    file = tmp_path / name
    file.write_bytes(gzip.compress(content.encode()) if name[-2:] == "gz" else content.encode())
    broken = partial(read_table, file, option="o")
    shown = refused(broken)[0].remedy.split("`")[1]

    def mended():
        subprocess.run(shown, shell=True, check=True)
        return read_table(Path(re.split("> '?", shown)[1].rstrip("'")), option="o")

    assert len(follow(broken, mended, says=command.strip())) == 2


LINE = '{"user_id": "u", "item_id": "a"}\n'


@pytest.mark.parametrize("line", ["{oh\n", '{"user_id": "u", "user_id": "v", "item_id": "a"}\n'])
@pytest.mark.parametrize("mended", [LINE, "", "drop"])
def test_a_line_that_is_no_object(read, line, mended):
    items = '{"item_id": "a"}\n'
    drop = {"invalid_rows": "drop"} if mended == "drop" else {}
    follow(
        lambda: read(LINE + line, items, "jsonl"),
        lambda: read(LINE + (line if drop else mended), items, "jsonl", **drop),
        says="or set TableReader.invalid_rows to drop to leave such lines out",
    )


def lines(text, tmp_path, **options):
    (tmp_path / "t.jsonl").write_text(text)
    return read_json_lines(Source.table(tmp_path / "t.jsonl", "o"), **options)


@pytest.mark.parametrize(
    ("broken", "mended", "says"),
    [
        ('{"a": 1, "a": 2}', '{"a": 2}', "keep one of them"),
        ("oh", '{"column": 1}', "correct or remove the line"),
        ('{"a": ["x"]}\n{"a": "y"}', '{"a": ["x"]}\n{"a": ["y"]}', "write a list for it in every"),
        ('{"a": ["x"]}\n{"a": "y"}', '{"a": "x"}\n{"a": "y"}', "or one kind of another"),
        ('{"a": ["x", [1]]}', '{"a": ["x", "1"]}', "entries of one kind into all of these lists"),
        ('{"a\\ud83d": 1}', '{"a": 1}', "rename the key"),
    ],
)
def test_lines_of_json(tmp_path, broken, mended, says):
    follow(lambda: lines(broken, tmp_path), lambda: lines(mended, tmp_path), says=says)


def test_keys_that_differ_from_object_to_object(tmp_path):
    broken = "\n".join(f'{{"k{number}": {number}}}' for number in range(9000))
    mended = "\n".join(f'{{"key": "k{number}", "value": {number}}}' for number in range(9000))
    follow(
        lambda: lines(broken, tmp_path),
        lambda: lines(mended, tmp_path),
        says="write keys that differ from object to object as values",
    )


@pytest.mark.parametrize("mended", ['{"id": "b"}', ""])
def test_half_a_character_in_an_id(tmp_path, mended):
    follow(
        lambda: lines('{"id": "a"}\n{"id": "\\ud83d"}', tmp_path, ids=["id"]),
        lambda: lines(f'{{"id": "a"}}\n{mended}', tmp_path, ids=["id"]),
        says="write the id again, or leave the line out",
    )


OLD = {"reviewerID": "A", "asin": "B", "overall": 5.0, "unixReviewTime": 1}
NEW = {"user_id": "A", "parent_asin": "B", "asin": "B", "rating": 5.0, "timestamp": 1}


def amazon(tmp_path, reviews, meta, reader=Amazon2018Reader, **options):
    for name, content in (("r", reviews), ("m", meta)):
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / f"{name}.json").write_text(f"{text}\n")
    return reader(f"{tmp_path}/r.json", f"{tmp_path}/m.json", **options).read()


@pytest.mark.parametrize("mended", ["again", "drop"])
def test_broken_lines_of_an_archive(tmp_path, mended):
    cut = json.dumps(OLD) + '\n{"revi'
    broken = partial(amazon, tmp_path, cut, {"asin": "B"})
    option, value = re.search(
        r"Amazon2018Reader\.(\w+) to (\w+)", refused(broken)[0].remedy
    ).groups()
    options = {option: value} if mended == "drop" else {}
    reviews = cut if mended == "drop" else OLD
    mend = partial(amazon, tmp_path, reviews, {"asin": "B"}, **options)
    follow(broken, mend, says="download the file again, or set Amazon2018Reader.broken_lines")


@pytest.mark.parametrize("broken", ["a,b\n1,2", "\n\n", '{"title": "T"}'])
def test_a_file_that_is_no_archive(tmp_path, broken):
    options = {"broken_lines": "drop"}
    follow(
        lambda: amazon(tmp_path, broken, {"asin": "B"}, **options),
        lambda: amazon(tmp_path, OLD, {"asin": "B"}, **options),
        says="name another file",
    )


def test_an_archive_of_another_year(tmp_path):
    old, new = (OLD, {"asin": "B"}), (NEW, {"parent_asin": "B"})
    for files, wrong, right in (
        (old, Amazon2023Reader, Amazon2018Reader),
        (new, Amazon2018Reader, Amazon2023Reader),
    ):
        follow(
            lambda: amazon(tmp_path, *files, wrong),  # noqa: B023
            lambda: amazon(tmp_path, *files, right),  # noqa: B023
            says=f"read it with {right.__name__}",
        )


@pytest.mark.parametrize("way", ["option", "file"])
@pytest.mark.parametrize("sign", [";", " "])
def test_another_delimiter(read, way, sign):
    rows = "user_id,item_id\n1,7\n2,7\n".replace(",", sign)
    items = f"item_id{sign}title\n7{sign}Heat\n"
    broken = partial(read, rows, items)
    shown = re.search(r"TableReader.delimiter to '(.)'", refused(broken)[0].remedy)[1]
    mended = partial(read, rows, items, delimiter=shown) if way == "option" else read
    follow(broken, mended, says="write ',' between its columns, or set TableReader.delimiter to")


@pytest.mark.parametrize("way", ["option", "file", "column"])
def test_a_delimiter_that_is_not_seen(read, way):
    rows, items = ROWS.replace(",", "^"), ITEMS.replace(",", "^")
    broken = partial(read, "user_id^item_id\n1^2\n", items)
    mended = partial(read, rows, items, delimiter="^") if way == "option" else read
    if way == "column":
        broken = partial(read, items="item_id\n1\n2\n")
        mended = partial(read, items="item_id,n\n1,\n2,\n")
    says = "between its columns, or set TableReader.delimiter to what is there if all text files"
    assert "; add a column where there is only one" in refused(broken)[0].remedy
    follow(broken, mended, says=says)


def test_another_delimiter_where_no_option_sets_it(tmp_path):
    (tmp_path / "i.csv").write_text(ITEMS.replace(",", "|"))
    broken = partial(read_table, tmp_path / "i.csv", option="o")
    assert refused(broken)[0].remedy == "write ',' between its columns"
    follow(broken, lambda: (tmp_path / "i.csv").write_text(ITEMS) and broken(), says="write ','")


@pytest.mark.parametrize(
    ("broken", "says"), [(f"\n{ROWS}", "remove the line"), ("", "write rows into it")]
)
def test_a_first_line_that_is_empty(read, broken, says):
    follow(lambda: read(broken), read, says=says)


@pytest.mark.parametrize("way", ["header", "option"])
def test_a_name_twice(read, way):
    rows = "u,u\nu,a\nv,b\n"
    broken = partial(read, rows)
    option, names = re.search(r"TableReader\.(\w+) to \[(.*)\]", refused(broken)[0].remedy).groups()
    if way == "header":
        mended = partial(read, f"user_id,item_id\n{rows.partition(chr(10))[2]}")
    else:
        columns = dict(zip(["user_id", "item_id"], names.split(", "), strict=True))
        items = f"{ITEMS}u,U\n"
        given = {option: names.split(", "), "behavior_columns": columns}
        mended = partial(read, rows, items, **given)
    follow(broken, mended, says="rename one of them; if the first line is a row")


@pytest.mark.parametrize("line", ['u,"a,5', 'u,"a"b,5'])
@pytest.mark.parametrize("mended", ["end", "double", "drop"])
def test_quotes_that_do_not_end(read, line, mended):
    whole = {"end": 'u,"a",5', "double": 'u,"a""b",5', "drop": line}[mended]
    items = f'{ITEMS}"a""b",C\n'
    options = {"invalid_rows": "drop"} if mended == "drop" else {}
    follow(
        lambda: read(f"{ROWS}{line}\n", items),
        lambda: read(f"{ROWS}{whole}\n", items, **options),
        says="end the quotes, or write a quote inside a cell twice, or set TableReader.invalid_rows",
    )


@pytest.mark.parametrize("mended", ["u,b,2\n", ""])
def test_a_line_of_another_length(read, mended):
    broken = partial(read, f"{ROWS}u,b\n")
    follow(broken, lambda: read(f"{ROWS}{mended}"), says="correct or remove the line, or set")


def test_all_lines_of_another_length(read, tmp_path):
    """To remove a line would lead to the same error on the next one."""
    rows = ROWS.replace(",rating", "")
    follow(lambda: read(rows), lambda: read(ROWS), says="write 3 names into the first line")
    rows = {"m": "1\tU\tN1\n2\tU\tN1\n", "n": "1\tU\t11/15/2019 8:55:22 AM\t\tN1-1\n"}
    for name, content in rows.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "news.tsv").write_text("N1\ts\tg\tA\t\t\t\t\n")
        (tmp_path / name / "behaviors.tsv").write_text(content)
    broken, mended = (MindReader(f"{tmp_path}/{name}").read for name in "mn")
    follow(broken, mended, says="name another file: all rows have 3 columns")


test_each_remedy_was_followed = each_remedy_of("data/tables/delimited.py", "data/tables/json")
