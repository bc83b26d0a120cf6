"""The torture command: attack the commands and the library, count what breaks, print a table.

tools/torture [kills|tables|yaml|checkpoints|threads]... [--count N] [--seed S] [--only K] [--jobs J] [--json FILE]
[--folder FOLDER]

Without a name, all attacks run in turn. Every case depends only on the seed and its number: ``--only K`` repeats one
case. Everything happens in a temporary folder, without a network; folders of broken cases stay there and are named.
The exit code is 1 if a promise of docs/reliability.md is broken.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attacks.outcome import Outcome, table

# read when torch and others are imported: other threads would not survive a fork
for _name, _value in (
    ("OMP_NUM_THREADS", "1"),
    ("TOKENIZERS_PARALLELISM", "false"),
    ("HF_HUB_OFFLINE", "1"),
):
    os.environ[_name] = _value


@dataclass(frozen=True)
class _Attack:
    """The module of an attack, and how many cases it has if no number is given."""

    module: str
    count: int

    def load(self) -> Callable[..., Outcome]:
        # imported late: most need torch and all of lit_rec, which take seconds to import
        attack: Callable[..., Outcome] = importlib.import_module(f"attacks.{self.module}").attack
        return attack


_ATTACKS = {
    "kills": _Attack("kills", 300),
    "tables": _Attack("tables", 1000),
    "yaml": _Attack("yaml_files", 1000),
    "checkpoints": _Attack("checkpoints", 1000),
    "threads": _Attack("threads", 10_000),
}


def main(words: list[str]) -> int:
    """Run the attacks that the words name; return the exit code."""
    parser = argparse.ArgumentParser(prog="tools/torture", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="ATTACK", help=", ".join(_ATTACKS))
    parser.add_argument("--count", type=int, help="cases of each attack")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="this case alone, to look into it")
    parser.add_argument("--jobs", type=int, default=1, help="cases at once")
    parser.add_argument("--json", type=Path, help="also write what was found to this file")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in")
    options = parser.parse_args(words)
    if unknown := set(options.names) - set(_ATTACKS):
        parser.error(f"there is no attack {sorted(unknown)[0]!r}; there are {', '.join(_ATTACKS)}")
    folder = options.folder or Path(tempfile.mkdtemp(prefix="torture-"))
    outcomes = [_run(name, options, folder.resolve()) for name in options.names or _ATTACKS]
    print(table(outcomes))
    if options.json is not None:
        options.json.write_text(json.dumps([o.to_plain() for o in outcomes], indent=1) + "\n")
    if all(outcome.holds for outcome in outcomes):
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
        return 0
    return 1


def _run(name: str, options: argparse.Namespace, folder: Path) -> Outcome:
    attack = _ATTACKS[name]
    further = {} if options.only is None else {"only": options.only}
    if name != "threads":
        further["jobs"] = options.jobs
    found = attack.load()(options.count or attack.count, options.seed, folder / name, **further)
    for failure in found.examples():
        print(f"{name} {failure.number}: {failure.kind}: {failure.what}")
        print(
            f"  again: tools/torture {name} --seed {options.seed} --only {failure.number}"
            + (f"   kept: {failure.folder}" if failure.folder else "")
        )
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
