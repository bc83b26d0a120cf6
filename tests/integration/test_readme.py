"""Every command of the README runs, in a copy of the project with made-up assets."""

import json
import os
import re
import shlex
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests.warm_processes import COMMAND, run_warm

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def commands(page: str = README) -> list[str]:
    """Indented lines that begin with a program of the project, comments cut off."""
    lines = re.findall(r"^ {4}((?:tools/|lit-rec ).*)$", page, re.MULTILINE)
    return [line.partition("  #")[0].strip() for line in lines]


def test_the_first_guide_has_commands_of_the_readme():
    """So they are known to run."""
    known = [shlex.split(command) for command in commands()]
    named = [shlex.split(c) for c in commands((ROOT / "docs/start.md").read_text())]
    assert len(named) > 5
    assert [words for words in named if words not in known] == []


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    target = tmp_path_factory.mktemp("clone") / "lit_rec"
    ignored = shutil.ignore_patterns(
        ".git",
        ".venv",
        "assets",
        "site",
        "version_[0-9]*",
        ".*_cache",
        ".lit_rec_cache",
        "__pycache__",
        "*.egg-info",
    )
    shutil.copytree(ROOT, target, ignore=ignored)
    return target


# `lit-rec` of the environment that scripts find: `fit` is the real one, in a new interpreter; what follows is asked of
# this process, which has it done without the seconds that it takes to import
LIT_REC = """\
#!{python} -IS
import json, os, socket, sys
if sys.argv[1] == "fit":
    os.execv("{programs}/lit-rec", ["lit-rec", *sys.argv[1:]])
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect("{address}")
    asked.sendall((json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]) + "\\n").encode())
    code, out, err = json.loads(asked.makefile().read())
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
"""


class Asked(socketserver.StreamRequestHandler):
    """A command of lit-rec that a script asks for."""

    def handle(self) -> None:
        words, folder, env = json.loads(self.rfile.readline())
        done = run_warm(COMMAND, *words, folder=Path(folder), env=env)
        self.wfile.write(json.dumps([done.returncode, done.stdout, done.stderr]).encode())


@pytest.fixture
def environment(tmp_path):
    """A virtual environment, as scripts see one: with ``python`` and ``lit-rec``."""
    programs = Path(sys.executable).parent
    address = Path(tempfile.mkdtemp()) / "asked"  # the name of a socket is a short one
    own = tmp_path / "venv/bin"
    own.mkdir(parents=True)
    (own / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python = Path(sys.executable).resolve()
    (own / "lit-rec").write_text(LIT_REC.format(python=python, programs=programs, address=address))
    for program in own.iterdir():
        program.chmod(0o755)
    with socketserver.UnixStreamServer(str(address), Asked) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield own.parent
        server.shutdown()
    shutil.rmtree(address.parent)


def run(words: list[str], folder: Path, venv: Path) -> subprocess.CompletedProcess:
    """Run a script as a user does, and a command of lit-rec without the seconds that it takes to import."""
    programs = str(Path(sys.executable).parent)
    environment = {
        "LIT_REC_QUICK": "1",
        "LIT_REC_VENV": str(venv),
        "HF_HUB_OFFLINE": "1",
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder),
    }
    if words[0] == "lit-rec":
        return run_warm(COMMAND, *words[1:], folder=folder, env=environment)
    return subprocess.run(
        words,
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_every_command_runs(copy, environment):
    found = commands()
    assert found[:2] == ["tools/quickstart", "tools/test"]
    assert len(found) >= 9
    for command in found:
        if command == "tools/test":  # this very test is part of it
            continue
        done = run(shlex.split(command), copy, environment)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert (copy / "checkpoints/quickstart/version_0/report.json").is_file()
    assert (copy / "checkpoints/quickstart/version_0/predictions.parquet").is_file()

    python = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    done = run([sys.executable, "-c", python], copy, environment)
    assert done.returncode == 0, done.stderr[-2000:]
