"""A run on made-up tables with a random encoder, fitted once for all tests of this folder."""

import copy
import logging
import os
import runpy
import sys
from pathlib import Path
from unittest import mock

import polars as pl
import pytest
import torch
import yaml

from lit_rec.cli.main import main

ROOT = Path(__file__).parents[2]


def lit_rec(*words):
    """Run the command line in this process."""
    with mock.patch("sys.argv", ["lit-rec"]):
        main([str(word) for word in words])


def message(capsys, *words):
    """Run with wrong input; exit code 2, a few lines, a remedy and never a traceback: return these lines."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        lit_rec(*words)
    assert stop.value.code == 2
    lines = [
        text for text in capsys.readouterr().err.splitlines() if not text.startswith("Seed set")
    ]
    text = "\n".join(lines)
    start = next(place for place, line in enumerate(lines) if line.startswith("lit_rec: "))
    assert len(lines) - start <= 8, text
    assert "Traceback" not in text
    assert "usage:" not in text.lower()
    assert "Try:" in text, text
    return "\n".join(lines[start:])


def options(workplace: Path) -> list[str]:
    """Options that make configs/own_data.yaml run on the made-up tables."""
    return [
        "-c",
        str(workplace / "config.yaml"),
        f"--data.reader.behaviors={workplace}/my/behaviors.csv",
        f"--data.reader.items={workplace}/my/items.csv",
        f"--data.encoder={workplace}/checkpoints/assets/all-MiniLM-L6-v2",
        f"--data.cache_folder={workplace}/cache",
        "--data.batch_size=32",
        "--data.text.columns=[title, genres]",
        f"--trainer.logger.init_args.save_dir={workplace}/runs",
        "--trainer.accelerator=cpu",
        "--trainer.enable_progress_bar=false",
        "--trainer.enable_model_summary=false",
    ]


@pytest.fixture(autouse=True)
def apart(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    # Lightning's log handler keeps the stream that pytest had when lightning was imported
    monkeypatch.setattr(logging, "raiseExceptions", False)


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    """A folder with my/behaviors.csv, my/items.csv, a tiny encoder, and a configuration that trains it."""
    folder = tmp_path_factory.mktemp("workplace")
    before = Path.cwd()
    os.chdir(folder)
    try:
        with mock.patch("sys.argv", ["quick_assets.py"]):
            runpy.run_path(str(ROOT / "tools/quick_assets.py"), run_name="__main__")
    finally:
        os.chdir(before)
    config = yaml.safe_load((ROOT / "configs/own_data.yaml").read_text())
    _train_all(config["model"])
    # a precision chosen by timing would not repeat
    callbacks = config["trainer"]["callbacks"]
    config["trainer"]["callbacks"] = [
        c for c in callbacks if "PrecisionProbe" not in c["class_path"]
    ]
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def _train_all(model: dict) -> None:
    """Leave out the closed form and train the encoder: most tests ask about what training does."""
    network = model["network"]["init_args"]
    del network["start"]
    del network["item_encoder"]["init_args"]["backbone"]["init_args"]["tuning"]
    model.update(encoder_rate=2e-5, head_rate=1e-2, head_decay=8.0)


@pytest.fixture(scope="session")
def run_folder(workplace):
    """The folder of a fitted run."""
    torch.set_num_threads(
        1
    )  # made before any test's own fixtures; another number of threads adds in another order
    lit_rec("fit", *options(workplace), f"--trainer.logger.init_args.save_dir={workplace}/fitted")
    return workplace / "fitted/own_data/version_0"


@pytest.fixture(scope="session")
def tables(workplace):
    """The made-up ratings as clicks and as three classes, shown in impressions of four."""
    behaviors = pl.read_csv(workplace / "my/behaviors.csv").sort("user_id", "timestamp")
    rating = pl.col("rating").cast(pl.Float64)
    place = pl.int_range(pl.len()).over("user_id")
    behaviors = behaviors.with_columns(
        click=(rating >= 4).cast(pl.Int8),
        opinion=pl.when(rating >= 4)
        .then(pl.lit("good"))
        .when(rating >= 3)
        .then(pl.lit("so-so"))
        .otherwise(pl.lit("bad")),
        shown=place // 4,
    ).drop("rating")
    behaviors.write_csv(workplace / "my/labels.csv")
    items = pl.read_csv(workplace / "my/items.csv")
    items.with_columns(intent=pl.int_range(pl.len()) % 3).write_csv(workplace / "my/texts.csv")
    return workplace / "my"


CANARY = """\
from pathlib import Path

_FOLDER = Path(__file__).parent
Path(_FOLDER, "imported").touch()


class Boom:
    def __init__(self, *args, **kwargs):
        Path(_FOLDER, "called").touch()


def boom(*args, **kwargs):
    Boom()
"""


class Canary:
    """A module ``canary`` that Python would find, in whose folder the commands run."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "canary.py").write_text(CANARY)
        (folder / "canary.yaml").write_text("class_path: canary.Boom\n")

    @property
    def sings(self):
        """Whether its code was run, or a process started."""
        names = ("imported", "called")
        return "canary" in sys.modules or any((self.folder / name).exists() for name in names)


@pytest.fixture
def canary(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    yield Canary(tmp_path)
    for name in ("canary", "my_parts"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="session")
def whole(run_folder):
    return torch.load(run_folder / "best.ckpt", weights_only=True)


@pytest.fixture
def strange(whole, tmp_path):
    """Write a checkpoint whose configuration, or more of it, was changed."""

    def write(change, *, of_all=False):
        checkpoint = {**whole, "lit_rec": {**whole["lit_rec"]}}
        config = checkpoint["lit_rec"]["config"] = copy.deepcopy(whole["lit_rec"]["config"])
        change(checkpoint if of_all else config)
        path = tmp_path / "strange.ckpt"
        torch.save(checkpoint, path)
        return path

    return write
