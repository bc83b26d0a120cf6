"""Folders whose names are patterns, lists or options elsewhere: every command reads and writes in them."""

import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

from .conftest import lit_rec

pytestmark = pytest.mark.filterwarnings("default")

ODD = ["[1, 2]", "~", "-k br[x] st*r? é", "{x: 1}, a=b::c\ntwo lines"]


def paths(folder):
    return [
        f"--data.reader.behaviors={folder}/my/behaviors.csv",
        f"--data.reader.items={folder}/my/items.csv",
        f"--data.encoder={folder}/encoder",
        f"--data.cache_folder={folder}/cache",
    ]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n != "[1, 2]" else []) for n in ODD]
)
def test_every_command_works_there(name, workplace, tmp_path, capsys):
    shutil.copytree(workplace / "my", tmp_path / name / "my")
    shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", tmp_path / name / "encoder")
    shutil.copy(workplace / "config.yaml", tmp_path / name)
    # as a user writes it who stands above the folder; a leading dash or ~ needs ./ in every program
    here = f"./{name}" if name[0] in "-~" else name
    plain = ["accelerator=cpu", "enable_progress_bar=false", "enable_model_summary=false"]
    lit_rec(
        "fit",
        "-c",
        f"{here}/config.yaml",
        *paths(here),
        f"--trainer.logger.init_args.save_dir={here}",
        "--trainer.max_epochs=1",
        *(f"--trainer.{word}" for word in plain),
    )
    run = Path(name, "own_data/version_0")
    assert {path.name for path in run.iterdir()} >= {"best.ckpt", "config.yaml", "hparams.yaml"}
    assert yaml.safe_load((run / "config.yaml").read_text())["data"]["init_args"]["cache_folder"]
    ckpt = f"{here}/own_data/version_0/best.ckpt"
    lit_rec("test", "--ckpt_path", ckpt)
    lit_rec("predict", "--ckpt_path", ckpt)
    lit_rec("predict", "--ckpt_path", ckpt, "--k", 3, "--data.eval_batch_size=8")
    lit_rec("recommend", "--ckpt_path", ckpt, "--text", "a film", "--k", 2)
    lit_rec("check", "-c", f"{here}/config.yaml", *paths(here), f"--json={here}/figures.json")
    tables = [f"{here}/my/behaviors.csv", f"{here}/my/items.csv"]
    lit_rec("init", *tables, "--output", f"{here}/new.yaml")
    lists = pl.read_parquet((run / "recommendations.parquet").read_bytes())
    assert lists["rank"].max() == 3
    assert {"report.json", "predictions.parquet"} <= {path.name for path in run.iterdir()}
    assert {"figures.json", "new.yaml", "cache"} <= {path.name for path in Path(name).iterdir()}
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing lies elsewhere"
    hidden = [path for path in tmp_path.rglob(".*") if path.is_file() or not any(path.iterdir())]
    assert not hidden


def test_a_folder_named_only_by_its_odd_name(workplace, tmp_path):
    """``[1, 2]`` alone is a list to YAML."""
    lit_rec(
        "fit",
        "-c",
        workplace / "config.yaml",
        *paths(workplace)[:2],
        f"--data.encoder={workplace}/checkpoints/assets/all-MiniLM-L6-v2",
        "--data.cache_folder=[1, 2]",
        "--trainer.logger.init_args.save_dir",
        "{x: 1}",
        "--trainer.max_epochs=1",
        "--trainer.accelerator=cpu",
        "--trainer.enable_progress_bar=false",
    )
    assert {path.name for path in tmp_path.iterdir()} == {"[1, 2]", "{x: 1}"}
