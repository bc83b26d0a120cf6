"""What version 0.1.0 wrote is read: config.yaml by fit, the configuration in checkpoints by all other commands."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from .conftest import lit_rec

pytestmark = pytest.mark.filterwarnings("default")

# config.yaml of a run by version 0.1.0 on the made-up tables
WRITTEN = Path(__file__).with_name("config_0_1_0.yaml")


@pytest.fixture
def here(workplace, tmp_path):
    """The folder that the run stood in."""
    for name in ("my", "checkpoints"):
        (tmp_path / name).symlink_to(workplace / name)
    return tmp_path


def test_its_yaml_is_fitted_and_names_parts_by_where_they_stand(here):
    lit_rec("fit", "-c", WRITTEN, "--trainer.max_epochs=1")
    text = (here / "runs/own_data/version_0/config.yaml").read_text()
    assert "lit_rec.models.networks.two_tower.TwoTower" in text
    assert "lit_rec.training.callbacks.run_folder.RunCheckpoint" in text
    assert "lit_rec.models.networks.TwoTower" not in text


@pytest.mark.parametrize("equals", [True, False])
def test_its_words_are_understood(equals, here, capsys):
    option, value = "--model.network.init_args.head", "lit_rec.models.heads.DotHead"
    words = [f"{option}={value}"] if equals else [option, value]
    with pytest.raises(SystemExit) as stop:
        lit_rec("fit", "-c", WRITTEN, *words, "--print_config")
    assert stop.value.code == 0
    assert "lit_rec.models.heads.value_heads.DotHead" in capsys.readouterr().out


def test_its_checkpoints_are_tested_and_resumed(here, run_folder, capsys):
    run = here / "run"
    shutil.copytree(run_folder, run)
    lit_rec("test", "--ckpt_path", run / "best.ckpt")
    expected = json.loads((run / "report.json").read_text())
    (run / "report.json").unlink()
    written = yaml.safe_load(WRITTEN.read_text())
    for name in ("best", "last"):
        content = torch.load(run / f"{name}.ckpt", weights_only=True)
        stored = content["lit_rec"]["config"]
        assert stored.keys() <= written.keys()
        content["lit_rec"]["config"] = {part: written[part] for part in stored}
        torch.save(content, run / f"{name}.ckpt")
    lit_rec("test", "--ckpt_path", run / "best.ckpt")
    found = json.loads((run / "report.json").read_text())["rows"]
    assert len(found) == len(expected["rows"])
    for row, other in zip(found, expected["rows"], strict=True):
        assert row == pytest.approx(other, abs=1e-6)
    lit_rec("recommend", "--ckpt_path", run / "best.ckpt", "--history", "50", "--k", 2)
    lit_rec("fit", "-c", WRITTEN, "--ckpt_path", run / "last.ckpt", "--trainer.max_epochs=4")
    assert "Traceback" not in capsys.readouterr().err
    last = here / "runs/own_data/version_0/last.ckpt"
    assert torch.load(last, weights_only=True)["epoch"] == 3
