"""Weights of behaviors, read off user vectors: the coordinates, where each item's vector is one of its own axis."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from lit_rec.data.batches.batch import (
    Candidates,
    HistorySlots,
    Items,
    RecBatch,
    Target,
    Texts,
    Users,
)
from lit_rec.data.facts import Facts
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder
from lit_rec.training.callbacks.behavior_weights import behavior_weights
from lit_rec.training.callbacks.tensorboard_views import TensorBoardViews

pytestmark = pytest.mark.filterwarnings("default")

ITEMS = 8
LENGTHS = (3, 0, 4, 1, 2)


@pytest.fixture
def facts():
    return Facts.example(user_ids=("u",), item_ids=tuple(f"i{n}" for n in range(ITEMS)))


@pytest.fixture
def batch():
    rows = len(LENGTHS)
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    item = torch.stack([(torch.arange(4) * 3 + row) % ITEMS for row in range(rows)])
    nothing, none = torch.full(mask.shape, torch.nan), torch.zeros_like(item)
    one = torch.ones(rows, 2, dtype=torch.bool)
    return RecBatch(
        texts=Texts(torch.zeros(0, dtype=torch.int32), torch.zeros(1, dtype=torch.int64)),
        items=Items(torch.zeros(ITEMS, 1).long(), torch.arange(ITEMS), torch.zeros(ITEMS).long()),
        users=Users(torch.zeros(rows).long()),
        history=HistorySlots(torch.where(mask, item, 0), mask, nothing, none, nothing, none),
        candidates=Candidates(torch.tensor([[7, 0], [6, 1], [5, 2], [4, 3], [3, 4]]), one),
        target=Target(torch.ones(rows, 2), one),
        row=torch.arange(rows),
        impression=torch.full((rows,), -1),
    )


VECTORS = torch.cat([torch.eye(ITEMS), torch.zeros(ITEMS, 1)], 1)


def encoder_of(kind, facts):
    torch.manual_seed(0)
    encoder = kind(facts, ITEMS).eval()
    for parameter in encoder.parameters():
        if parameter.ndim == 2:
            nn.init.normal_(parameter, std=2.0)
    return encoder


@pytest.mark.parametrize("rows", [3, 100])
@pytest.mark.parametrize("kind", [AdditiveAttentionUserEncoder, CandidateAttentionUserEncoder])
def test_weights_are_the_coordinates_of_the_user(kind, rows, facts, batch):
    encoder = encoder_of(kind, facts)
    weights = behavior_weights(encoder, VECTORS, batch, rows)
    assert weights.shape == (min(rows, len(LENGTHS)), 4)
    users = encoder(VECTORS, batch).detach()
    if users.dim() == 3:
        users = users[:, 0]  # the first candidate's
    for row, of_row in enumerate(weights):
        length = LENGTHS[row]
        expected = users[row, batch.history.item_index[row, :length]]
        torch.testing.assert_close(of_row[:length], expected)
        assert not of_row[length:].any()
        assert length < 2 or of_row[:length].std() > 0.01
    assert not encoder._forward_hooks
    assert not any(part._forward_hooks for part in encoder.modules())


def test_weights_that_are_not_learned_are_none(facts, batch):
    assert behavior_weights(MeanUserEncoder(facts, ITEMS), VECTORS, batch, 3) is None
    assert behavior_weights(None, VECTORS, batch, 3) is None


@pytest.fixture
def drawn(facts, batch, tmp_path):
    """What TensorBoard holds after a validation by an attention whose weights are all alike."""
    encoder = encoder_of(AdditiveAttentionUserEncoder, facts)
    nn.init.zeros_(encoder.score.weight)
    module = SimpleNamespace(
        facts=facts,
        network=nn.ModuleDict({"user_encoder": encoder}),
        built=lambda: SimpleNamespace(user_encoder=encoder, vectors_of=lambda table: table),
        last_table=VECTORS,
        last_predictions=torch.full((len(LENGTHS), 1), 4.0),
    )
    ratings = np.array([1.0, 2.0, np.nan, 4.0, 4.5], np.float32)
    trainer = SimpleNamespace(
        loggers=[TensorBoardLogger(tmp_path, name="", version="")],
        state=SimpleNamespace(fn="fit"),
        sanity_checking=False,
        is_global_zero=True,
        global_step=7,
        datamodule=SimpleNamespace(
            prepared=SimpleNamespace(rating=ratings), history=SimpleNamespace(targets=None)
        ),
    )
    views = TensorBoardViews()
    views.on_validation_start(trainer, module)
    views.on_validation_batch_end(trainer, module, None, batch, 0)
    views.on_validation_end(trainer, module)
    trainer.loggers[0].experiment.flush()
    events = EventAccumulator(str(tmp_path), size_guidance={"histograms": 0})
    events.Reload()
    return {tag: events.Histograms(tag) for tag in events.Tags()["histograms"]}


def test_tensorboard_has_a_weight_of_each_real_behavior(drawn):
    [found] = drawn["weights/behaviors"]
    value = found.histogram_value
    assert found.step == 7
    assert (value.num, value.min, value.max) == (sum(LENGTHS), 0.25, 1.0)
    assert value.sum == pytest.approx(4)  # users with a history


def test_tensorboard_has_how_many_behaviors_ago_they_were_by_their_weight(drawn):
    [found] = drawn["weights/behaviors_ago"]
    value = found.histogram_value
    counts = dict(zip(value.bucket_limit, value.bucket, strict=True))
    # lengths 1, 2, 3 and 4 share a weight of 1 each
    expected = [1 + 1 / 2 + 1 / 3 + 1 / 4, 1 / 2 + 1 / 3 + 1 / 4, 1 / 3 + 1 / 4, 1 / 4]
    assert [counts[limit] for limit in (1.5, 2.5, 3.5, 4.5)] == pytest.approx(expected)
    assert (value.min, value.max) == (1, 4)
    assert value.sum == pytest.approx(1 + 3 / 2 + 2 + 5 / 2)  # the mean is 1, 1.5, 2 and 2.5 ago


def test_tensorboard_has_the_errors_of_rows_with_a_rating(drawn):
    value = drawn["val/error"][0].histogram_value
    assert (value.num, value.min, value.max) == (4, -0.5, 3.0)
