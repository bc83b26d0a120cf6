"""Checkpoints and requests that are wrong: the same form of message as for wrong tables and options."""

import shutil

import pytest
import torch

from .test_errors import message

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize("command", ["test", "predict", "recommend"])
def test_wrong_checkpoint(command, tmp_path, run_folder, capsys):
    words = ["--history", "50"] if command == "recommend" else []

    def refused(path):
        return message(capsys, command, "--ckpt_path", path, *words)

    assert "nowhere.ckpt" in refused(tmp_path / "nowhere.ckpt")
    assert "folder" in refused(tmp_path)
    cut = tmp_path / "cut.ckpt"
    cut.write_bytes((run_folder / "best.ckpt").read_bytes()[:5000])
    assert "cut.ckpt" in refused(cut)
    text = tmp_path / "text.ckpt"
    text.write_text("not a checkpoint")
    assert "text.ckpt" in refused(text)
    foreign = tmp_path / "foreign.ckpt"
    torch.save({"state_dict": {}, 3: 4}, foreign)
    assert "state_dict" in refused(foreign)
    for content in ({}, [1], {"lit_rec": 3}, {"lit_rec": {}}):
        torch.save(content, foreign)
        assert "not written by lit_rec" in refused(foreign)


def test_checkpoint_that_cannot_be_built_here(tmp_path, run_folder, capsys):
    def refused(command, change):
        checkpoint = torch.load(run_folder / "best.ckpt", weights_only=True)
        change(checkpoint)
        torch.save(checkpoint, tmp_path / "changed.ckpt")
        words = ["--history", "50"] if command == "recommend" else []
        return message(capsys, command, "--ckpt_path", tmp_path / "changed.ckpt", *words)

    def own(checkpoint):
        checkpoint["lit_rec"]["config"]["model"]["network"]["class_path"] = "my.Own"

    assert "No module named 'my'" in refused("recommend", own)
    assert "No module named 'my'" in refused("test", own)
    assert "head.last.bias" in refused("recommend", lambda c: c["state_dict"].popitem())
    assert "format is 9" in refused("test", lambda c: c["lit_rec"].update(format=9))


def test_results_that_cannot_be_written(tmp_path, run_folder, capsys):
    shutil.copy(run_folder / "best.ckpt", tmp_path)
    for command, name in (("test", "report.json"), ("predict", "predictions.parquet")):
        (tmp_path / name).mkdir()
        assert name in message(capsys, command, "--ckpt_path", tmp_path / "best.ckpt")


def test_wrong_requests(run_folder, capsys):
    def refused(*words):
        return message(capsys, "recommend", "--ckpt_path", run_folder / "best.ckpt", *words)

    assert "'n7719'" in refused("--history", "n7719")
    assert "'9'" in refused("--history", "50:9")
    assert "'good'" in refused("--history", "50:good")
    assert "'nobody'" in refused("--user", "nobody")
    assert "0" in refused("--history", "50", "--k", "0")
    assert "many" in refused("--history", "50", "--k", "many")
    assert "nobody to recommend for" in refused()
    assert "-3" in refused("--history", "50", "--k=-3")
    assert "'nan'" in refused("--history", "50:nan")
    assert "names no item" in refused("--text", "")
    assert "50" in refused("50")
    assert "--histroy" in refused("--histroy", "50")
