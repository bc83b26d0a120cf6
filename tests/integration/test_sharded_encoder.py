"""Two processes that share an encoder do the steps of one process, and each takes up the other's checkpoints."""

import sys
from pathlib import Path
from unittest import mock

import pytest
import torch

from lit_rec.inference.recommender import Recommender
from lit_rec.inference.stored.network import load_module
from lit_rec.vectors.fingerprint import fingerprint_of

from . import several_commands
from .own_runs import (
    checkpoint,
    difference,
    logged,
    part,
    run_apart,
    uneven,
    with_dropout,
    without_vectors,
    write,
)

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]

TWO = ("--trainer.devices=2", "--trainer.strategy=sharded_encoder", "--data.batch_size=8")

SOME = "--model.network.init_args.item_encoder.init_args.gradient_share=0.5"


def of_tests(config, folder):
    """Small chunks, two to six a batch and often not as many for both processes, and an encoder that moves."""
    config["model"]["encoder_rate"] = 3e-3
    item_encoder = config["model"]["network"]["init_args"]["item_encoder"]["init_args"]
    item_encoder["max_tokens_per_chunk"] = 128
    item_encoder["recompute"] = True
    config["trainer"]["logger"]["init_args"]["save_dir"] = str(folder)
    config["trainer"]["callbacks"].append(part("several_commands.KeepEachLast"))
    config["trainer"]["callbacks"].append(part("several_commands.OwnShare"))
    return config


@pytest.fixture(scope="module")
def runs(workplace, tmp_path_factory):
    """A folder with runs of one process and of two, and the metrics of the two's.

    Some of the runs go on from the other's checkpoint.
    """
    folder = tmp_path_factory.mktemp("sharded")
    config = of_tests(uneven(workplace, max_epochs=1, last_every_n_steps=5), folder)
    config["trainer"]["accumulate_grad_batches"] = 2
    fit = ["fit", "-c", str(write(config, folder / "config.yaml"))]
    noisy = ["fit", "-c", str(write(with_dropout(config, 0.3), folder / "noisy.yaml")), SOME]

    def go_on(name):
        return ["--ckpt_path", f"{folder}/{name}/version_0/after_5.ckpt"]

    run_here([*fit, named("one")])
    bare = without_vectors(
        folder / "one/version_0/best.ckpt", folder / "bare.ckpt", cache_folder=f"{folder}/cache"
    )
    commands = [
        [*fit, named("two")],
        [*fit, named("two_after_one"), *go_on("one")],
        ["validate", "--ckpt_path", str(bare)],
        [*noisy, named("whole")],
        [*noisy, named("resumed"), *go_on("whole")],
    ]
    several = [[*words, *(TWO if words[0] == "fit" else TWO[:2])] for words in commands]
    metrics, told = run_apart(several, folder, seconds=240)
    assert "terminate called" not in told
    assert "item vectors: 40 items, 0 found, 40 encoded" in told
    run_here([*fit, named("one_after_two"), *go_on("two")])
    return folder, metrics


def run_here(words):
    # a callback of the configuration is found where the other processes find it
    path = [*sys.path, str(Path(several_commands.__file__).parent)]
    with mock.patch("sys.argv", ["lit-rec"]), mock.patch("sys.path", path):
        several_commands.run_all([words])


def named(name):
    return f"--trainer.logger.init_args.name={name}"


def last(folder, name):
    return checkpoint(folder / name / "version_0")


@pytest.mark.parametrize("name", ["two", "two_after_one", "one_after_two"])
def test_the_steps_of_one_process(runs, name):
    """Weights and the optimizer's moments, whichever of the two began and whichever went on."""
    folder, _ = runs
    one, other = last(folder, "one"), last(folder, name)
    assert one["global_step"] == other["global_step"] == 11
    assert difference(one, checkpoint(folder / "one/version_0", "after_5")) > 1e-3
    assert difference(one, other) < 1e-5
    expected, found = (c["optimizer_states"][0]["state"] for c in (one, other))
    assert found.keys() == expected.keys()
    for number, moments in expected.items():
        torch.testing.assert_close(found[number], moments, rtol=0, atol=1e-5)


def test_values_while_training(runs):
    folder, _ = runs
    one, two = (logged(folder / name / "version_0") for name in ("one", "two"))
    assert {name for name, _ in one} >= {"train/loss_step", "train/loss", "val/loss", "val/rmse"}
    shares = {key: value for key, value in two.items() if key[0] == "encoder/own_share"}
    assert list(shares.values()) == [pytest.approx(0.5, abs=0.01)]
    both = [key for key in one if key[0] != "encoder/own_share"]
    assert [two[key] for key in both] == pytest.approx([one[key] for key in both], rel=1e-5)


def test_checkpoint_of_one_process_is_validated_by_two(runs):
    folder, metrics = runs
    rows = logged(folder / "one/version_0")
    best = min(value for (name, _), value in rows.items() if name == "val/rmse")
    assert metrics[2]["val/rmse"] == pytest.approx(best, abs=1e-6)


def test_checkpoint_answers_alone(runs):
    """The catalogue's vectors are in it, those of the whole encoder."""
    folder, _ = runs
    history = [{"item_id": "3", "rating": 5.0}, {"item_id": "8", "rating": 1.0}]
    one, two = (
        Recommender.from_checkpoint(folder / name / "version_0/best.ckpt")
        for name in ("one", "two")
    )
    items = [str(item) for item in range(1, 20)]
    expected = one.score(history, items)
    assert max(expected) - min(expected) > 0.1
    assert two.score(history, items) == pytest.approx(expected, abs=1e-5)
    module, content = load_module(folder / "two/version_0/last.ckpt")
    entry, network = content["catalogue"], module.built()
    assert entry["vectors"] is not None
    # by which one process knows them again
    assert entry["maker"] == fingerprint_of(network, network.state_dict())


def test_resumed_together(runs):
    folder, _ = runs
    whole, resumed = last(folder, "whole"), last(folder, "resumed")
    assert difference(whole, last(folder, "two")) > 1e-3  # with chance
    assert difference(whole, resumed) == 0
