"""Wrong tables as a user would bring them; see ``message`` for the form of what is said."""

import gzip
import io

import polars as pl
import pytest

from .conftest import lit_rec, message, options

pytestmark = pytest.mark.filterwarnings("default")


def table(tmp_path, workplace, name, change, ending=".csv"):
    """A changed copy of a table, as the option that names it."""
    text = (workplace / f"my/{name}.csv").read_text()
    path = tmp_path / f"{name}{ending}"
    changed = change(text)
    path.write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    return f"--data.reader.{name}={path}"


def line(number, new):
    """Replace a line of the file, counted from 1."""

    def change(text):
        lines = text.splitlines()
        lines[number - 1] = new
        return "\n".join(lines) + "\n"

    return change


def same(text):
    return text


def as_parquet(**columns):
    """Write other columns in its place."""
    content = io.BytesIO()
    pl.DataFrame(columns).write_parquet(content)
    return lambda _: content.getvalue()


# name -> (table, change of the file, ending, what the message must hold)
TABLES = {
    "wrong delimiter": ("behaviors", lambda t: t.replace(",", ";"), ".csv", "';'"),
    "duplicate item id": ("items", line(3, "50,again,1990,Drama"), ".csv", "'50'"),
    "empty item id": ("items", line(3, ",again,1990,Drama"), ".csv", "line 3"),
    "empty user id": ("behaviors", line(5, ",50,3,880000000"), ".csv", "line 5"),
    "rating as text": ("behaviors", line(5, "405,50,good,880000000"), ".csv", "good"),
    "unreadable time": ("behaviors", line(5, "405,50,3,yesterday"), ".csv", "yesterday"),
    "unknown item": ("behaviors", line(5, "405,n7719,3,880000000"), ".csv", "n7719"),
    "latin-1": ("items", lambda t: t.encode() + b"99,caf\xe9,1990,Drama\n", ".csv", "0xe9"),
    "too many columns": ("behaviors", line(5, "405,50,3,880000000,1,2"), ".csv", "line 5"),
    "header only": ("behaviors", lambda t: t.splitlines()[0] + "\n", ".csv", "behaviors.csv"),
    "empty file": ("behaviors", lambda t: "", ".csv", "behaviors.csv"),
    "column twice": ("behaviors", line(1, "user_id,item_id,rating,rating"), ".csv", "rating"),
    "no user column": ("behaviors", line(1, "userId,item_id,rating,timestamp"), ".csv", "userId"),
    "not parquet": ("behaviors", same, ".parquet", "behaviors.parquet"),
    "cut gz": (
        "behaviors",
        lambda t: gzip.compress(t.encode())[:-40],
        ".csv.gz",
        "behaviors.csv.gz",
    ),
    "not gz": ("behaviors", same, ".csv.gz", "behaviors.csv.gz"),
    "key twice": (
        "behaviors",
        lambda t: '{"user_id": 1, "user_id": 2}\n',
        ".jsonl",
        "'user_id' is twice",
    ),
    "nested without end": (
        "items",
        lambda t: '{"item_id": "1"}\n{"item_id": ' + '{"a": ' * 10**5,
        ".json",
        "line 2",
    ),
    "half an emoji in an id": (
        "behaviors",
        lambda t: '{"user_id": "\\ud83d"}\n',
        ".jsonl",
        "'\\ud83d'",
    ),
    "true and false as ids": ("items", as_parquet(item_id=[True, False]), ".parquet", "true and"),
    "large floats as ids": (
        "items",
        as_parquet(item_id=[2.0**60]),
        ".parquet",
        "1152921504606846976",
    ),
    "not JSON": ("behaviors", lambda t: '{"user_id": 1\n', ".jsonl", "line 1"),
    "unknown ending": ("behaviors", same, ".xlsx", ".xlsx"),
    "too few columns": ("behaviors", line(5, "405,50"), ".csv", "line 5"),
    "infinite rating": ("behaviors", line(5, "405,50,inf,880000000"), ".csv", "inf"),
    "no time in one line": ("behaviors", line(5, "405,50,3,"), ".csv", "line 5"),
    "no ratings": ("behaviors", lambda t: t.replace("rating", "stars"), ".csv", "rating"),
}


@pytest.mark.parametrize("name", TABLES)
def test_wrong_table(name, tmp_path, workplace, capsys):
    which, change, ending, value = TABLES[name]
    option = table(tmp_path, workplace, which, change, ending)
    assert value in message(capsys, "fit", *options(workplace), option)


def test_byte_order_mark_is_no_error(tmp_path, workplace):
    option = table(tmp_path, workplace, "behaviors", lambda t: b"\xef\xbb\xbf" + t.encode())
    lit_rec("fit", *options(workplace), option, "--trainer.fast_dev_run=true")


def test_past_history_without_time(tmp_path, workplace, capsys):
    option = table(tmp_path, workplace, "behaviors", lambda t: t.replace("timestamp", "when"))
    split = "--data.split=lit_rec.data.splits.splits.RandomSplit"
    assert "PastHistory" in message(capsys, "fit", *options(workplace), option, split)
    assert "TimeSplit" in message(capsys, "fit", *options(workplace), option)


def test_other_data_on_resume(tmp_path, workplace, run_folder, capsys):
    half = table(tmp_path, workplace, "behaviors", lambda t: "\n".join(t.splitlines()[:100]) + "\n")
    resume = ["--ckpt_path", run_folder / "last.ckpt", "--trainer.max_epochs=9"]
    text = message(capsys, "fit", *options(workplace), half, *resume)
    assert "in the data" in text
    assert "in the checkpoint" in text
