"""Lists from an index, or from the scores of all items, against scoring the whole table and sorting it."""

import functools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from lit_rec.data.batches.request import request_batch
from lit_rec.data.facts import Facts
from lit_rec.errors import DataError
from lit_rec.inference.recommender import Recommender
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.same_time import SessionHead
from lit_rec.models.heads.value_heads import ClassificationHead, DotHead, MLPHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.ridge import RidgeUserEncoder
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder
from lit_rec.tasks.registry import task_of
from lit_rec.training.checkpoint.content import checkpoint_content
from lit_rec.training.lit_rec import LitRec
from tests.unit.inference.conftest import WORDS, _backbone, _moved

HISTORIES = {
    "of ids": ["i3", {"item_id": "n70", "rating": 2.0}],
    "of texts": ["i3", {"title": "night city", "genres": "red"}, {"title": "day"}],
    "empty": [],
}
# Each of 216 texts, and half of them twice: items with equal scores.
TEXTS = [(f"{a} {b}", c) for a in WORDS for b in WORDS for c in WORDS]
TEXTS += TEXTS[::2]
MORE = pl.DataFrame(
    {
        "item_id": [f"n{place}" for place in range(len(TEXTS))],
        "title": [title for title, _ in TEXTS],
        "genres": [genre for _, genre in TEXTS],
    }
)
TOWERS = {
    "dot": (MeanUserEncoder, DotHead),
    "attention, dot": (AdditiveAttentionUserEncoder, DotHead),
    "candidate, dot": (CandidateAttentionUserEncoder, DotHead),
    "ridge, session": (RidgeUserEncoder, SessionHead),
    "mlp": (MeanUserEncoder, MLPHead),
    "neighborhood": (MeanUserEncoder, NeighborhoodHead),
}


def recommender(data, facts: Facts, user_encoder, head) -> Recommender:
    def build(facts):
        torch.manual_seed(0)
        items = functools.partial(ItemEncoder, backbone=_backbone(), width=8)
        return _moved(TwoTower(facts, items, user_encoder, head))

    module = LitRec(build)
    module.facts = facts
    module.configure_model()
    module.eval()
    facts = replace(facts, backbone=module.built().backbone.config_plain())
    rec = Recommender(module, checkpoint_content(data, facts, {}, None))
    rec.add_items(MORE)
    return rec


@pytest.fixture(scope="module")
def made(data):
    """Recommenders of ratings by their towers."""
    return functools.cache(lambda name: recommender(data, data.facts, *TOWERS[name]))


@pytest.fixture(scope="module")
def labelled(data):
    """Recommenders of two labels by their head."""
    facts = replace(
        data.facts, task="label", labels=("no", "yes"), label_counts=(3, 5), history_labels=True
    )
    return functools.cache(lambda head: recommender(data, facts, MeanUserEncoder, head))


@torch.no_grad()
def sorted_table(rec, history, k, closed=(), allow=None, label=None):
    """Ids and what is shown of the k best, from the scores of the whole table."""
    items, stored = rec._state.items, rec._state.scores._vectors
    seen, extra = rec._seen(history, rec._state)
    table = torch.cat([stored.take(torch.arange(len(stored))), extra])
    rows = np.array(
        [r for r, id_ in enumerate(items) if id_ not in closed and (allow is None or id_ in allow)]
    )
    batch = request_batch(seen, rows, 0, None)
    network = rec._module.built()
    scores = network.score(network.encode_users(table, batch), table, batch)[0]
    given = scores, rec._facts, network.gives, label
    sorting, shown = (
        found.double().numpy() for found in task_of(rec._facts).sorting_and_shown(*given)
    )
    best = np.argsort(-sorting, kind="stable")[:k]
    return [items.id(row) for row in rows[best]], shown[best]


def check(rec, history, k, expected, **options):
    found = rec.recommend(history, k, **options)
    assert [one.item_id for one in found] == expected[0]
    assert [one.score for one in found] == pytest.approx(expected[1], abs=1e-6)


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
@pytest.mark.parametrize("towers", TOWERS)
def test_ratings(made, towers, history):
    rec = made(towers)
    for k in (1, 10, 100, 500):
        check(rec, history, k, sorted_table(rec, history, k), exclude_seen=False)
    own = [entry if isinstance(entry, str) else entry.get("item_id") for entry in history]
    check(rec, history, 10, sorted_table(rec, history, 10, own))
    deny = sorted_table(rec, history, 30, own)[0][::2]
    check(rec, history, 10, sorted_table(rec, history, 10, [*own, *deny]), deny=deny)
    allow = rec.item_ids[::3]
    check(rec, history, 200, sorted_table(rec, history, 200, own, allow), allow=allow)


@pytest.mark.parametrize("towers", TOWERS)
def test_removed_items(data, towers):
    rec, history = recommender(data, data.facts, *TOWERS[towers]), HISTORIES["of texts"]
    gone = sorted_table(rec, history, 40)[0][::2]
    expected = sorted_table(rec, history, 500, gone)
    rec.remove_items(gone)
    for k in (10, 500):
        list_ = tuple(part[:k] for part in expected)
        check(rec, history, k, list_, exclude_seen=False)
    allow = [*gone, *expected[0][:7]]
    check(rec, history, 500, tuple(p[:7] for p in expected), allow=allow, exclude_seen=False)


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
@pytest.mark.parametrize("head", [DotHead, ClassificationHead])
def test_labels(labelled, head, history):
    history = [{**e, "rating": None} if isinstance(e, dict) else e for e in history]
    rec = labelled(head)
    lists = {}
    for label in (None, "yes", "no"):
        lists[label] = sorted_table(rec, history, 20, label=label)
        check(rec, history, 20, lists[label], label=label, exclude_seen=False)
    assert lists["no"][0] != lists["yes"][0]
    with pytest.raises(DataError, match="'maybe' is not usable"):
        rec.recommend(history, label="maybe")


def test_which_scores_come_from_the_index(made, monkeypatch):
    """Where scores are inner products the head sees a few items, else all of them."""
    for towers, few in {
        "dot": True,
        "attention, dot": True,
        "candidate, dot": False,
        "mlp": False,
    }.items():
        rec, counts = made(towers), []
        head = rec._module.built().head
        forward = head.forward
        monkeypatch.setattr(
            head,
            "forward",
            lambda u, v, batch, forward=forward, counts=counts: (
                counts.append(batch.candidates.item_index.shape[1]) or forward(u, v, batch)
            ),
        )
        rec.recommend(HISTORIES["of ids"], 3, exclude_seen=False)
        assert (max(counts) < 100) == few, towers
        assert few or max(counts) == len(rec.item_ids)


def test_a_head_whose_products_are_not_its_scores_is_found_out(data):
    """A subclass that forgot ``queries`` costs time, not right lists."""

    class Reversed(DotHead):
        def forward(self, users, item_vectors, batch):
            return -super().forward(users, item_vectors, batch)

    rec = recommender(data, data.facts, MeanUserEncoder, Reversed)
    history = HISTORIES["of ids"]
    check(rec, history, 10, sorted_table(rec, history, 10), exclude_seen=False)


def test_a_profile_is_encoded_once(made, monkeypatch):
    """However often the head is asked, a user's vector is made once."""
    rec, calls = made("dot"), []
    network = rec._module.built()
    encode = network.encode_users
    monkeypatch.setattr(network, "encode_users", lambda *words: calls.append(1) or encode(*words))
    rec.recommend(HISTORIES["of ids"], 3)
    assert len(calls) == 1
