"""Text classifiers that begin at logistic regression and learn by contrast, on one process and on two."""

from functools import partial
from unittest import mock

import lightning
import numpy as np
import polars as pl
import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging
from sklearn.linear_model import LogisticRegression

from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.splits.splits import RandomSplit
from lit_rec.data.text_datamodule import ItemTextDataModule
from lit_rec.data.texts.template import TextTemplate
from lit_rec.data.training_facts import target_of_rows
from lit_rec.errors import ConfigError
from lit_rec.models.heads.value_heads import LinearHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.linear.softmax_regression import logistic_regression
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.objectives.contrast import ContrastiveCrossEntropy
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.training.callbacks.refit_head import RefitHead
from lit_rec.training.lit_rec import LitRec

from . import several_commands
from .conftest import message
from .own_runs import checkpoint, difference, part, run_apart, uneven, write

pytestmark = pytest.mark.filterwarnings("default")
HEAD = "lit_rec.models.heads.value_heads.LinearHead"
CONTRAST = "lit_rec.models.objectives.contrast.ContrastiveCrossEntropy"
TWO = ("--data.batch_size=8", "--trainer.devices=2", "--trainer.strategy=ddp")


def fitted(workplace, tables, label, *, callbacks=(), begin="logistic_regression", **rates):
    """One step of a classifier; without rates it changes nothing."""
    encoder = f"{workplace}/checkpoints/assets/all-MiniLM-L6-v2"
    data = ItemTextDataModule(
        LabelledTextReader(str(tables / "texts.csv"), {"label": label}),
        encoder,
        TextTemplate(["title"]),
        RandomSplit(),
        batch_size=8,
        cache_folder=f"{workplace}/cache",
    )
    backbone = partial(PretrainedBackbone, name=encoder)
    item_encoder = partial(ItemEncoder, backbone=backbone, width=16, unit=True, balanced=True)
    head = partial(LinearHead, begin=begin)
    network = partial(TextClassifier, item_encoder=item_encoder, head=head)
    module = LitRec(network, ContrastiveCrossEntropy(), **rates)
    options = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    options |= {"enable_model_summary": False, "callbacks": list(callbacks), "max_steps": 1}
    validated = {"val_check_interval": 1, "limit_val_batches": 1 if callbacks else 0}
    trainer = lightning.Trainer(accelerator="cpu", num_sanity_val_steps=1, **validated, **options)
    trainer.fit(module, data)
    return module, data


@pytest.mark.parametrize("label", ["intent", "like"])
def test_training_begins_at_logistic_regression(workplace, tables, tmp_path, label):
    texts = pl.read_csv(tables / "texts.csv", infer_schema=False)
    texts = texts.with_columns(like=pl.col("intent").replace({"2": "1"}))
    texts.write_csv(tmp_path / "texts.csv")
    module, data = fitted(workplace, tmp_path, label, encoder_rate=0.0, head_rate=0.0)
    network = module.eval().built()
    rows = data.prepared.rows_of("train")
    given, items = data.catalogue.take(data.prepared.item[rows].astype(np.int64))
    with torch.no_grad():
        vectors = network.encode_items(given, items)[:, :-1]
        found = torch.softmax(network.head.linear(vectors), -1).numpy()
    # centred, turned and scaled, unit vectors keep their distances
    texts = network.item_encoder.encode_texts(given).detach()[items.text_index[:, 0]]
    unit = torch.nn.functional.normalize(texts, dim=-1)
    ours, plain = torch.pdist(vectors), torch.pdist(unit)
    assert (ours / ours.norm()).tolist() == pytest.approx((plain / plain.norm()).tolist(), abs=1e-4)

    target = target_of_rows(data.prepared, data.facts)[rows]
    labels = len(data.facts.labels)
    chosen = logistic_regression(
        vectors.numpy(), np.eye(labels)[target], careful=True
    ).inverse_penalty
    peer = LogisticRegression(C=chosen * (2 if labels == 2 else 1), tol=1e-8, max_iter=5000)
    peer.fit(vectors.numpy(), target)
    assert found == pytest.approx(peer.predict_proba(vectors.numpy()), abs=5e-3)


def test_a_head_is_fitted_again_on_the_trained_encoder(workplace, tables):
    """With the penalty of the start, which a resumed run knows, too."""
    callback = RefitHead()
    rates = {"encoder_rate": 1e-2, "head_rate": 1e-2}
    module, data = fitted(workplace, tables, "intent", callbacks=[callback], **rates)
    network = module.eval().built()
    rows = data.prepared.rows_of("train")
    given, items = data.catalogue.take(data.prepared.item[rows].astype(np.int64))
    with torch.no_grad():
        vectors = network.encode_items(given, items)[:, :-1]
        found = torch.softmax(network.head.linear(vectors), -1).numpy()
    target = target_of_rows(data.prepared, data.facts)[rows]
    chosen = callback.state_dict()["inverse_penalty"]
    peer = LogisticRegression(C=chosen, tol=1e-8, max_iter=5000).fit(vectors.numpy(), target)
    assert found == pytest.approx(peer.predict_proba(vectors.numpy()), abs=5e-3)

    resumed = RefitHead()
    resumed.load_state_dict({"inverse_penalty": 0.25})
    module, _ = fitted(workplace, tables, "intent", callbacks=[resumed], **rates)
    assert module.built().head.inverse_penalty == 0.25


