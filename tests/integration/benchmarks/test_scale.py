"""tools/benchmark scale: what it makes up, what each of its processes measures, and what it computes from that."""

import json
import logging
import runpy
import time
import warnings
from unittest import mock

import polars as pl
import pytest
from transformers import AutoTokenizer

from tools.benchmarks import command
from tools.benchmarks.scale import memory, process, rows, tables

from .test_command import refused

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_made_up_tables(tmp_path, ending):
    tables.write_tables(tmp_path, 50_000, 2_000, ending)
    read = pl.read_csv if ending == "csv" else pl.read_parquet
    behaviors, items = read(tmp_path / f"behaviors.{ending}"), read(tmp_path / f"items.{ending}")
    assert behaviors.columns == ["user_id", "item_id", "rating", "timestamp"]
    assert (len(behaviors), len(items)) == (50_000, 2_000)
    assert set(behaviors["item_id"]) <= set(items["item_id"])
    assert behaviors["rating"].unique().sort().to_list() == [1, 2, 3, 4, 5]
    assert behaviors["user_id"].n_unique() == pytest.approx(50_000 / 25, rel=0.1)
    # 1 / (place + 10): the hundredth most popular item is drawn a tenth as often as the first
    popular = behaviors["item_id"].value_counts(sort=True)["count"]
    assert popular[90:110].mean() / popular[0] == pytest.approx(0.1, rel=0.25)
    words = items["title"].str.split(" ").list
    assert set(words.len().unique()) == {3, 4, 5, 6}
    assert items["title"].n_unique() > 1_990
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "tokenizer", local_files_only=True)
    tokens = tokenizer(items["title"].to_list(), add_special_tokens=False)["input_ids"]
    assert [len(one) for one in tokens] == words.len().to_list(), "a token for each word"
    assert tokenizer.unk_token_id not in {token for one in tokens for token in one}


def test_equal_arguments_give_equal_tables(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        tables.write_tables(folder, 500, 50, "csv")
    for name in ("behaviors.csv", "items.csv", "tokenizer/vocab.txt"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


@pytest.mark.parametrize("quick", [True, False])
def test_ratios_are_per_row(monkeypatch, quick):
    """Ten times the rows in eleven times the seconds: 1.1 per row; steps are as many for both.

    A turn may be slow as a whole.
    """
    asked = []

    def measured(word, folder, steps):
        behaviors = pl.scan_csv(folder / "behaviors.csv").select(pl.len()).collect().item()
        assert not (folder / "cache").exists(), "each turn prepares anew"
        (folder / "cache").mkdir()
        slow = 1 + len(asked) // 2
        asked.append((word, behaviors, steps))
        seconds = (2.0, 1.0, 5.0) if behaviors == 100 else (22.0, 8.0, 6.0)
        names = ("prepare", "start of fit", "steps")
        found = {name: slow * value for name, value in zip(names, seconds, strict=True)}
        return {**found, "peak": 0.5, "seconds": 9.0}

    monkeypatch.setattr(rows, "_measured", measured)
    shown = rows.measure(1_000, quick=quick)
    turns, steps = (1, "10") if quick else (3, "100")
    assert asked == [("rows", 100, steps), ("rows", 1_000, steps)] * turns
    found = {(row["name"], row["metric"]): row for row in shown}
    prepare = found["100 rows", "prepare, µs/row"]
    assert prepare["low"] == pytest.approx(20_000)
    assert prepare["value"] == pytest.approx(20_000 * (turns + 1) / 2)
    assert prepare["high"] == pytest.approx(20_000 * turns)
    for metric, ratio in (("prepare", 1.1), ("start of fit", 0.8)):
        of_metric = found["10 times the rows", f"{metric}, ratio per row"]
        assert [of_metric[key] for key in ("low", "value", "high")] == pytest.approx([ratio] * 3)
    assert found["10 times the rows", "steps, ratio"]["value"] == pytest.approx(1.2)
    json.dumps(shown)


@pytest.mark.parametrize(("quick", "encoder"), [(True, "small"), (False, "minilm")])
def test_memory_of_both_batches(monkeypatch, quick, encoder):
    asked = []

    def measured(word, folder, *more):
        asked.append((word, *more))
        size = float(more[-1]) if more else 0.0
        return {"above": 1.0 + (size > 256) / 4, "items": size, "seconds": 9.0}

    monkeypatch.setattr(memory, "_measured", measured)
    shown = memory.measure(1_000, quick=quick)
    assert asked == [("prepare",), ("step", encoder, "256"), ("step", encoder, "8192")]
    assert shown[-1]["value"] == 1.25


@pytest.fixture
def table(tmp_path):
    """A small table, both as text and as Parquet."""
    for ending in ("csv", "parquet"):
        (tmp_path / ending).mkdir()
        tables.write_tables(tmp_path / ending, 2_000, 200, ending)
    return tmp_path


@pytest.fixture
def said(capsys):
    """Run the script of a process here; return what it says on its last line."""

    def run(*words):
        with (
            mock.patch("sys.argv", ["process.py", *map(str, words)]),
            mock.patch.object(logging.getLogger("lightning.pytorch"), "setLevel"),
            warnings.catch_warnings(),
        ):
            runpy.run_path(process.__file__, run_name="__main__")
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return run


def test_what_the_processes_measure(said, table):
    begun = time.perf_counter()
    found = said("rows", table / "csv", 2)
    seconds = [found.pop(name) for name in ("prepare", "start of fit", "steps")]
    assert min(seconds) > 0
    assert sum(seconds) < time.perf_counter() - begun
    assert 0.1 < found["peak"] < 16, "GiB of a process that has imported torch and Lightning"
    assert said("prepare", table / "parquet") == {}
    step = said("step", table / "parquet", "small", 64)
    assert 0 <= step["above"] < found["peak"] + 1
    assert 64 <= step["items"] <= 200


@pytest.mark.parametrize("name", ["rows", "memory"])
def test_too_few_rows(name, capsys):
    text = refused(capsys, "scale", name, "--rows", 500)
    assert "--rows: 500 rows are too few" in text


def test_made_up_tables_need_no_archive(tmp_path, monkeypatch, capsys):
    asked = []

    def measure(rows, *, quick):
        asked.append((rows, quick))
        return []

    monkeypatch.setattr(rows, "measure", measure)
    command.main(["scale", "rows", "--quick", "--data", str(tmp_path)])
    command.main(["scale", "rows", "--rows", "10000000"])
    assert asked == [(1_000_000, True), (10_000_000, False)]
    assert "scale rows" in capsys.readouterr().out
