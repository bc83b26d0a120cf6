"""Run a few of each attack, then some on a product that is broken on purpose, and print what each counted as JSON.

An attack that sees nothing is none. A process of its own: attacks fork, and the process that forks must not have
computed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import torture  # noqa: E402  (first: it sets what is read when torch is imported)
import yaml  # noqa: E402
from attacks import checkpoints, kills, tables, yaml_files  # noqa: E402
from attacks.forks import Room, forked  # noqa: E402
from attacks.judgement import judge  # noqa: E402
from attacks.workplace import make_workplace  # noqa: E402

Run = Callable[[list[str]], None]


def in_place(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file where it lies, and take long over it: what ``replace_file`` is there to prevent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for _ in range(2000):
        path.write_bytes(b"{")
    write(path)


def no_last_row(run: Callable[..., Any]) -> Callable[..., Any]:
    def read(*args: Any, **options: Any) -> Any:
        frame, source = run(*args, **options)
        return frame[:-1], source

    return read


def no_spaces(run: Callable[..., Any]) -> Callable[..., Any]:
    import polars as pl

    def typed(frame: Any, *args: Any, **options: Any) -> Any:
        found, source = run(frame, *args, **options)
        return found.with_columns(pl.col("user_id", "item_id").str.strip_chars()), source

    return typed


def before(act: Callable[[str], Any], option: str) -> Callable[[Run], Run]:
    """Return what has a command do something with the file that an option names, before it does its work."""

    def around(run: Run) -> Run:
        def both(words: list[str]) -> None:
            act(words[words.index(option) + 1])
            run(words)

        return both

    return around


def unpickle(path: str) -> None:
    import torch

    torch.load(path, weights_only=False)


@contextmanager
def broken(path: str, around: Callable[[Any], Any]) -> Iterator[None]:
    """Put something around a function of lit_rec."""
    module, _, name = path.rpartition(".")
    found = getattr(__import__(module, fromlist=[name]), name)
    with mock.patch(path, around(found)):
        yield


CASES: dict[str, tuple[Any, int, str, Callable[[Any], Any]]] = {
    # an attack, a case of it that hits, and what is broken
    "file in place": (
        kills,
        10,
        "lit_rec.evaluation.report.report.replace_file",
        lambda _: in_place,
    ),
    "row dropped": (tables, 111, "lit_rec.data.readers.plain.read_valid", no_last_row),
    "ids merged": (tables, 111, "lit_rec.data.readers.plain.valid_behaviors", no_spaces),
    "tags run": (
        yaml_files,
        116,
        "lit_rec.cli.main._run",
        before(lambda p: yaml.unsafe_load(Path(p).read_text()), "-c"),
    ),
    "pickles run": (checkpoints, 63, "lit_rec.cli.main._run", before(unpickle, "--ckpt_path")),
}


def of_children(folder: Path) -> dict[str, list[str]]:
    """Have children do what they must not, and return what was seen of each."""
    acts: dict[str, Callable[[], Any]] = {
        "hang": lambda: time.sleep(60),
        "crash": os.abort,
        "traceback": lambda: {}["x"],
        "exit code": lambda: sys.exit(1),
        "message": lambda: sys.exit(2),
        "memory": lambda: bytearray(1 << 40),
        "elsewhere": lambda: (folder / "other.txt").write_text("x"),
        "program": lambda: subprocess.run(["true"], check=True),
        "nothing": lambda: Path("x").write_text("x"),
    }
    found = {}
    for name, act in acts.items():
        room = Room(folder / name, [folder / name])
        found[name] = [kind for kind, _ in judge(forked(act, room, limit=0.5))]
    return {**found, "elsewhere was written": [str((folder / "other.txt").exists())]}


def main(folder: Path) -> None:
    few = ["tables", "yaml", "checkpoints", "--count", "2"]
    code = torture.main([*few, "--folder", str(folder / "few"), "--json", str(folder / "few.json")])
    found: dict[str, Any] = {"code": code, "children": of_children(folder / "children")}
    make_workplace(folder / "shared")
    whole: dict[tuple[Any, int], Any] = {}  # two products may be broken for the same case
    for name, (module, number, path, around) in CASES.items():
        own = folder / name.replace(" ", "-")
        if (module, number) not in whole:
            whole[module, number] = module.attack(1, 0, own / "whole", only=number)
        with broken(path, around):
            outcome = module.attack(1, 0, own / "broken", only=number)
        found[name] = [whole[module, number].counts(), outcome.counts()]
    # of these, one test of a checkpoint stands for all: kills of training take long, and are tested in test_kills
    found["kills"] = next(dict(o.endings) for (module, _), o in whole.items() if module is kills)
    sys.stdout.write(f"{json.dumps(found)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
