"""Remedies of networks, their parts and objectives; see ``followed``."""

import re
from dataclasses import replace
from functools import partial

import pytest
import torch
import yaml

from lit_rec.data.batches.request import Seen, request_batch
from lit_rec.data.facts import Facts
from lit_rec.data.fields.number import NumberFacts
from lit_rec.models.heads.item_neighbors import ItemNeighbors
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.repeat_bias import RepeatBias
from lit_rec.models.heads.same_time import SessionHead
from lit_rec.models.heads.value_heads import (
    ClassificationHead,
    DotHead,
    LinearHead,
    MLPHead,
    RegressionHead,
)
from lit_rec.models.heads.vector_heads import CosineHead, InnerProductHead
from lit_rec.models.items.id_item_encoder import IdItemEncoder
from lit_rec.models.networks.cross_encoder import CrossEncoder
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.starts.gaussian_process import GaussianProcessStart
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.causal_transformer import CausalTransformerUserEncoder
from lit_rec.models.users.ridge import RidgeUserEncoder
from lit_rec.models.users.user_encoder import MeanUserEncoder
from tests.integration.remedies.followed import each_remedy_of, follow, refused

from .small_parts import (
    FROZEN,
    LABEL,
    NEXT,
    RATING,
    TEXTS,
    THREE,
    TINY,
    named_in,
    tower,
)


@pytest.mark.parametrize("choice", [0, 1, 2])
def test_users_that_have_a_vector_for_each_candidate(choice):
    broken = partial(tower, NEXT, CosineHead, CandidateAttentionUserEncoder)
    right = named_in(broken)[choice]
    follow(broken, partial(tower, NEXT, CosineHead, right), says=right.__name__)


@pytest.mark.parametrize("part", [{"repeats": RepeatBias}, {"neighbors": ItemNeighbors}])
@pytest.mark.parametrize("facts", [RATING, NEXT])
def test_parts_of_vectors(facts, part):
    broken = partial(tower, facts, **part)
    follow(broken, partial(tower, facts), says="leave it out")
    heads = named_in(broken)
    assert heads == ([] if facts is RATING else [CosineHead, InnerProductHead])
    for head in heads:
        follow(broken, partial(tower, facts, head, **part), says=head.__name__)


@pytest.mark.parametrize(("facts", "head"), [(RATING, CosineHead), (THREE, ClassificationHead)])
def test_ratings_begin_at_scores(facts, head):
    broken = partial(tower, facts, head, start=GaussianProcessStart)
    follow(broken, partial(tower, facts, head), says="leave it out")
    heads = named_in(broken)
    assert heads == ([NeighborhoodHead, DotHead] if facts is RATING else [])
    for other in heads:
        right = partial(tower, facts, other, start=GaussianProcessStart)
        follow(broken, right, says=other.__name__)


@pytest.mark.parametrize("way", ["use FrozenTuning", "set text_weight to 0"])
def test_neighbors_by_text_beside_a_trained_encoder(way):
    def made(items, weight):
        return tower(
            NEXT, CosineHead, items=items, neighbors=partial(ItemNeighbors, text_weight=weight)
        )

    right = partial(made, FROZEN, 1.0) if "Frozen" in way else partial(made, TEXTS, 0)
    follow(partial(made, TEXTS, 1.0), right, says=way)


def test_a_neighborhood_of_many_labels():
    broken = partial(tower, THREE, NeighborhoodHead)
    follow(
        broken, partial(tower, THREE, named_in(broken)[0]), says="use ClassificationHead for more"
    )


@pytest.mark.parametrize("way", ["leave it out", "set BehaviorDataModule.task to label"])
def test_logistic_regression_of_ratings(way):
    begun = partial(LinearHead, begin="logistic_regression")
    right = partial(begun, LABEL, 4) if "set" in way else partial(LinearHead, RATING, 4)
    follow(partial(begun, RATING, 4), right, says=way)


