"""tools/benchmark peers: a made-up library gets the rows that lit_rec has, and its predictions are measured."""

import doctest
import json
import subprocess
from math import log2
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning import Trainer
from packaging.requirements import Requirement
from packaging.version import Version

from lit_rec.data.batches.batch import SeenItems
from lit_rec.errors import ConfigError
from lit_rec.evaluation.metrics.catalogue_ranks import ScoredRows, target_ranks
from lit_rec.evaluation.metrics.ranks import ndcg
from tools.benchmarks import command
from tools.benchmarks.peers import (
    cases,
    environments,
    exchange,
    exported_rows,
    our_side,
    peer_runs,
)
from tools.benchmarks.peers.fits import next_item, ratings

from .conftest import ROOT

pytestmark = pytest.mark.filterwarnings("default")

LABELS = ("open", "close", "lost")


@pytest.fixture
def here(workplace, tmp_path, monkeypatch):
    """A working folder with a tiny encoder."""
    (tmp_path / "checkpoints").symlink_to(workplace / "checkpoints")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def intents(tmp_path):
    """Texts whose first word is their label."""
    folder = tmp_path / "data/banking77"
    folder.mkdir(parents=True)
    for part, count in (("train", 60), ("test", 9)):
        lines = "".join(f"{LABELS[i % 3]} card {part} {i},{LABELS[i % 3]}\n" for i in range(count))
        (folder / f"{part}.csv").write_text(f"text,category\n{lines}")
    return tmp_path / "data"


@pytest.fixture
def peer(monkeypatch):
    """Answer in place of every library's process; return what was asked for, and the rows that came."""
    asked = []

    def answered_by(predict):
        def run(words, env, **options):
            module, rows, folder = words[-3:]
            asked.append((module.rpartition(".")[2], env))
            exchange.answer(
                lambda read: iter(
                    [exchange.Line("made_up", predict(read), 2.0, 1.0, 4.0, {"size": 8})]
                ),
                [rows, folder],
            )

        monkeypatch.setattr(peer_runs.subprocess, "run", run)
        monkeypatch.setattr(peer_runs, "python_of", lambda extra, folder: Path("python"))
        return asked

    return answered_by


def measured(name, data, **known):
    rows = cases.measure(name, data, Path("runs"), Path("environments"))
    json.dumps(rows)
    return {(row["name"].partition(": ")[2], row["metric"]): row["value"] for row in rows}


def following(rows):
    """Score what follows the last item of each history, as everybody does in ``sequences``."""
    last = rows["test_history"][rows["test_offsets"][1:] - 1]
    return np.eye(int(rows["items"]), dtype=np.float32)[(last + 1) % int(rows["items"])]


def equal(rows):
    return np.zeros((len(rows["test_offsets"]) - 1, int(rows["items"])), np.float32)


@pytest.mark.parametrize(
    ("predict", "rank", "masked"),
    # nine items, of which a test row has seen three: equal scores share the mean rank
    [(following, 1, 1), (equal, 5, 3.5)],
)
def test_next_items_are_ranked_as_ours_are(here, sequences, peer, predict, rank, masked):
    asked = peer(predict)
    found = measured("scientific", sequences)
    name = "made_up (size 8)"
    assert found[name, "ndcg@10"] == pytest.approx(1 / log2(1 + rank))
    assert found[name, "masked_ndcg@10"] == pytest.approx(1 / log2(1 + masked))
    assert found[name, "masked_recall@10"] == 1
    strongest = found["ease_text", "masked_ndcg@10"]
    difference = found[name, "masked_ndcg@10_difference to ease_text"]
    assert difference == pytest.approx(strongest - found[name, "masked_ndcg@10"])
    times = [
        found[name, f"seconds of {part}"] for part in ("choosing options", "fitting", "predicting")
    ]
    assert times == [4.0, 2.0, 1.0]
    assert found[name, "seconds"] == 7
    assert [script for script, _ in asked] == [
        peer.script for peer in cases.CASES["scientific"].peers
    ]
    assert all(env["OMP_NUM_THREADS"] == "1" for _, env in asked)
    rows = exchange.read_rows(Path("runs/peers/scientific/rows"))
    assert len(rows["train_item"]) == 24, "each user's first two items"
    assert np.diff(rows["val_offsets"]).tolist() == [2] * 12
    assert np.diff(rows["test_offsets"]).tolist() == [3] * 12, "the validation row is in the past"
    assert "test_target" not in rows


