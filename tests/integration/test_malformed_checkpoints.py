"""Malformed checkpoints end in a sentence that names the entry, whatever reads them."""

import copy
import math
import random
import time
from contextlib import suppress
from itertools import product
from unittest import mock

import pytest
import torch

from lit_rec.errors import LitRecError
from lit_rec.inference.recommender import Recommender

from .conftest import message, options
from .malformed import CHANGES, GONE, TRAINING, WEIGHT, put
from .mutated_configs import ParsedCLI

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
    new = {"item_id": "new", "title": "A new one", "genres": "Drama"}
    with pytest.raises(LitRecError) as found:  # its encoder is built where a text is read
        Recommender.from_checkpoint(file).add_items([new])
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


@pytest.mark.parametrize(
    ("command", "change"),
    [
        *product(["recommend", "test"], SAMPLE),
        *product(["validate", "predict"], SAMPLE[-1:]),  # which read it as test does
    ],
    ids=lambda part: part if isinstance(part, str) else named(part),
)
def test_a_malformed_entry_is_named_by_each_command(command, change, changed, capsys):
    path, value, said = change
    words = ["--history", "50"] if command == "recommend" else []
    text = message(capsys, command, "--ckpt_path", changed(path, value), *words)
    assert said in text
    assert "changed.ckpt" in text


@pytest.mark.parametrize("command", ["test", "predict"])
def test_a_trainer_wants_the_version_that_wrote_it(command, changed, capsys):
    file = changed("pytorch-lightning_version", GONE)
    assert "no pytorch-lightning_version" in message(capsys, command, "--ckpt_path", file)
    assert Recommender.from_checkpoint(file).recommend(
        ["50"], 1
    )  # which reads no more than it needs


@pytest.fixture(scope="module")
def run(workplace, tmp_path_factory):
    """What a command of fit has built when its first step would come."""
    logs = f"--trainer.logger.init_args.save_dir={tmp_path_factory.mktemp('runs')}"
    with mock.patch("sys.argv", ["lit-rec"]):
        return ParsedCLI(["fit", *options(workplace), logs, "--trainer.max_epochs=4"])


@pytest.mark.parametrize("change", TRAINING, ids=named)
def test_no_run_goes_on_from_a_malformed_entry(change, changed, run):
    path, value, said = change
    file = changed(path, value)
    trainer = run.instantiate_trainer(logger=False)
    with pytest.raises(LitRecError) as found:
        trainer.fit(run.model, run.datamodule, ckpt_path=file, weights_only=True)
    assert said in str(found.value)
    assert "changed.ckpt" in str(found.value)


@pytest.mark.parametrize("change", [*TRAINING[:1], SAMPLE[1], SAMPLE[-1]], ids=named)
def test_the_command_does_not_go_on_either(change, changed, workplace, capsys):
    path, value, said = change
    more = ["--ckpt_path", changed(path, value), "--trainer.max_epochs=4"]
    text = message(capsys, "fit", *options(workplace), *more)
    assert said in text
    assert "changed.ckpt" in text


def leaves(held, path=()):
    """Every entry of the content, at most five of a list."""
    inside = held.items() if isinstance(held, dict) else enumerate(held[:5])
    for name, value in inside:
        yield (*path, name)
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, name))


WRONG = (None, -1, 3, 2**60, math.nan, "x", b"x", True, [], {}, (1, 2), [None], {"x": 1})
TENSORS = (
    torch.tensor(1.0),
    torch.zeros(0),
    torch.full((3, 2), math.nan),
    torch.full((5,), -7),
    torch.zeros(1).expand(10**9),
)


@pytest.mark.parametrize("seed", range(40))
def test_any_change_ends_in_a_sentence_or_an_answer(seed, whole, tmp_path):
    chance = random.Random(seed)
    path = chance.choice(sorted(leaves(whole["lit_rec"]), key=str))
    value = chance.choice([GONE, *WRONG, *TENSORS])
    checkpoint = copy.deepcopy(whole)
    held = checkpoint["lit_rec"]
    for name in path[:-1]:
        held = held[name]
    if value is GONE:
        del held[path[-1]]
    else:
        held[path[-1]] = value
    file = tmp_path / "changed.ckpt"
    torch.save(checkpoint, file)
    start = time.perf_counter()
    with suppress(LitRecError):
        found = Recommender.from_checkpoint(file)
        assert found.recommend(history=found.item_ids[:2], k=3)
        assert found.recommend(user="1", k=3)
    assert time.perf_counter() - start < SECONDS