OF_TASKS = {
    RegressionHead: (LABEL, 4, "choose another head", MLPHead),
    ClassificationHead: (RATING, 4, "choose another head", MLPHead),
    SessionHead: (LABEL, 4, "choose another head", DotHead),
    RidgeUserEncoder: (LABEL, 4, "choose another user encoder", MeanUserEncoder),
    GaussianProcessStart: (LABEL, 0, "leave it out", None),
}


@pytest.mark.parametrize("part", OF_TASKS)
def test_parts_of_another_task(part):
    facts, width, otherwise, other = OF_TASKS[part]
    broken = partial(part, facts, width)
    task = re.search(r"BehaviorDataModule.task to (\w+)", refused(broken)[0].remedy)[1]
    follow(broken, partial(part, Facts.example(task), width), says="set BehaviorDataModule.task to")
    follow(broken, partial(other, facts, width) if other else tower(facts).eval, says=otherwise)


PRICE = NumberFacts("price", (0.0, 10.0))
ITEMS, USERS = replace(RATING, item_fields=(PRICE,)), replace(RATING, user_fields=(PRICE,))
PLAIN = {
    CrossEncoder: partial(CrossEncoder, backbone=TINY, max_tokens=8),
    TextClassifier: partial(TextClassifier, item_encoder=TEXTS),
    IdItemEncoder: IdItemEncoder,
    TwoTower: tower,
}


@pytest.mark.parametrize(
    ("facts", "part"),
    [
        *((ITEMS, part) for part in (CrossEncoder, IdItemEncoder)),
        *((USERS, part) for part in PLAIN),
    ],
)
def test_fields_that_are_not_read(facts, part):
    broken = partial(PLAIN[part], facts)
    follow(broken, partial(PLAIN[part], RATING), says="leave them out")
    other = "ItemEncoder" if part in (IdItemEncoder, TwoTower) else "TwoTower"
    follow(broken, partial(tower, facts, items=TEXTS), says=f"use {other}")
    # texts of items may hold their columns; no network reads columns of users from there
    as_text = "name columns of items in BehaviorDataModule.text" in refused(broken)[0].remedy
    assert as_text == (part is CrossEncoder and facts is ITEMS)


@pytest.mark.parametrize("way", ["leave it out", "give "])
def test_times_of_a_start(way):
    broken = partial(GaussianProcessStart, RATING, 0, seconds=[0.0, 60.0])
    times = yaml.safe_load(re.search(r"(\[.*\])", refused(broken)[0].remedy)[1])
    follow(
        broken,
        partial(broken, **{"seconds": times} if "give" in way else {"seconds": (3.0,)}),
        says=way,
    )


def test_heads_that_do_not_divide_a_width():
    for width in (7, 10, 12):
        broken = partial(CausalTransformerUserEncoder, RATING, width, heads=16)
        for heads in re.findall(r"\d+", refused(broken)[0].remedy):
            follow(broken, partial(broken, heads=int(heads)), says="set it to one of 1")


@pytest.mark.parametrize("way", ["set it to what History.max_length is", "History.max_length to 3"])
def test_a_history_of_more_behaviors_than_positions(way):
    """The first batch says nothing of how long the histories of others are: five here, nine at most."""

    def encoded(most, longest, slots=5):
        seen = [Seen(item=0, rating=4.0, event=0, timestamp=float("nan"), label=0)] * min(
            slots, longest
        )
        batch = request_batch(seen, rows=torch.tensor([0]).numpy(), user_row=0, now=None)
        encoder = CausalTransformerUserEncoder(RATING, 4, max_length=most)
        return encoder(torch.zeros(2, 5), batch)

    right = (9, 9) if "is" in way.split() else (3, 3)
    follow(partial(encoded, 3, 9), partial(encoded, *right), says=way)
    encoded(*right, slots=9)


test_each_remedy_was_followed = each_remedy_of(
    *("models/heads", "models/networks", "models/requirements.py"),
    *("models/starts", "models/users"),
)
