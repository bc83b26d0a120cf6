"""The wheel that is published, installed apart from this folder and without the network."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import lit_rec

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def run(*command: str | Path, **options) -> str:
    options |= {"capture_output": True, "text": True, "timeout": 240}
    done = subprocess.run(command, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Built from a copy: setuptools leaves a build folder where it works.
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    shutil.copytree(
        ROOT / "lit_rec", source / "lit_rec", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    run(*PIP, "wheel", "--no-build-isolation", "--no-deps", "--no-index", "-w", built, source)
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the package alone; its dependencies are those of this environment."""
    target = tmp_path_factory.mktemp("installed")
    run(*PIP, "install", "--no-deps", "--no-index", "--target", target, wheel)
    return target


@pytest.fixture
def environment(installed: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(installed), "HF_HUB_OFFLINE": "1"}


def test_wheel_holds_every_module_and_nothing_else(wheel: Path):
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "lit_rec").rglob("*")
        if path.suffix in {".py", ".yaml"} or path.name == "py.typed"
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = archive.read(f"lit_rec-{lit_rec.__version__}.dist-info/METADATA").decode()
    assert {"lit_rec/py.typed", "lit_rec/init/own_data.yaml"} <= names
    assert names == modules
    assert f"Version: {lit_rec.__version__}" in metadata
    assert "License-Expression: Apache-2.0" in metadata
    assert "License-File: LICENSE" in metadata


def test_the_installed_package_is_the_one_imported(
    installed: Path, environment: dict[str, str], tmp_path: Path
):
    code = "import lit_rec; print(lit_rec.__file__)"
    where = run(sys.executable, "-c", code, cwd=tmp_path, env=environment).strip()
    assert Path(where) == installed / "lit_rec" / "__init__.py"


@pytest.mark.parametrize(
    ("option", "expected"), [("--version", lit_rec.__version__), ("--help", "recommend")]
)
def test_command_runs_from_another_folder(
    installed: Path, environment: dict[str, str], tmp_path: Path, option: str, expected: str
):
    said = run(installed / "bin" / "lit-rec", option, cwd=tmp_path, env=environment)
    assert expected in said
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_is_written_by_the_package_alone(
    installed: Path, environment: dict[str, str], tmp_path: Path
):
    rows = [f"u{k % 7},i{k % 5},{k % 5 + 1},{1_600_000_000 + k}" for k in range(60)]
    (tmp_path / "b.csv").write_text("\n".join(["user_id,item_id,rating,timestamp", *rows]))
    titles = [
        f"i{k},{word} night" for k, word in enumerate(("red", "blue", "long", "cold", "dark"))
    ]
    (tmp_path / "i.csv").write_text("\n".join(["item_id,title", *titles]))
    command = (installed / "bin" / "lit-rec", "init", "b.csv", "i.csv")
    assert "written: my_data.yaml" in run(*command, cwd=tmp_path, env=environment)
    assert "\nmodel:\n" in (tmp_path / "my_data.yaml").read_text()
