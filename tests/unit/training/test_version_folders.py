"""No two runs share a folder, however many begin at once."""

import subprocess
import sys
from pathlib import Path

from lit_rec.training.version_folders import VersionFolders

ROOT = Path(__file__).parents[3]
# asks for a number when the start is given; argv: folder of the experiment, file to wait for
CLAIMS = """
import sys, time
from pathlib import Path
from lit_rec.training.version_folders import VersionFolders
experiment, start = map(Path, sys.argv[1:])
print("ready", flush=True)
while not start.exists():
    time.sleep(0.0005)
print(*(VersionFolders().number(experiment) for _ in range(25)))
"""


def test_processes_that_start_at_once_get_folders_of_their_own(tmp_path):
    words = [sys.executable, "-c", CLAIMS, tmp_path / "runs", tmp_path / "start"]
    processes = [
        subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    (tmp_path / "start").touch()
    numbers = [int(n) for process in processes for n in process.communicate(timeout=60)[0].split()]
    assert sorted(numbers) == list(range(200))
    made = {path.name for path in (tmp_path / "runs").iterdir()}
    assert made == {f"version_{n}" for n in range(200)}


def test_numbers_go_on_above_what_is_there(tmp_path):
    for name in ("version_1", "version_10", "version_x", "version_11_old"):
        (tmp_path / name).mkdir()
    (tmp_path / "version_12").touch()
    assert VersionFolders().number(tmp_path) == 13


def test_one_run_has_one_folder_in_each_experiment(tmp_path):
    run = VersionFolders()
    assert [run.number(tmp_path / name) for name in ("a", "b", "a")] == [0, 0, 0]
    assert VersionFolders().number(tmp_path / "a") == 1


def test_what_stays_empty_goes_and_nothing_else(tmp_path):
    (tmp_path / "there").mkdir()
    run = VersionFolders()
    for name in ("there", "new/deep", "used"):
        run.number(tmp_path / name)
    (tmp_path / "used/version_0/config.yaml").touch()
    run.remove_empty()
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == [
        "there",
        "used",
        "used/version_0",
        "used/version_0/config.yaml",
    ]


def test_what_a_killed_run_was_writing_goes_with_the_next(tmp_path):
    left, own = "version_0/.lit_rec-0123456789abcdef.part", "notes/.lit_rec-0123456789abcdef.part"
    for name in (left, own):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert VersionFolders().number(tmp_path) == 1
    assert not (tmp_path / left).exists()
    assert (tmp_path / own).exists()
