"""What the report is made of: the frozen text vectors of a fake encoder, and baselines within the range of ratings."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

from lit_rec.data.tokens import SpecialTokens, TokenStore
from lit_rec.evaluation.baselines import Baseline
from lit_rec.evaluation.report import Report
from lit_rec.training import report_writer
from lit_rec.training.report_writer import ReportWriter, frozen_item_vectors


class FakeBackbone(nn.Module):
    """Token k becomes the k-th of some vectors."""

    width = 2
    vectors = torch.tensor([[9.0, 9.0], [1.0, 1.0], [3.0, 1.0], [1.0, 5.0], [2.0, 2.0]])

    def forward(self, chunk):
        return self.vectors[chunk.input_ids]  # [P', T, D]


def frozen(text_of_item):
    """Vectors of a catalogue whose four texts are the tokens 1, 2, 3 and 2 4."""
    store = TokenStore(np.array([1, 2, 3, 2, 4], np.int32), np.array([0, 1, 2, 3, 5]))
    network = nn.Module()
    network.backbone = FakeBackbone()
    built = []

    def new_network(facts, *, pretrained):
        built.append(pretrained)
        return network

    data = SimpleNamespace(
        facts=SimpleNamespace(special=SpecialTokens((), (), 0)),
        catalogue=SimpleNamespace(store=store, text_of_item=np.array(text_of_item)),
    )
    module = SimpleNamespace(new_network=new_network, device=torch.device("cpu"))
    vectors = frozen_item_vectors(module, data)
    assert built == [True]
    return vectors


def test_frozen_vectors_of_one_field_are_centred_and_of_unit_norm():
    """Texts (1, 1), (3, 1), (1, 5) about their mean (5/3, 7/3): (-2, -4)/3, (4, -4)/3, (-2, 8)/3."""
    centred = [[-2, -4], [4, -4], [-2, 8]]
    expected = [[x / np.hypot(x, y), y / np.hypot(x, y)] for x, y in centred]
    assert frozen([[0], [1], [2]]) == pytest.approx(np.array(expected))


def test_frozen_vectors_of_two_fields_stand_side_by_side():
    """The mean of both fields' cosines. Second field: text 3, the mean (2.5, 1.5) of its tokens, and text 2, (1, 5), twice."""
    first = frozen([[0], [1], [2]])
    both = frozen([[0, 3], [1, 2], [2, 2]])
    assert both.shape == (3, 4)
    away = np.array([1.5, -3.5]) / np.hypot(1.5, 3.5)  # (2.5, 1.5) - (1, 5)
    second = np.array([away, -away, -away])
    assert both @ both.T == pytest.approx((first @ first.T + second @ second.T) / 2)
    assert both == pytest.approx(np.hstack([first, second]) / np.sqrt(2))


class LinearBaseline(Baseline):
    """Predict ten times the item's code."""

    name = "linear"

    def fit(self, train, num_users, num_items):
        pass

    def predict(self, user, item, history):
        return 10.0 * item


def test_baselines_are_cut_to_the_range_of_the_training_ratings(tmp_path, monkeypatch):
    """Of 0, 10 and 20, cut to the 2 to 4 of the training rows; one test rating of 5 lies outside them."""
    prepared = SimpleNamespace(
        user=np.array([0, 0, 1, 1, 1]),
        item=np.array([0, 1, 0, 1, 2]),
        rating=np.array([2.0, 4.0, 3.0, 4.0, 5.0]),
        user_ids=["a", "b"],
        items=pl.DataFrame({"item_id": ["x", "y", "z"]}),
        rows_of=lambda part: {"train": np.array([0, 1])}[part],
    )
    nothing = np.zeros((3, 1), np.int64)
    empty = SimpleNamespace(source=nothing - 1, item=nothing, mask=nothing > 0)
    data = SimpleNamespace(
        prepared=prepared,
        facts=SimpleNamespace(rating_range=(2.0, 4.0)),
        history=SimpleNamespace(bind=lambda prepared: SimpleNamespace(of=lambda rows: empty)),
    )
    monkeypatch.setattr(report_writer, "baselines", lambda module, data: [LinearBaseline()])
    monkeypatch.setattr(report_writer, "run_folder", lambda trainer: tmp_path)
    trainer = SimpleNamespace(datamodule=data, is_global_zero=True)
    writer = ReportWriter()
    writer.on_test_start(trainer, None)
    batch = SimpleNamespace(row=torch.tensor([4, 2, 3]))
    writer.on_test_batch_end(trainer, None, torch.tensor([[4.0], [3.0], [4.0]]), batch, 0)
    writer.on_test_end(trainer, None)
    report = Report.read(tmp_path / "report.json")
    assert report.value("lit_rec", "mae") == pytest.approx(1 / 3)
    # 2, 4, 4 for 3, 4, 5
    assert report.value("linear", "mae") == pytest.approx(2 / 3)
    assert report.value("linear", "rmse") == pytest.approx(np.sqrt(2 / 3))
