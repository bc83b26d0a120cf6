"""Tests of the attacks: the product holds against a few of each, and a product that is broken on purpose does not."""

import importlib
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

ROOT = Path(__file__).parents[2]
ENDED = {"code": 0, "timed_out": False, "out": "", "err": "", "seconds": 1.0}


@pytest.fixture
def attacks(monkeypatch):
    """Import a module of tools/attacks."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    yield lambda name: importlib.import_module(f"attacks.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "attacks"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """A folder with what a few of each attack found, and what was counted where the product is broken."""
    folder = tmp_path_factory.mktemp("attacked")
    done = subprocess.run(
        [sys.executable, ROOT / "tests/integration/broken_products.py", folder],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_few_of_each_attack_break_nothing(attacked):
    folder, counted = attacked
    found = json.loads((folder / "few.json").read_text())
    names = ["tables", "yaml", "checkpoints"]
    assert [(outcome["name"], outcome["tried"], outcome["holds"]) for outcome in found] == [
        (name, 2, True) for name in names
    ]
    assert counted["code"] == 0
    # neither all refused nor all let through
    endings = sum((Counter(outcome["endings"]) for outcome in found), Counter())
    assert endings["ran"] > 1
    assert endings["refused"] > 1
    assert counted["kills"] == {"killed": 1}


@pytest.mark.slow
def test_attacks_see_a_product_that_is_broken(attacked):
    _, found = attacked
    children = dict(found["children"])
    assert children.pop("nothing") == []
    assert children.pop("elsewhere was written") == ["False"]
    for name, kinds in {
        "memory": ["traceback"],
        "elsewhere": ["written elsewhere", "traceback"],
        "program": ["program started"],
    }.items():
        assert children.pop(name) == kinds
    assert children == {name: [name] for name in children}
    expected = {
        "file in place": "damaged file",
        "row dropped": "rows lost",
        "ids merged": "ids lost",
        "tags run": "code run",
        "pickles run": "written elsewhere",
    }
    for name, kind in expected.items():
        whole, broken = found[name]
        assert whole == {}, name
        assert kind in broken, name


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, []),
        ({"code": 2, "err": "lit_rec: a: b.\n  Rule: c.\n  Try:  d.\n"}, []),
        ({"code": 2, "err": "Seed set to 0\nlit_rec: a: b.\n  Try:  d.\n"}, []),
        ({"code": 2, "err": "lit_rec: a: b.\n  Rule: c.\n"}, ["message"]),
        ({"code": 2, "err": "usage: lit-rec\n"}, ["message"]),
        ({"code": 2, "err": "lit_rec: a: b.\n" + "  x\n" * 8 + "  Try:  d.\n"}, ["message"]),
        ({"code": 2, "err": f"lit_rec: {'x' * 1000}.\n  Try:  d.\n"}, ["message"]),
        ({"code": 1, "err": "Traceback (most recent call last):\nKeyError: 1\n"}, ["traceback"]),
        ({"code": 1, "err": "no\n"}, ["exit code"]),
        ({"code": -6}, ["crash"]),
        ({"code": -9, "timed_out": True}, ["hang"]),
        (
            {"seen": ["program started: usual", "program started: ls", "program started: ls"]},
            ["program started"],
        ),
    ],
)
def test_the_end_of_a_command_is_judged(attacks, changes, kinds):
    ending = attacks("forks").Ending(**{**ENDED, **changes})
    found = attacks("judgement").judge(ending, {"program started: usual"})
    assert [kind for kind, _ in found] == kinds


@pytest.mark.parametrize(
    ("users", "items", "said", "kinds"),
    [
        (["a", "b"], ["x", "y"], "", []),
        (["a"], ["x"], "", ["rows lost", "ids lost"]),
        (["a"], ["x"], "cleaning   not known: 1 of 2 behaviors dropped, such as line 3", []),
        (["a", "b "], ["x", "y"], "", ["ids lost"]),
        (["b", "a"], ["x", "y"], "", ["ids lost"]),
    ],
)
def test_rows_and_ids_that_are_lost_are_seen(attacks, tmp_path, users, items, said, kinds):
    folder = tmp_path / "tables-0"
    (folder / "items").mkdir(parents=True)
    pl.DataFrame({"kind": ["user"] * len(users), "name": users}).write_parquet(
        folder / "names.parquet"
    )
    pl.DataFrame({"item_id": ["x", "y"]}).write_parquet(folder / "items/table.parquet")
    np.save(folder / "user.npy", np.arange(len(users)))
    np.save(folder / "item.npy", np.array([["x", "y"].index(item) for item in items]))
    tables, truth = attacks("table_changes"), attacks("table_truth")
    behaviors = tables.Table(["user_id", "item_id"], [["a", "x"], ["b", "y"]], ())
    expected = truth.truth_of_tables(behaviors, tables.Table(["item_id"], [["x"], ["y"]], ()))
    assert [kind for kind, _ in truth.lost(expected, tmp_path, said)] == kinds


@pytest.mark.parametrize("name", ["tables", "yaml"])
def test_a_case_follows_from_its_seed_and_number(attacks, name, tmp_path):
    def one(seed, number):
        chance = attacks("cases").chance_of(name, seed, number)
        if name == "yaml":
            text = (ROOT / "configs/own_data.yaml").read_text()
            return attacks("yaml_changes").changed_values(chance, text, tmp_path)
        table = attacks("table_changes").Table(
            ["user_id", "x"], [[str(n), n] for n in range(9)], ()
        )
        return attacks("table_changes").other_cells(chance, table, typed=True), table

    assert one(0, 3) == one(0, 3)
    assert len({str(one(seed, number)) for seed in (0, 1) for number in range(10)}) > 10


def test_the_table_names_what_broke(attacks):
    outcome = attacks("outcome")
    found = outcome.Outcome(
        "kills", "fit", "none", tried=1200, endings={"killed": 1200}, seconds=61.2
    )
    assert found.holds
    found.failures += [outcome.Failure("leftover", n, "x") for n in range(5)]
    found.failures.append(outcome.Failure("damaged file", 9, "best.ckpt is empty"))
    assert not found.holds
    assert len(found.examples()) == 4
    assert outcome.table([found]).splitlines()[-1] == (
        "| kills: fit | 1,200 | killed 1,200 | leftover 5, damaged file 1 | 61 |"
    )


def test_an_attack_that_tried_nothing_does_not_hold(attacks):
    assert not attacks("outcome").Outcome("kills", "fit", "none").holds


def test_files_that_are_not_whole_are_seen(attacks, tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "whole.parquet")
    (tmp_path / "whole.json").write_text("{}")
    (tmp_path / ".work.json.7").write_text("{")
    assert list(attacks("whole_files").damaged(tmp_path)) == []
    (tmp_path / "cut.json").write_text("{")
    (tmp_path / "config.yaml").write_text("")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-3])
    found = [what.split()[0].rstrip(":") for what in attacks("whole_files").damaged(tmp_path)]
    assert found == ["config.yaml", "cut.json", "cut.parquet"]
    assert list(attacks("whole_files").leftovers(tmp_path, {".lock"})) == [".work.json.7"]
