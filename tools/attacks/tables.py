"""Unchecked tables with odd ids, cells, rows, columns, types, encodings and bytes, given to check and init."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path

from attacks.cases import Case, numbers, run_cases
from attacks.forks import Room, answer
from attacks.judgement import ended, judge
from attacks.marks import changed, snapshot
from attacks.outcome import Outcome
from attacks.table_changes import (
    Table,
    other_cells,
    other_columns,
    other_ids,
    other_numbers,
    other_rows,
)
from attacks.table_files import FORMATS, write_file
from attacks.table_truth import Truth, lost, truth_of_file, truth_of_tables
from attacks.workplace import Workplace, command, make_workplace

_TURNS = ("ids", "ids", "numbers", "cells", "cells", "rows", "columns", "file", "file", "init")


def attack(
    count: int, seed: int, folder: Path, *, only: int | None = None, jobs: int = 1
) -> Outcome:
    """Change ``count`` pairs of tables, and give each to a command.

    Args:
        count: Cases.
        seed: Seed of all changes.
        folder: Where to work.
        only: This case alone.
        jobs: Cases at once.
    """
    place = make_workplace(folder / "shared")
    outcome = Outcome(
        "tables",
        "changed CSV, TSV, JSON lines and Parquet, given to check and init",
        "every row and id comes through or is named, or the command ends with a sentence",
    )
    run = partial(_give, place=place)
    cases = folder / "cases"
    return run_cases(outcome, run, numbers(count, only), seed=seed, folder=cases, jobs=jobs)


def _give(case: Case, place: Workplace) -> None:
    given, out = case.folder / "given", case.folder / "out"
    given.mkdir()
    out.mkdir()
    turn = _TURNS[case.number % len(_TURNS)]
    kind = case.chance.choice(FORMATS if turn != "numbers" else ("jsonl", "parquet"))
    behaviors, items = given / f"behaviors.{kind}", given / f"items.{kind}"
    did, truth = answer(
        partial(_write, case, place, turn, kind, behaviors, items),
        Room(case.folder / "making", [given]),
    )
    case.did = f"{turn}, {kind}: {did}"
    room = Room(case.folder, [out])
    watched = [given, *(room.path(name) for name in ("home", "cwd")), place.folder]
    before = snapshot(*watched)
    if turn == "init":
        words = ["init", behaviors, items, "-o", out / "config.yaml", "--encoder", place.encoder]
        ending = command(words, room)
        case.found += judge(ending, place.usual)
        case.ending = ended(ending)
        if ending.code != 0:
            return
        words = ["check", "-c", out / "config.yaml", "--trainer.accelerator=cpu"]
        words += [
            f"--data.cache_folder={out / 'cache'}",
            f"--trainer.logger.init_args.save_dir={out}",
        ]
    else:
        words = ["check", "-c", place.config]
        words += place.options(behaviors=behaviors, items=items, cache=out / "cache", runs=out)
        if case.chance.random() < 0.3:
            words.append("--data.unknown_items=drop")
    ending = command(words, room)
    case.ending = ended(ending)
    case.found += judge(ending, place.usual)
    case.found += [("written elsewhere", what) for what in changed(before, snapshot(*watched))]
    if ending.code == 0 and truth is not None and turn != "init":
        look = partial(_lost, truth, out / "cache", ending.out)
        case.found += answer(look, Room(case.folder / "look"))


def _write(
    case: Case, place: Workplace, turn: str, kind: str, behaviors: Path, items: Path
) -> tuple[str, Truth | None]:
    """Change the tables, write them, and return what was done and what the prepared tables must contain."""
    chance = case.chance
    tables = [_read(place.folder / f"my/{name}.csv") for name in ("behaviors", "items")]
    chosen = chance.choice(tables)
    typed = not kind.startswith(("csv", "tsv"))
    name = chance.choice(["user_id", "item_id"])
    did = {
        "ids": lambda: other_ids(chance, tables, name),
        "numbers": lambda: other_numbers(chance, tables, name),
        "cells": lambda: other_cells(chance, chosen, typed=typed),
        "rows": lambda: other_rows(chance, chosen),
        "columns": lambda: other_columns(chance, chosen),
        "file": lambda: "",
        "init": lambda: chance.choice(
            [other_cells(chance, chosen, typed=typed), other_columns(chance, chosen)]
        ),
    }[turn]()
    odd = []
    for table, path in zip(tables, (behaviors, items), strict=True):
        wild = turn == "file" and table is chosen
        odd.append(write_file(chance, table, path, kind, wild=wild))
    did = " ".join(
        [
            did,
            *(
                f"{path.name}: {what}"
                for path, what in zip((behaviors, items), odd, strict=True)
                if what
            ),
        ]
    )
    if not any(odd) and not (kind == "tsv" and _is_torn(tables)):
        return did, truth_of_tables(*tables)
    return did, truth_of_file(behaviors)


def _read(path: Path) -> Table:
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    return Table(header, rows, ("user_id", "item_id"))


def _is_torn(tables: list[Table]) -> bool:
    """Whether a cell contains a separator of cells or lines in a format without quotes."""
    cells = (str(cell) for table in tables for row in [table.header, *table.rows] for cell in row)
    return any(sign in cell for cell in cells for sign in "\t\r\n")


def _lost(truth: Truth, cache: Path, said: str) -> list[tuple[str, str]]:
    return list(lost(truth, cache, said))