def test_ratings_of_test_rows_are_unknown_to_peers(here, archive, peer):
    asked = peer(lambda rows: np.full(len(rows["test_user"]), 9.0))
    found = measured("ml100k-u1", archive)
    true = np.array([1 + (user * item) % 5 for user in (1, 2) for item in range(1, 11)])
    # clipped to the highest rating
    assert found["made_up (size 8)", "rmse"] == pytest.approx(np.sqrt(np.mean((5 - true) ** 2)))
    assert {"blend", "clock_blend"} <= {name for name, _ in found}
    assert [script for script, _ in asked] == ["surprise_svdpp", "myfm_svdpp"]
    rows = exchange.read_rows(Path("runs/peers/ml100k-u1/rows"))
    assert len(rows["train_rating"]) + len(rows["val_rating"]) == 180
    assert len(rows["test_user"]) == len(rows["test_item"]) == 20
    assert "test_rating" not in rows
    both = {more: len(user) for more, user, _, _ in ratings.both_ways(rows)}
    assert both == {"": len(rows["train_user"]), ", validation rows too": 180}


def test_labels_are_those_of_the_texts(here, intents, peer):
    def predict(rows):
        words = [text.split()[0] for text in rows["train_text"]]
        label_of = dict(zip(words, rows["train_label"], strict=True))
        told = [label_of[text.split()[0]] for text in rows["test_text"]]
        return np.eye(int(rows["labels"]))[told]

    peer(predict)
    found = measured("banking77", intents)
    assert found["made_up (size 8)", "accuracy"] == 1
    assert ("logistic_regression", "accuracy") in found
    assert "test_label" not in exchange.read_rows(Path("runs/peers/banking77/rows"))


def test_what_is_finished_is_not_run_again(tmp_path, peer, monkeypatch):
    works = []

    def predict(rows):
        if not works:
            raise subprocess.CalledProcessError(1, "myfm_svdpp")
        return rows["size"] * np.ones(3)

    def lines():
        of = peer_runs.Peer("myfm_svdpp")
        found = peer_runs.lines_of(
            of, tmp_path / "rows", tmp_path, tmp_path, lambda scores: -scores
        )
        return [(line.name, line.fit_seconds, line.predicted.tolist()) for line in found]

    asked = peer(predict)
    exchange.write_rows(tmp_path / "rows", size=np.array(2))
    with pytest.raises(subprocess.CalledProcessError):
        lines()
    works.append(True)
    assert lines() == lines() == [("made_up", 2.0, [-2.0] * 3)], "what is kept of the predictions"
    assert len(asked) == 2
    monkeypatch.setattr(peer_runs, "fingerprint", lambda extra: "other packages")
    lines()
    exchange.write_rows(tmp_path / "rows", size=np.array(3))
    assert lines() == [("made_up", 2.0, [-3.0] * 3)]
    assert len(asked) == 4


def test_a_finished_run_of_ours_comes_first(here, sequences, peer, monkeypatch):
    peer(equal)
    runs = []

    def predictions(run, data, rows):
        runs.append(run)
        return np.tile([2.0, 1.0], (len(rows), 1))

    monkeypatch.setattr(cases, "predictions_of_run", predictions)
    found = measured("scientific", sequences)
    assert runs == [Path("runs/scientific/seed_0")]
    assert found["lit_rec", "masked_ndcg@10"] == 1
    difference = found["made_up (size 8)", "masked_ndcg@10_difference to lit_rec"]
    assert difference == pytest.approx(1 - 1 / log2(4.5))


