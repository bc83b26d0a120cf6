"""Pre-training on texts alone, from the command line to an encoder that another run takes."""

import pytest
import torch
from transformers import AutoModel

from lit_rec.inference.classifier import Classifier
from lit_rec.inference.stored.network import load_module

from .conftest import lit_rec
from .label_runs import decided_by, run, text_classifier

pytestmark = pytest.mark.filterwarnings("default")


def text_pretraining(given):
    classifier = text_classifier(given)
    init = {**classifier["init_args"], "contrast_weight": 1.0}
    path = "lit_rec.models.pretraining.text_pretraining.TextPretraining"
    return {"class_path": path, "init_args": init}


def test_texts_alone_train_an_encoder_that_a_task_begins_with(workplace, tables, tmp_path):
    folder, figures, frame = run(
        workplace, "pretrained", "intent", text_pretraining, texts=True, task="pretraining"
    )
    assert ("val/loss", "min") in decided_by(folder)
    assert frame["loss"].is_finite().all()
    assert len(frame) == 40
    # test rows alone, so not the mean of all predictions
    assert figures["lit_rec", "loss"] > 0
    checkpoint = folder / "best.ckpt"
    lit_rec("export-encoder", "--ckpt_path", checkpoint, "--output", tmp_path / "encoder")
    own = load_module(checkpoint)[0].built().backbone.model
    exported = AutoModel.from_pretrained(tmp_path / "encoder")
    for name, weight in exported.state_dict().items():
        assert torch.equal(weight, own.state_dict()[name]), name

    lit_rec(
        "fit",
        *("-c", workplace / "pretrained.yaml", "--data.encoder", tmp_path / "encoder"),
        *("--data.task", "label", "--model.network", "TextClassifier"),
        *("--model.network.item_encoder.backbone.name", tmp_path / "encoder"),
        *("--trainer.max_epochs", 1, "--trainer.logger.init_args.name", "after"),
    )
    labels = Classifier.from_checkpoint(workplace / "runs/after/version_0/best.ckpt")
    assert sum(one.probability for one in labels.classify(["a night"], 3)[0]) == pytest.approx(1)
