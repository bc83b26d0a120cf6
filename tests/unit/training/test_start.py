"""A run that begins at a closed form: what it predicts at first, its checkpoint, new items, and its resumption."""

import functools

import lightning
import numpy as np
import polars as pl
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from lit_rec.data.batches.collator import BatchRows
from lit_rec.data.history.histories import NoHistory, PastHistory, TrainingHistory
from lit_rec.data.history.rule import Where
from lit_rec.data.splits.splits import RandomSplit
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.stored.network import load_module
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.starts.gaussian_process import GaussianProcessStart
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.models.users.user_encoder import MeanUserEncoder
from lit_rec.training.closed_forms import rated_rows
from lit_rec.training.lit_rec import LitRec
from tests.unit.training.test_lit_rec import data_of, folder, trainer_of  # noqa: F401

pytestmark = pytest.mark.filterwarnings("default")


def module_of(path):
    def build(facts):
        backbone = functools.partial(PretrainedBackbone, name=str(path))
        return TwoTower(
            facts,
            item_encoder=functools.partial(ItemEncoder, backbone=backbone, width=8),
            user_encoder=MeanUserEncoder,
            head=NeighborhoodHead,
            start=functools.partial(GaussianProcessStart, rank=2, draws=1, components=4),
        )

    lightning.seed_everything(0, verbose=False)
    return LitRec(build, encoder_rate=1e-3, head_rate=1e-2), build


@pytest.fixture(scope="module")
def fitted(folder, tmp_path_factory):  # noqa: F811
    """A run of two epochs, with the checkpoint of its first epoch and of its end."""
    path = tmp_path_factory.mktemp("started")
    module, build = module_of(folder)
    first = ModelCheckpoint(path, "first", every_n_epochs=1, save_top_k=-1)
    whole = trainer_of(path, max_epochs=2, enable_checkpointing=True, callbacks=[first])
    whole.fit(module, datamodule=data_of(folder, path / "cache"))
    whole.save_checkpoint(path / "last.ckpt")
    return module, whole, build, path


def test_the_checkpoint_holds_all_that_inference_needs(fitted):
    module, _, build, path = fitted
    loaded, _ = load_module(path / "last.ckpt", build)
    one, two = module.built().state_dict(), loaded.built().state_dict()
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert float(one["start.share"]) != 0


def test_a_recommender_scores_as_the_run_and_takes_new_items(fitted):
    module, trainer, build, path = fitted
    data = trainer.datamodule
    rec = Recommender.from_checkpoint(path / "last.ckpt", network=build)
    row = int(data.prepared.rows_of("val")[0])
    (batch,) = [b for b in data.val_dataloader() if row in b.row.tolist()]
    place = batch.row.tolist().index(row)
    module.eval()
    with torch.no_grad():
        expected = module.predictions(module.scores(batch))[place, 0].item()
    ids, slots = data.prepared.items["item_id"], int(batch.history.mask[place].sum())
    now = float(data.prepared.timestamp[row])
    history = [
        {
            "item_id": ids[int(batch.items.catalogue_row[batch.history.item_index[place, slot]])],
            "rating": batch.history.rating[place, slot].item(),
            "timestamp": now - 86_400 * batch.history.age_days[place, slot].item(),
        }
        for slot in range(slots)
    ]
    item = ids[int(data.prepared.item[row])]
    found = rec.score(history=history, items=[item], timestamp=now)
    assert float(np.ravel(found)[0]) == pytest.approx(expected, abs=1e-3)
    rec.add_items(pl.DataFrame({"item_id": ["new"], "title": ["red city"]}))
    assert 1 <= float(np.ravel(rec.score(history=history, items=["new"]))[0]) <= 5


def test_a_resumed_run_ends_as_one_that_was_never_stopped(fitted, folder):  # noqa: F811
    module, _, _, path = fitted
    again, _ = module_of(folder)
    trainer = trainer_of(path, max_epochs=2)
    data = data_of(folder, path / "cache")
    trainer.fit(again, datamodule=data, ckpt_path=path / "first.ckpt", weights_only=True)
    one, two = module.built().state_dict(), again.built().state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_rows_know_how_many_of_their_user_are_earlier(fitted):
    data = fitted[1].datamodule
    rows = rated_rows(data)
    for place in range(len(rows.row)):
        own = rows.user == rows.user[place]
        assert rows.past[place] == (own & (rows.seconds < rows.seconds[place])).sum()
        assert rows.rating[place] == data.prepared.rating[rows.row[place]]
        assert (
            data.facts.item_ids[rows.item[place] - 1]
            == (data.prepared.items["item_id"][int(data.prepared.item[rows.row[place]])])
        )


@pytest.mark.parametrize(
    "history",
    [
        TrainingHistory(max_length=50),
        TrainingHistory(max_length=3),
        TrainingHistory(max_length=3, oldest=True),
        NoHistory(),
        PastHistory(max_length=50),
        TrainingHistory(max_length=50, where=Where(min_rating=3.0)),
        TrainingHistory(max_length=3, where=Where(min_rating=3.0)),
        PastHistory(max_length=50, where=Where(min_rating=3.0)),
    ],
    ids=["all", "newest", "oldest", "none", "past", "liked", "newest liked", "past liked"],
)
def test_a_training_row_is_predicted_as_its_history_is_at_evaluation(
    folder,  # noqa: F811
    tmp_path,
    history,
):
    """Where every part of the users has the same factors, the fast way is that of an evaluated row."""
    module, _ = module_of(folder)
    data = data_of(folder, tmp_path / "cache")
    data.split, data.history = RandomSplit(), history
    trainer = trainer_of(tmp_path, max_epochs=1, limit_train_batches=1, limit_val_batches=0)
    trainer.fit(module, datamodule=data)
    start, rows = module.built().start, rated_rows(data)
    start._parts = np.stack([start.items.numpy()] * 4)
    start.predict_rows(rows, len(data.prepared))
    fast = start._of_row[rows.row]
    batch = data.collator(with_texts=False)(BatchRows(rows.row))
    vocab_row = batch.items.vocab_row
    columns = torch.cat([start.items[vocab_row], start.texts[vocab_row]], 1)
    slow = start.eval()(columns, batch)[:, 0]
    torch.testing.assert_close(fast, slow, atol=2e-3, rtol=0)
