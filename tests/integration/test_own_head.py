"""A head in a module of the user's own does what a shipped one does.

The shipped source stands in: it uses nothing but what any module can import.
"""

import ast
import sys
from pathlib import Path

import pytest

from lit_rec.models.heads import same_time

from .conftest import lit_rec
from .own_runs import checkpoint, configuration, difference, logged, write

SOURCE = Path(same_time.__file__).read_text(encoding="utf-8")
OWN = {"OccasionNeighborhoodHead": "MyOccasionHead", "SessionHead": "MySessionHead"}


@pytest.fixture
def my_heads(tmp_path, monkeypatch):
    """A module of other name, with the classes under other names, in the folder where the command runs."""
    text = SOURCE
    for name, own in OWN.items():
        text = text.replace(name, own)
    (tmp_path / "my_heads.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_heads", None)


def two_steps(workplace, class_path):
    """Train for an epoch of two steps by a YAML that names the head; return losses and the checkpoint."""
    config = configuration(workplace, max_epochs=1)
    config["data"]["init_args"]["batch_size"] = 80  # of 160 rows
    config["model"]["network"]["init_args"]["head"] = {"class_path": class_path}
    name = config["trainer"]["logger"]["init_args"]["name"] = class_path
    lit_rec("fit", "-c", write(config, Path(f"{class_path}.yaml")))
    folder = Path("runs", name, "version_0")
    return logged(folder), checkpoint(folder)


@pytest.mark.parametrize("name", OWN)
def test_own_module_trains_as_the_shipped_class_does(my_heads, workplace, name):
    losses, shipped = two_steps(workplace, name)
    own_losses, own = two_steps(workplace, f"my_heads.{OWN[name]}")
    assert own["lit_rec"]["config"]["model"]["network"]["init_args"]["head"]["class_path"] == (
        f"my_heads.{OWN[name]}"
    )
    assert ("train/loss_step", 1) in losses
    assert own_losses == losses
    assert difference(own, shipped) == 0


def test_source_imports_public_names_alone():
    imports = [node for node in ast.walk(ast.parse(SOURCE)) if isinstance(node, ast.ImportFrom)]
    names = [part for node in imports for part in node.module.split(".")]
    names += [alias.name for node in imports for alias in node.names]
    assert "NeighborhoodHead" in names
    assert [name for name in names if name.startswith("_") and name != "__future__"] == []


@pytest.mark.parametrize("name", OWN)
def test_nothing_of_the_package_knows_these_classes_by_name(name):
    """What makes them work must work for a class that the package has never seen."""
    folder = Path(same_time.__file__).parents[2]
    named = [path.name for path in folder.rglob("*.py") if name in path.read_text("utf-8")]
    assert named == ["same_time.py"]
