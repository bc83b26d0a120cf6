"""Pre-training on texts alone, from the command line to an encoder that another run takes."""

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from lit_rec.data.batches import collators
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


def near_pretraining(given):
    path = "lit_rec.models.pretraining.text_pretraining.TextPretraining"
    init = {
        **text_classifier(given)["init_args"],
        "masked_weight": 0.0,
        "near_weight": 1.0,
        "near": 3,
    }
    return {"class_path": path, "init_args": init}


def test_near_texts_are_the_training_items_that_the_encoder_began_with(
    workplace, tables, monkeypatch, capsys
):
    made = []

    class Watched(collators.NearestItems):
        def __init__(self, prepared, nearest):
            made.append((prepared, nearest))
            super().__init__(prepared, nearest)

    monkeypatch.setattr(collators, "NearestItems", Watched)
    folder, figures, frame = run(
        workplace, "near", "intent", near_pretraining, texts=True, task="pretraining"
    )
    assert ("val/loss", "min") in decided_by(folder)
    assert figures["lit_rec", "loss"] > 0
    assert frame["loss"].is_finite().all()
    lit_rec("check", "-c", workplace / "near.yaml")
    assert "\ntokens     of the training rows\n" in capsys.readouterr().out
    prepared, nearest = made[0]
    assert all((other == nearest).all() for _, other in made)  # fit, test and predict have the same
    fields = torch.stack(
        [_means(workplace, prepared.texts[name]) for name in prepared.texts.columns], 1
    )
    unit = torch.nn.functional.normalize(fields, dim=2).sum(1)
    cosine = torch.nn.functional.cosine_similarity(unit[:, None], unit[None], dim=2).numpy()
    train = set(prepared.item[prepared.rows_of("train")].tolist())
    assert len(train) < len(cosine)
    for item, found in enumerate(nearest):
        assert set(found.tolist()) <= train - {item}
        others = sorted((cosine[item, other] for other in train - {item}), reverse=True)
        assert cosine[item, found[::-1]] == pytest.approx(np.array(others[:3]), abs=1e-4)


def _means(workplace, texts):
    """The means of each text's token vectors, one text at a time."""
    path = workplace / "checkpoints/assets/all-MiniLM-L6-v2"
    tokenizer, model = AutoTokenizer.from_pretrained(path), AutoModel.from_pretrained(path).eval()
    with torch.no_grad():
        found = [
            model(**tokenizer(text, return_tensors="pt")).last_hidden_state.mean(1)[0]
            for text in texts
        ]
    return torch.stack(found)


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
