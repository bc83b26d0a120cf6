"""Remedies of what answers: networks, indexes, lists and files of checkpoints."""

import importlib
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
import torch

from lit_rec.data.batches.collator import BatchRows
from lit_rec.inference.classifier import Classifier
from lit_rec.inference.index.approximate_index import ApproximateIndex
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.item_vectors import ItemVectors
from lit_rec.inference.lists import parts as list_parts
from lit_rec.inference.lists.list_module import ListModule, ListOptions
from lit_rec.inference.lists.list_writer import ListWriter
from lit_rec.inference.lists.parts import ListParts
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.reranker import Reranker
from lit_rec.inference.stored.network import load_module
from lit_rec.inference.stored.slim import slim
from lit_rec.training.checkpoint.content import KEY
from tests.integration.remedies.followed import each_remedy_of, follow, refused

pytestmark = pytest.mark.filterwarnings("default")


def test_kinds_of_networks(checkpoint, cross_checkpoint, text_checkpoints):
    kinds = (
        (Recommender, checkpoint),
        (Reranker, cross_checkpoint),
        (Classifier, text_checkpoints["label"]),
    )
    for kind, made in kinds:
        other = Classifier if kind is Recommender else Recommender
        remedy = refused(lambda: other(*made))[0].remedy  # noqa: B023
        module, _, name = remedy.partition(",")[0].rpartition(".")
        assert getattr(importlib.import_module(module), name) is kind
        follow(lambda: other(*made), lambda: kind(*made), says="takes this checkpoint")  # noqa: B023


def test_lists_of_other_networks(cross_checkpoint, texts, text_checkpoints):
    module, _ = text_checkpoints["label"]
    made = texts["label"]
    batch = made.collator(with_texts=True)(BatchRows(made.prepared.rows_of("all")))
    trainer = SimpleNamespace(datamodule=made)
    follow(
        lambda: ListWriter(ListOptions()).setup(trainer, module, "predict"),
        lambda: module.predict_step(batch, 0),
        says="leave --k out to have a score of each row",
    )


def test_lists_of_a_cross_encoder(data, cross_checkpoint):
    made = ListModule(cross_checkpoint[0]._factory)
    made.facts = data.facts

    def configured(lists):
        made.lists = lists
        made.configure_model()

    follow(
        lambda: configured(ListOptions()),
        lambda: configured(None),
        says="leave --k out to have a score of each row",
    )


def test_the_length_of_lists():
    follow(lambda: ListOptions(0), lambda: ListOptions(10), says="ask for 10")


@pytest.mark.parametrize(
    "way", ["wait until it has ended", "copy the checkpoint to another folder"]
)
def test_two_commands_in_a_folder(tmp_path, monkeypatch, way):
    monkeypatch.setattr(list_parts, "_PATIENCE", 0.0)
    first, second = (ListParts(tmp_path / "recommendations.parquet", "a" * 16) for _ in range(2))
    first.claim()
    if "copy" in way:
        follow(
            second.claim,
            ListParts(tmp_path / "b/recommendations.parquet", "a" * 16).claim,
            says=way,
        )
    else:
        follow(second.claim, lambda: first.release() or second.claim(), says=way)


VECTORS = torch.eye(4)


def test_an_index_without_faiss():
    def without(index):
        with mock.patch.object(importlib, "import_module", side_effect=ImportError("no faiss")):
            index()

    def approximate():
        ApproximateIndex(VECTORS, exact_below=1)

    says = "pip install faiss-cpu, or use the exact index: leave the option out"
    follow(lambda: without(approximate), lambda: without(lambda: ExactIndex(VECTORS)), says=says)
    follow(lambda: without(approximate), approximate, says=says)


def test_an_index_of_other_vectors(tmp_path):
    path = tmp_path / "a.index"
    ApproximateIndex(VECTORS).save(path)
    other = VECTORS.flip(0)[:3]
    load = lambda: ApproximateIndex.load(path, other)  # noqa: E731
    follow(
        load,
        lambda: ApproximateIndex.load_or_build(path, other),
        says="or use ApproximateIndex.load_or_build",
    )
    ApproximateIndex(VECTORS).save(path)
    follow(load, lambda: ApproximateIndex(other).save(path) or load(), says="build it again")


def test_vectors_that_are_not_finite():
    follow(
        lambda: ItemVectors(VECTORS / 0),
        lambda: ItemVectors(VECTORS),
        says="use an earlier checkpoint",
    )


def test_an_index_for_scores_that_are_no_products(rec, checkpoint):
    module, content = checkpoint
    with mock.patch("lit_rec.inference.scores.user_scores.UserScores.by_products", False):
        follow(
            lambda: Recommender(module, content, index=ExactIndex),
            lambda: Recommender(module, content),
            says="leave it out, and every item is scored",
        )
    assert Recommender(module, content, index=ExactIndex).recommend([]), "its head is a DotHead"


def test_a_checkpoint_without_a_configuration(checkpoint, network, tmp_path):
    module, content = checkpoint
    path = tmp_path / "best.ckpt"
    torch.save({"state_dict": module.state_dict(), KEY: content}, path)
    broken = lambda: Recommender.from_checkpoint(path)  # noqa: E731
    code = f"Recommender.{refused(broken)[0].remedy}"
    names = {"Recommender": Recommender, "path": path, "FACTORY": network}
    follow(broken, lambda: eval(code, names), says="from_checkpoint(path, network=FACTORY)")


def test_options_that_no_class_takes(run_folder, strange):
    def change(config):
        config["model"]["network"]["init_args"]["head"] = {
            "class_path": "DotHead",
            "init_args": {"x": 1},
        }

    broken = strange(change)
    with mock.patch("lit_rec.inference.stored.network.check_named"):
        follow(
            lambda: load_module(broken),
            lambda: load_module(run_folder / "best.ckpt"),
            says="use the file as `lit-rec fit` wrote it, with the same version of lit_rec",
        )


def test_slim(run_folder):
    path = Path("best.ckpt").absolute()
    path.write_bytes((run_folder / "best.ckpt").read_bytes())
    follow(
        lambda: slim(path, path), lambda: slim(path), says="leave --output out, and best.slim.ckpt"
    )
    follow(lambda: slim(path), lambda: slim(path, "other.ckpt"), says="name another with --output")
    follow(lambda: slim(path), lambda: slim(path, overwrite=True), says="or add --overwrite")
    Path("best.slim.ckpt").unlink()
    Path("best.slim.ckpt").mkdir()
    broken = lambda: slim(path)  # noqa: E731
    said = refused(broken)[0].remedy.rpartition(" ")[2]
    follow(broken, lambda: slim(path, said), says="name another with --output, such as")


test_each_remedy_was_followed = each_remedy_of(
    *(f"inference/{name}" for name in ("index", "lists", "scores")),
    "inference/stored/network.py",
    "inference/stored/slim.py",
)
