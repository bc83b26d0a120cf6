"""`lit-rec slim`: a smaller file with the same answers, from which no run resumes."""

import json

import polars as pl
import pytest
import torch

from lit_rec.inference.recommender import Recommender
from lit_rec.inference.stored.slim import slim

from .conftest import lit_rec, message, options

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def folder(run_folder, tmp_path):
    """A folder with a copy of the checkpoint."""
    (tmp_path / "best.ckpt").write_bytes((run_folder / "best.ckpt").read_bytes())
    return tmp_path


def test_a_slim_checkpoint_is_smaller_and_answers_alike(folder, capsys):
    lit_rec("slim", folder / "best.ckpt")
    path = folder / "best.slim.ckpt"
    before, after = ((folder / n).stat().st_size for n in ("best.ckpt", "best.slim.ckpt"))
    assert after < before
    assert f"{path}: {after / 1e6:,.1f} MB, from {before / 1e6:,.1f} MB" in capsys.readouterr().out
    whole = torch.load(folder / "best.ckpt", weights_only=True)
    thin = torch.load(path, weights_only=True)
    assert {"optimizer_states", "lr_schedulers", "loops", "callbacks"}.isdisjoint(thin)
    assert all(torch.equal(whole["state_dict"][n], w) for n, w in thin["state_dict"].items())
    one, two = (Recommender.from_checkpoint(folder / n) for n in ("best.ckpt", "best.slim.ckpt"))
    assert one.recommend(user="405", k=40) == two.recommend(user="405", k=40)
    text = {"title": "a night of love"}
    assert one.recommend([text], 40) == two.recommend([text], 40)


def test_evaluations_of_a_slim_checkpoint(folder):
    slim(folder / "best.ckpt")
    reports, scores = [], []
    for name in ("best.ckpt", "best.slim.ckpt"):
        lit_rec("test", "--ckpt_path", folder / name)
        rows = json.loads((folder / "report.json").read_text())["rows"]
        reports.append([row for row in rows if row["model"] == "lit_rec"])
        lit_rec("predict", "--ckpt_path", folder / name)
        scores.append(pl.read_parquet(folder / "predictions.parquet"))
    assert reports[0] == reports[1]
    assert scores[0].equals(scores[1])


def test_no_run_resumes_from_it(folder, workplace, capsys):
    slim(folder / "best.ckpt")
    words = ("fit", *options(workplace), "--ckpt_path", folder / "best.slim.ckpt")
    said = message(capsys, *words)
    assert "no run can resume from it" in said
    assert "`lit-rec slim`" in said


def test_no_file_is_replaced_unasked(folder, capsys):
    path = folder / "best.ckpt"
    lit_rec("slim", path)
    first, whole = (folder / "best.slim.ckpt").read_bytes(), path.read_bytes()
    assert "there is already such a file" in message(capsys, "slim", path)
    assert (folder / "best.slim.ckpt").read_bytes() == first
    for output in (path, folder):
        message(capsys, "slim", path, "--output", output, "--overwrite")
        assert path.read_bytes() == whole


def test_what_is_no_checkpoint(folder, capsys):
    assert "there is no such file" in message(capsys, "slim", folder / "none.ckpt")
    assert f"name {folder / 'best.ckpt'}" in message(capsys, "slim", folder / "none.ckpt")
    (folder / "text.ckpt").write_text("a")
    assert "cannot be read" in message(capsys, "slim", folder / "text.ckpt")
    assert not (folder / "text.slim.ckpt").exists()
    assert "required: CKPT" in message(capsys, "slim")
