"""Malformed checkpoints end in a sentence that names the entry, whatever reads them."""

import copy
import time

import pytest
import torch

from lit_rec.errors import LitRecError
from lit_rec.inference.recommender import Recommender

from .conftest import message, options
from .malformed import CHANGES, TRAINING, WEIGHT, put

pytestmark = pytest.mark.filterwarnings("default")
SECONDS = 10.0  # of a reading; most take a tenth of a second


def named(change):
    path, _, said = change
    return f"{path if isinstance(path, str) else '.'.join(map(str, path))}, {said}"


@pytest.fixture(scope="module")
def whole(run_folder):
    return torch.load(run_folder / "last.ckpt", weights_only=True)


@pytest.fixture
def changed(whole, tmp_path):
    def write(path, value):
        checkpoint = copy.deepcopy(whole)
        put(path, value)(checkpoint)
        torch.save(checkpoint, tmp_path / "changed.ckpt")
        return tmp_path / "changed.ckpt"

    return write


@pytest.mark.parametrize("change", CHANGES, ids=named)
def test_a_malformed_entry_is_named(change, changed):
    path, value, said = change
    file = changed(path, value)
    start = time.perf_counter()
    with pytest.raises(LitRecError) as found:
        Recommender.from_checkpoint(file)
    text = str(found.value)
    assert said in text
    assert "changed.ckpt" in text, text
    assert len(text.splitlines()) <= 8
    assert max(map(len, text.splitlines())) < 400
    assert time.perf_counter() - start < SECONDS


SAMPLE = [
    change
    for change in CHANGES
    if change[2]
    in (
        "facts: absent",
        "facts.task: 'ranking'",
        "../x: a file of that name",
        "facts.backbone: None",
        "num_hidden_layers: 1000000000",
        "in the network (90, 1000000000)",
        "catalogue.tokens: the number 90",
        "hyper_parameters: there",
        f"state_dict.{WEIGHT}: nan at 1 of 64 places",
    )
]


@pytest.mark.parametrize("command", ["recommend", "validate", "test", "predict"])
@pytest.mark.parametrize("change", SAMPLE, ids=named)
def test_a_malformed_entry_is_named_by_each_command(command, change, changed, capsys):
    path, value, said = change
    words = ["--history", "50"] if command == "recommend" else []
    text = message(capsys, command, "--ckpt_path", changed(path, value), *words)
    assert said in text
    assert "changed.ckpt" in text


@pytest.mark.parametrize("change", [*TRAINING, SAMPLE[1], SAMPLE[-1]], ids=named)
def test_no_run_goes_on_from_a_malformed_entry(change, changed, workplace, capsys):
    path, value, said = change
    more = ["--ckpt_path", changed(path, value), "--trainer.max_epochs=4"]
    text = message(capsys, "fit", *options(workplace), *more)
    assert said in text
    assert "changed.ckpt" in text
