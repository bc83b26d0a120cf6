"""init reads tables as TableReader does: what it writes is read with the same rows and values."""

import re

import pytest
import yaml

from lit_rec.data.readers.plain import TableReader
from lit_rec.errors import ConfigError, DataError
from lit_rec.init.config_writer import config_text, guesses
from lit_rec.init.plan import make_plan
from lit_rec.init.table_files import Reading, read_files


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Write two texts as files, and return the plan that init makes and the tables that its YAML reads."""
    monkeypatch.chdir(tmp_path)

    def make(one, two, names=("b.csv", "i.csv"), reading=None, **options):
        for name, text in zip(names, (one, two), strict=True):
            (tmp_path / name).write_text(text, newline="")
        plan = make_plan(read_files(names, reading), **options)
        config = yaml.safe_load(config_text(plan, tmp_path / "my.yaml", "lit-rec init"))
        reader = config["data"]["init_args"]["reader"]["init_args"]
        return plan, TableReader(**reader).read()

    return make


TITLES = ("red star", "blue love", "night city", "day river", "cold war")


def items(of_row="{0},{1}\n", header="item_id,title\n"):
    return header + "".join(of_row.format(f"i{k}", f"{TITLES[k % 5]} {k}") for k in range(20))


def behaviors(of_row="u{0},i{1},{2}\n", header="user_id,item_id,rating\n"):
    return header + "".join(
        of_row.format(k % 12, k * 7 % 20, k % 5 + 1, 1_500_000_000 + k) for k in range(60)
    )


def test_missing_values(made):
    rows = behaviors("u{0},i{1},{2},NULL\n", "user_id,item_id,rating,store\n")
    rows = re.sub(r",1,NULL", ",NaN,NULL", rows)
    plan, tables = made(rows, items().replace("red star 0", "NaN").replace("red star 5", "-"))
    column = plan.roles.behaviors.columns["rating"]
    assert (column.is_numeric, column.distinct) == (True, 4)
    assert tables.behaviors["rating"].null_count() == 12
    assert tables.items["title"].null_count() == 2
    assert plan.roles.behaviors.columns["store"].filled == 0


def test_further_missing_values(made):
    rows = re.sub(r",1\n", ",-1\n", behaviors())
    plan, tables = made(rows, items(), reading=Reading(missing=["-1"]))
    assert plan.reader["missing_values"] == ["-1"]
    assert tables.behaviors["rating"].null_count() == 12


def test_ids_that_look_like_missing_values(made):
    rows, of_items = (text.replace("i7,", "null,") for text in (behaviors(), items()))
    plan, tables = made(rows.replace("u3,", "nan,"), of_items.replace("i8,", "NaN,"))
    assert {"null", "NaN"} <= set(tables.items["item_id"])
    assert "nan" in set(tables.behaviors["user_id"])
    assert plan.unknown == 3


def test_decimal_commas_are_seen(made):
    rows = behaviors("u{0};i{1};{2},5\n", "user_id;item_id;rating\n")
    plan, tables = made(rows, items("{0};{1}\n", "item_id;title\n"))
    assert plan.reader["decimal"] == ","
    assert set(tables.behaviors["rating"]) == {1.5, 2.5, 3.5, 4.5, 5.5}
    # thousands, or three digits of a fraction
    of_items = items('{0},{1},"1,299"\n', "item_id,title,price\n")
    assert "decimal" not in made(behaviors(), of_items)[0].reader
    plan, tables = made(behaviors(), of_items, reading=Reading(decimal=","))
    assert plan.reader["decimal"] == ","
    assert tables.items["price"][0] == "1.299"


def test_spaces_around_ids(made):
    plan, tables = made(behaviors("u{0} , i{1} ,{2}\n"), items())
    assert plan.reader["strip_ids"] is True
    assert plan.unknown == 0
    assert "u3" in set(tables.behaviors["user_id"])


def test_quotes_in_tab_separated_tables(made):
    rows = behaviors('"u{0}"\t"i{1}"\t{2}\n', '"user_id"\t"item_id"\t"rating"\n')
    of_items = items('{0}\t"{1}\nof ""two"" lines"\n', "item_id\ttitle\n")
    plan, tables = made(rows, of_items, ("b.tsv", "i.tsv"))
    assert plan.found.columns == {"user_id": "user_id", "item_id": "item_id", "rating": "rating"}
    assert tables.items["title"][0] == 'red star 0\nof "two" lines'
    assert tables.behaviors["user_id"][3] == "u3"


def test_html(made):
    plan, tables = made(behaviors(), items("{0},<p>{1}</p>\n"))
    assert tables.items["title"][0] == "red star 0"
    assert plan.roles.items.columns["title"].shown(1) == "'red star 0'"


def test_invalid_rows(made):
    rows = behaviors() + "u1,i2,good\n,i3,4\n"
    with pytest.raises(DataError, match="invalid_rows to drop"):
        made(rows, items())
    plan, tables = made(rows, items(), reading=Reading(invalid_rows="drop"))
    assert plan.reader["invalid_rows"] == "drop"
    assert len(tables.behaviors) == 60
    assert sum(step.dropped for step in tables.dropped) == 2
    assert (
        "dropped    1 of 62 behaviors: rating is not a finite number, such as b.csv, line 62 ('good')"
        in guesses(plan)
    )


def test_behaviors_without_a_header(made):
    rows = behaviors(header="")
    with pytest.raises(DataError, match=r"b.csv, line 1: the first line is a row") as caught:
        made(rows, items())
    option, names = re.search(r"--(\w+)_names ([\w,]+);", str(caught.value)).groups()
    assert option == "behavior"
    columns = {"user_id": "column_1", "rating": "column_3"}
    reading = Reading(names={"behaviors": names.split(",")})
    plan, tables = made(rows, items(), reading=reading, columns=columns)
    assert len(tables.behaviors) == 60
    assert plan.reader["behavior_names"] == ["column_1", "column_2", "column_3"]
    reading = Reading(names={"behaviors": ["user", "item"]})
    with pytest.raises(DataError, match=r"2 names for 3 columns"):
        made(rows, items(), reading=reading)


def test_a_first_row_with_equal_cells(made):
    rows = behaviors("{0},{1},{2}\n", "4,5,5\n")
    of_items = items().replace("\ni", "\n")
    with pytest.raises(DataError, match=r"b.csv, line 1: the first line is a row .*: 4, 5, 5\."):
        made(rows, of_items)
    reading = Reading(names={"behaviors": ["user", "item", "stars"]})
    assert len(made(rows, of_items, reading=reading)[1].behaviors) == 61
    with pytest.raises(DataError, match="'item_id' is twice"):
        made(behaviors(header="item_id,item_id,rating\n"), items())


def test_items_without_a_header(made):
    of_items = items(header="")
    with pytest.raises(DataError, match=r"i.csv, line 1: .*\n.*\n.*--item_names"):
        made(behaviors(), of_items)
    reading = Reading(names={"items": ["item_id", "title"]})
    assert len(made(behaviors(), of_items, reading=reading)[1].items) == 20
    reading = Reading(names={"items": ["item_id", "title"], "behaviors": ["u", "item_id", "stars"]})
    tables = made(behaviors(header=""), of_items, reading=reading)[1]
    assert (len(tables.items), len(tables.behaviors)) == (20, 60)


def test_a_header_that_looks_like_a_row(made):
    of_items = items("{0},{1},4,7\n", "article,title,2019,2020\n")
    assert "2019" in made(behaviors(), of_items)[0].roles.items.columns
    of_items = of_items.replace("article,title", "ref1,text")
    with pytest.raises(DataError, match="if it is a header, add --header"):
        made(behaviors(), of_items)
    plan, _ = made(behaviors(), of_items, reading=Reading(has_header=True))
    assert "2019" in plan.roles.items.columns


def test_names_for_no_certain_file(made):
    three = items("{0},{1},x\n", "item_id,title,kind\n")
    reading = Reading(names={"behaviors": ["a", "b", "c"]})
    with pytest.raises(ConfigError, match=r"which file(.*\n)+.*--behaviors b.csv"):
        made(behaviors(), three, reading=reading)
    reading = Reading(names={"behaviors": ["user", "item_id", "stars"]}, behaviors="b.csv")
    rows = behaviors(header="")
    assert len(made(rows, three, reading=reading, behaviors="b.csv")[1].behaviors) == 60


def names_as_ids(header, of_row):
    rows = behaviors(header="user,game,hours\n")
    for k in range(20):
        rows = rows.replace(f",i{k},", f",{TITLES[k % 5]} {k},")
    return rows, items(of_row, header)


@pytest.mark.parametrize("named", [None, ["name"], ["item_id"]])
@pytest.mark.parametrize(("header", "of_row"), [("name\n", "{1}\n"), ("name,price\n", "{1},4\n")])
def test_the_key_is_the_only_text(made, header, of_row, named):
    columns = {"user_id": "user", "rating": "hours"}
    rows = names_as_ids(header, of_row)
    plan, tables = made(*rows, columns=columns, text_columns=named)
    assert list(plan.texts.fields.values()) == [["item_id"]]
    assert tables.items["item_id"][0] == "red star 0"


def test_the_key_is_a_name_beside_a_category(made):
    rows = names_as_ids("name,genre\n", "{1},drama\n")
    of_items = rows[1].replace("star 0,drama", "star 0,war").replace("city 2,drama", "city 2,war")
    plan, _ = made(rows[0], of_items, columns={"user_id": "user", "rating": "hours"})
    assert plan.texts.fields == {"name": ["item_id"], "genre": ["genre"]}
