"""Lists of all users from predict, against a Recommender that is asked user by user."""

import copy

import lightning
import numpy as np
import polars as pl
import pytest
import torch

from .conftest import CASES, TOWERS, USERS, check, module_of, recommender

pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize(("task", "place"), CASES)
def test_lists_are_those_of_a_recommender(made, lists, task, place):
    data = made(task)
    module = module_of(data, *TOWERS[task][place])
    rec, users = recommender(module, data), data.prepared.user_ids
    assert len(users) == USERS
    found = lists(module, data, k=5)
    assert found.schema == {
        "user_id": pl.String,
        "rank": pl.Int32,
        "item_id": pl.String,
        "score": pl.Float32,
    }
    check(found, rec, users, 5)
    per_user = dict(found.group_by("user_id").len().rows())
    assert per_user == {user: 3 if user == "u1" else 5 for user in users}
    assert rec.history_of("u0") == []
    check(lists(module, data, k=99, exclude_seen=False), rec, users, 99, exclude_seen=False)
    if task == "label":
        check(lists(module, data, k=4, label="no"), rec, users, 4, label="no")


def test_blocks_of_one_user_and_few_pairs_at_a_time_change_nothing(made, lists, monkeypatch):
    data = made("rating")
    module = module_of(data, *TOWERS["rating"][1])
    whole = lists(module, data, k=5)
    for numbers, shown, users in ((63 * 9, 10, 4), (7 * 9, 1, 1)):
        monkeypatch.setattr("lit_rec.inference.scores.user_scores._NUMBERS", numbers)
        monkeypatch.setattr("lit_rec.inference.lists.list_module._SHOWN_AT_ONCE", shown)
        other = copy.copy(data)
        other.eval_batch_size = users
        parts = lists(module, other, k=5)
        assert parts.drop("score").equals(whole.drop("score"))
        np.testing.assert_allclose(parts["score"], whole["score"], atol=1e-6)


def test_items_are_encoded_once_and_users_once(made, lists, monkeypatch, tmp_path):
    data = copy.copy(made("next_item"))
    data.cache_folder = tmp_path  # where no earlier test has kept vectors
    module, items, users = module_of(data, *TOWERS["next_item"][0]), [], []
    network = module.built()
    of_items, of_users = network.encode_items, network.encode_users
    monkeypatch.setattr(
        network,
        "encode_items",
        lambda t, i: items.extend(i.catalogue_row.tolist()) or of_items(t, i),
    )
    monkeypatch.setattr(
        network, "encode_users", lambda v, b, p: users.append(len(b)) or of_users(v, b, p)
    )
    lists(module, data, k=5)
    assert sorted(items) == list(range(40))
    assert users == [4, 4, 1]


def test_data_and_module_are_left_as_they_were(made, lists):
    data = made("rating")
    module = module_of(data, *TOWERS["rating"][0])
    lists(module, data, k=5)
    trainer = lightning.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, use_distributed_sampler=False
    )
    scores = torch.cat(trainer.predict(module, datamodule=copy.copy(data)))
    assert scores.shape == (len(data.prepared.rows_of("test")), 1)
