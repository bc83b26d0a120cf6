"""Checkpoints and requests that are wrong: the same form of message as for wrong tables and options."""

import shutil

import pytest
import torch

from .conftest import message, options

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
        words += ["--trust", "my"]
        return message(capsys, command, "--ckpt_path", tmp_path / "changed.ckpt", *words)

    def own(checkpoint):
        checkpoint["lit_rec"]["config"]["model"]["network"]["class_path"] = "my.Own"

    assert "No module named 'my'" in refused("recommend", own)
    assert "No module named 'my'" in refused("test", own)
    assert "format is 9" in refused("test", lambda c: c["lit_rec"].update(format=9))


@pytest.mark.parametrize("command", ["test", "fit", "recommend"])
def test_weights_that_are_not_those_of_the_network(
    command, tmp_path, run_folder, workplace, capsys
):
    more = {"recommend": ["--history", "50"], "fit": options(workplace), "test": []}[command]

    def refused(change):
        checkpoint = torch.load(run_folder / "last.ckpt", weights_only=True)
        change(checkpoint["state_dict"])
        torch.save(checkpoint, tmp_path / "changed.ckpt")
        return message(capsys, command, *more, "--ckpt_path", tmp_path / "changed.ckpt")

    name = "network.head.last.bias"
    assert f"{name} is absent" in refused(lambda weights: weights.pop(name))
    assert "more is not of" in refused(lambda weights: weights.update(more=torch.zeros(1)))
    text = refused(lambda weights: weights.update({name: torch.zeros(7)}))
    assert f"{name} has shape (7,)" in text
    assert " more" in refused(lambda weights: weights.clear())


def test_no_run_goes_on_from_the_model_alone(tmp_path, run_folder, workplace, capsys):
    checkpoint = torch.load(run_folder / "last.ckpt", weights_only=True)
    del checkpoint["optimizer_states"]
    torch.save(checkpoint, tmp_path / "model.ckpt")
    words = ["--ckpt_path", tmp_path / "model.ckpt", "--trainer.max_epochs=9"]
    assert "holds no optimizer_states" in message(capsys, "fit", *options(workplace), *words)


def test_input_that_is_not_the_one_trained_with(run_folder, capsys):
    def refused(command, *words):
        return message(capsys, command, "--ckpt_path", run_folder / "best.ckpt", *words)

    text = refused("test", "--data.max_tokens=5")
    assert "data.max_tokens: 5 asked, 64 in the checkpoint" in text
    fields = "--data.text.columns={title: [title], genres: [genres]}"
    assert "data.text.columns" in refused("predict", fields)
    assert "'elsewhere' asked" in refused("validate", "--data.encoder=elsewhere")


def test_results_that_cannot_be_written(tmp_path, run_folder, capsys):
    shutil.copy(run_folder / "best.ckpt", tmp_path)
    for command, name in (("test", "report.json"), ("predict", "predictions.parquet")):
        (tmp_path / name).mkdir()
        assert name in message(capsys, command, "--ckpt_path", tmp_path / "best.ckpt")


def test_wrong_lists(run_folder, workplace, capsys):
    def refused(*words, command="predict"):
        return message(capsys, command, "--ckpt_path", run_folder / "best.ckpt", *words)

    assert "k: 0 is too small" in refused("--k", "0")
    assert "k: 'many' is not accepted" in refused("--k", "many")
    assert "exclude_seen: 'perhaps' is not accepted" in refused("--k=3", "--exclude_seen=perhaps")
    assert "--exclude_seen: no lists are made" in refused("--exclude_seen=false")
    assert "a model of ratings has no labels" in refused("--k=3", "--label=good")
    assert "there is no option '--k'" in refused("--k=3", command="test")
    assert "there is no option '--k'" in message(capsys, "fit", *options(workplace), "--k=3")


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
    assert "'soon'" in refused("--history", "50", "--timestamp", "soon")
    assert "inf" in refused("--history", "50", "--timestamp", "inf")
    assert "'nan'" in refused("--history", "50:nan")
    assert "names no item" in refused("--text", "")
    for nothing in ("", ",", " , "):
        assert f"--history '{nothing}'" in refused("--history", nothing)
    assert "50" in refused("50")
    assert "--histroy" in refused("--histroy", "50")