def test_heads_that_cannot_be_fitted_again(workplace, tables):
    with pytest.raises(ConfigError, match="RefitHead beside LinearHead") as error:
        fitted(workplace, tables, "intent", callbacks=[RefitHead()], begin="random")
    assert "LinearHead.begin to logistic_regression" in error.value.remedy
    averaging = EMAWeightAveraging(decay=0.9)
    with pytest.raises(ConfigError, match="RefitHead beside averaged weights"):
        fitted(workplace, tables, "intent", callbacks=[averaging, RefitHead()])


def test_batches_hold_pairs_of_a_label(workplace, tables):
    module, data = fitted(workplace, tables, "intent", encoder_rate=1e-4, head_rate=1e-4)
    assert module.batch_plan().rows_per_label == 2
    for batch in data.train_dataloader():
        label = batch.target.value[:, 0]
        pairs = label[: len(label) // 2 * 2].view(-1, 2)
        # a label with an odd number of rows shifts what follows it
        assert (pairs[:, 0] == pairs[:, 1]).float().mean() >= 0.5 or len(label) < 8


def classifier(workplace, folder, **trainer):
    config = uneven(workplace, max_epochs=1, **trainer)
    config["trainer"]["logger"]["init_args"]["save_dir"] = str(folder)
    texts = pl.read_csv(workplace / "my/items.csv", infer_schema=False)
    chance = np.random.default_rng(0)
    split = np.array(["train"] * (len(texts) - 12) + ["val"] * 12)
    columns = {"intent": chance.integers(0, 3, len(texts)), "split": split}
    texts.select("title").with_columns(**{n: pl.Series(v) for n, v in columns.items()}).write_csv(
        folder / "texts.csv"
    )
    reader = part(
        "lit_rec.data.readers.labelled_texts.LabelledTextReader",
        texts=f"{folder}/texts.csv",
        columns={"label": "intent"},
    )
    given = config["data"]["init_args"]
    given.pop("history")
    given |= {"reader": reader, "task": "label", "batch_size": 16}
    given["text"]["init_args"]["columns"] = ["title"]
    config["data"]["class_path"] = "lit_rec.data.text_datamodule.ItemTextDataModule"
    item_encoder = config["model"]["network"]["init_args"]["item_encoder"]
    item_encoder["init_args"].pop("ids")
    config["model"]["network"] = part(
        "lit_rec.models.networks.text_classifier.TextClassifier",
        item_encoder=item_encoder,
        head=part(HEAD, begin="logistic_regression", dropout=0.0),
    )
    config["model"] |= {"objective": part(CONTRAST), "head_rate": 1e-3, "encoder_rate": 1e-4}
    return config


@pytest.mark.slow
def test_two_processes_train_what_one_does(workplace, tmp_path):
    """Rows of both are compared, and pairs may be divided between them."""
    config = write(classifier(workplace, tmp_path), tmp_path / "config.yaml")
    fit = ["fit", "-c", str(config)]
    named = [f"--trainer.logger.init_args.name={name}" for name in ("one", "two")]
    with mock.patch("sys.argv", ["lit-rec"]):
        one, _ = several_commands.run_all([[*fit, named[0]]])
    two, _ = run_apart([[*fit, named[1], *TWO]], tmp_path, seconds=200)
    first, second = (checkpoint(tmp_path / f"{name}/version_0") for name in ("one", "two"))
    assert first["global_step"] == second["global_step"] >= 2
    assert difference(first, second) < 1e-5
    assert two[0] == pytest.approx(one[0], abs=1e-4)


def test_parts_that_do_not_go_together(workplace, tmp_path, capsys):
    """Users' behaviors have no texts to compare, and ratings no logistic regression."""
    config = uneven(workplace, max_epochs=1)
    config["trainer"]["logger"]["init_args"]["save_dir"] = str(tmp_path)
    config["data"]["init_args"]["task"] = "label"
    reader = config["data"]["init_args"]["reader"]["init_args"]
    reader["behavior_columns"] = {**(reader.get("behavior_columns") or {}), "label": "rating"}
    network = config["model"]["network"]["init_args"]
    network["head"] = part("lit_rec.models.heads.value_heads.ClassificationHead")
    config["model"]["objective"] = part(CONTRAST)
    said = message(capsys, "fit", "-c", write(config, tmp_path / "users.yaml"))
    assert "ContrastiveCrossEntropy compares texts, and TwoTower predicts labels" in said
    assert "use CrossEntropy" in said

    config = uneven(workplace, max_epochs=1)
    network = config["model"]["network"]["init_args"]
    network["head"] = part(HEAD, begin="logistic_regression")
    said = message(capsys, "fit", "-c", write(config, tmp_path / "ratings.yaml"))
    assert "logistic_regression, and the data asks for a rating" in said
    assert "head.init_args.begin" in said
