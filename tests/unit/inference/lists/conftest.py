"""Users with lists: some have seen nothing, or nearly everything; labels, ratings and events may be missing."""

import copy
import functools
from dataclasses import replace

import lightning
import numpy as np
import polars as pl
import pytest
import torch

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.fields.number import NumberField
from lit_rec.data.history.histories import PastHistory
from lit_rec.data.history.rule import Where
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.texts.template import TextTemplate
from lit_rec.inference.lists import list_writer
from lit_rec.inference.lists.list_module import ListModule, ListOptions
from lit_rec.inference.lists.list_writer import ListWriter
from lit_rec.inference.recommender import Recommender
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.value_heads import ClassificationHead, DotHead, MLPHead
from lit_rec.models.heads.vector_heads import CosineHead, InnerProductHead
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.causal_transformer import CausalTransformerUserEncoder
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder
from lit_rec.training.checkpoint.content import checkpoint_content
from tests.unit.inference.conftest import DAY, WORDS, FadingUserEncoder, _backbone, _moved

USERS = 9
CAUSAL = functools.partial(CausalTransformerUserEncoder, layers=1)
WITH_IDS = functools.partial(FadingUserEncoder, ids=IdEmbedding)
TOWERS = {
    "rating": [
        (WITH_IDS, DotHead),
        (AdditiveAttentionUserEncoder, MLPHead),
        (CandidateAttentionUserEncoder, DotHead),
        (MeanUserEncoder, NeighborhoodHead),
    ],
    "label": [(WITH_IDS, DotHead), (MeanUserEncoder, ClassificationHead)],
    "next_item": [(CAUSAL, CosineHead), (CAUSAL, InnerProductHead), (WITH_IDS, InnerProductHead)],
}
CASES = [(task, place) for task, towers in TOWERS.items() for place in range(len(towers))]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Nine users and 40 items, some of equal texts; a rating, a label or an event may be missing.

    u0 has nothing that counts, u1 has seen all but three items, u2 one of them often.
    """
    folder = tmp_path_factory.mktemp("lists")
    chance = np.random.default_rng(0)
    titles = [f"{WORDS[n % 6]} {WORDS[n // 6 % 3]}" for n in range(40)]
    items = {"item_id": [f"i{n}" for n in range(40)], "title": titles}
    pl.DataFrame(items).write_csv(folder / "items.csv")
    rows = [(1, item) for item in chance.permutation(40)[:37]] + [(2, 7)] * 6 + [(0, 3), (0, 4)]
    rows += [(user, item) for user in range(3, USERS) for item in chance.permutation(40)[:user]]
    count = len(rows)
    label = np.where(chance.random(count) < 0.1, None, chance.choice(["no", "yes"], count))
    rating = np.where(chance.random(count) < 0.1, None, chance.integers(1, 6, count).astype(str))
    behaviors = {
        "user_id": [f"u{user}" for user, _ in rows],
        "item_id": [f"i{item}" for _, item in rows],
        "rating": list(rating),
        "label": list(label),
        "event": [
            "look" if user == 0 else ("buy", "view")[n % 2] for n, (user, _) in enumerate(rows)
        ],
        "timestamp": list(DAY * chance.permutation(count)),
    }
    pl.DataFrame(behaviors, strict=False).write_csv(folder / "behaviors.csv")
    users = {
        "user_id": [f"u{n}" for n in range(USERS - 1)],
        "age": [20 + n for n in range(USERS - 1)],
    }
    pl.DataFrame(users).write_csv(folder / "users.csv")
    return folder


@pytest.fixture(scope="module")
def made(tables, data):
    """By task: the data, as blocks of four users, histories of six behaviors."""

    def make(task):
        profiles = task != "label"
        found = BehaviorDataModule(
            reader=TableReader(
                str(tables / "behaviors.csv"),
                str(tables / "items.csv"),
                users=str(tables / "users.csv") if profiles else None,
            ),
            encoder=data.encoder,
            text=TextTemplate(["title"]),
            history=PastHistory(6, Where(events=["buy", "view"])),
            task=task,
            user_fields=[NumberField("age")] if profiles else None,
            max_tokens=8,
            eval_batch_size=4,
            cache_folder=str(tables / "cache"),
        )
        found.prepare_data()
        return found

    return functools.cache(make)


def module_of(data, user_encoder, head):
    def build(facts):
        torch.manual_seed(0)
        items = functools.partial(ItemEncoder, backbone=_backbone(), width=8)
        return _moved(TwoTower(facts, items, user_encoder, head))

    module = ListModule(build)
    module.facts = data.facts
    module.configure_model()
    return module.eval()


def recommender(module, data):
    facts = replace(data.facts, backbone=module.built().backbone.config_plain())
    return Recommender(module, checkpoint_content(data, facts, {}, None))


@pytest.fixture
def lists(tmp_path, monkeypatch):
    """Make the lists of a module in a folder, and read them."""
    monkeypatch.setattr(list_writer, "run_folder", lambda trainer: tmp_path)

    def make(module, data, **options):
        trainer = lightning.Trainer(
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            use_distributed_sampler=False,
            callbacks=[ListWriter(ListOptions(**options))],
        )
        assert (
            trainer.predict(module, datamodule=copy.copy(data)) is None
        )  # nothing stays in memory
        return pl.read_parquet(tmp_path / "recommendations.parquet")

    return make


def check(frame, rec, users, k, **options):
    """Compare with the lists that each user is recommended."""
    expected = [
        (user, place, one.item_id, one.score)
        for user in users
        for place, one in enumerate(rec.recommend(rec.history_of(user), k, user=user, **options), 1)
    ]
    assert frame.drop("score").rows() == [row[:3] for row in expected]
    np.testing.assert_allclose(frame["score"], [row[3] for row in expected], atol=2e-6)