def test_a_run_is_tested_again(here, archive, monkeypatch):
    config = ROOT / "configs/movielens_u1.yaml"
    data, module = our_side.configured(config, archive / "ml-100k")
    run = here / "runs/ml100k-u1/seed_0"
    rows = exported_rows.tested_rows(data)
    assert our_side.predictions_of_run(run, data, rows) is None
    (run / "version_0").mkdir(parents=True)
    for name in ("best.ckpt", "report.json"):
        (run / "version_0" / name).write_text("")
    monkeypatch.setattr(our_side, "load_module", lambda path: (module, {}))
    predicted = our_side.predictions_of_run(run, data, rows[::-1])
    quiet = {"enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(logger=False, enable_checkpointing=False, **quiet)
    (figures,) = trainer.test(module, data, verbose=False)
    errors = predicted[::-1] - data.prepared.rating[rows]
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(figures["test/rmse"], abs=1e-5)


def test_peers_choose_by_the_same_measure():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(40, 30)).astype(np.float32)
    target = rng.integers(30, size=40)
    row, item = np.repeat(np.arange(40), 3), rng.integers(30, size=120)
    item[0] = target[0]  # a target that was seen before is not left out
    wanted = torch.from_numpy(target)
    block = ScoredRows.of(slice(0, 40), torch.from_numpy(scores), wanted)
    pairs = np.unique(np.stack([row, item]), axis=1)  # as SeenItems has them
    ranks = target_ranks(block, wanted, SeenItems.of_pairs(*pairs)).double().numpy()
    found = next_item.unseen_ndcg(scores, target, row, item)
    assert found == pytest.approx(ndcg(ranks[:, 1], 10).mean())


@pytest.mark.parametrize("module", [exchange, next_item, ratings])
def test_examples(module):
    assert doctest.testmod(module).failed == 0


@pytest.fixture
def installed(monkeypatch):
    """What is asked of venv and pip, which make a Python; ``fails``: pip ends with an error."""
    asked, fails = [], []

    def run(words, **options):
        asked.append(words[1:])
        if "pip" in words and fails:
            raise subprocess.CalledProcessError(1, words)
        if "venv" in words:
            python = Path(words[-1], "bin/python")
            python.parent.mkdir(parents=True, exist_ok=True)
            python.write_text("")

    monkeypatch.setattr(environments.subprocess, "run", run)
    return asked, fails


def test_an_environment_is_made_once(installed, tmp_path, monkeypatch, capsys):
    asked, _ = installed
    place = tmp_path / "peers-environment"
    assert environments.python_of("peers", tmp_path) == place / "bin/python"
    assert f"making {place}" in capsys.readouterr().err
    venv, pip = asked
    assert venv == ["-m", "venv", "--clear", str(place)]
    assert pip[pip.index("-c") + 1] == str(environments._VERSIONS / "peers.txt")
    assert pip[pip.index("-c") + 2 :] == environments.requirements("peers")
    environments.python_of("peers", tmp_path)
    assert len(asked) == 2
    monkeypatch.setattr(environments, "fingerprint", lambda extra: "other packages")
    environments.python_of("peers", tmp_path)
    assert len(asked) == 4


def test_packages_that_are_absent(installed, tmp_path):
    asked, fails = installed
    fails.append(True)
    with pytest.raises(ConfigError, match="could not be installed") as error:
        environments.python_of("peers-rectools", tmp_path)
    assert f"{tmp_path}/peers-rectools-environment/bin/python -m pip install" in error.value.remedy
    assert error.value.remedy.endswith("'rectools[torch]>=0.19.0'")
    fails.clear()
    environments.python_of("peers-rectools", tmp_path)
    assert len(asked) == 4, "what is not whole is made again"


@pytest.mark.parametrize("extra", ["peers", "peers-rectools"])
def test_every_package_has_its_version(extra):
    lines = (environments._VERSIONS / f"{extra}.txt").read_text().splitlines()
    pinned = dict(line.lower().split("==") for line in lines if not line.startswith("#"))
    for one in map(Requirement, environments.requirements(extra)):
        assert one.specifier.contains(Version(pinned[one.name.lower()]))
    constraints = (ROOT / "constraints.txt").read_text()
    assert f"\ntorch=={pinned['torch']}\n" in constraints


def test_every_peer_has_its_script():
    for case in cases.CASES.values():
        assert (ROOT / case.config).is_file()
        for peer in case.peers:
            assert (peer_runs._FITS / f"{peer.script}.py").is_file()
            assert environments.requirements(peer.extra)


def test_there_is_no_short_form(archive):
    with pytest.raises(ConfigError, match="no short form"):
        command.main(["peers", "ml100k-u1", "--quick", "--data", str(archive)])
