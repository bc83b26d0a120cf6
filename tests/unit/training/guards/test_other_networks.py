"""Guards beside a cross-encoder, and beside a network of vectors that predicts the next item."""

import functools

import lightning
import pytest

from lit_rec.models.heads.vector_heads import CosineHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.cross_encoder import CrossEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.models.users.user_encoder import MeanUserEncoder
from lit_rec.training.guards.weight_adversary import AWP
from lit_rec.training.guards.word_adversaries import FGM
from lit_rec.training.lit_rec import LitRec
from tests.unit.training.test_lit_rec import data_of, trainer_of

from .small_runs import largest, weights

pytestmark = pytest.mark.filterwarnings("default")


def trained(folder, cache, network, *guards, dropout=0.1, task="rating", **options):
    """Two steps; the module, and the losses of its passes, each with whether it was a plain one."""
    lightning.seed_everything(0, verbose=False)
    backbone = functools.partial(PretrainedBackbone, name=str(folder), dropout=dropout)
    module = LitRec(functools.partial(network, backbone), encoder_rate=1e-3, **options)
    data = data_of(folder, cache / "cache")
    data.task, losses, found = task, module.loss_of, []

    def noted(batch, *, first=True):
        loss = losses(batch, first=first)
        found.append((first, loss.item()))
        return loss

    module.loss_of = noted
    trainer_of(cache, callbacks=list(guards), max_steps=2, limit_val_batches=0).fit(module, data)
    return module, found


def cross_encoder(backbone, facts, **options):
    return CrossEncoder(facts, backbone, max_tokens=24, dropout=0.0, bias_dropout=0.0, **options)


def of_vectors(backbone, facts):
    items = functools.partial(ItemEncoder, backbone=backbone, width=8)
    return TwoTower(facts, items, MeanUserEncoder, CosineHead)


def test_a_cross_encoder_is_moved_to_a_higher_loss(folder, cache):
    few = functools.partial(cross_encoder, max_tokens_per_chunk=64)
    module, found = trained(folder, cache, few, FGM(0.5), dropout=0.0)
    assert [first for first, _ in found] == [True, False] * 2
    # it begins with zeros after the encoder, so that only the second step can move
    assert found[3][1] > found[2][1]
    again = functools.partial(few, recompute=True)
    other, _ = trained(folder, cache, again, FGM(0.5), dropout=0.0)
    assert largest(weights(module), weights(other)) < 1e-6


def test_vectors_of_the_next_item_are_moved_to_a_higher_loss(folder, cache):
    guards = FGM(0.3, share=0.3), AWP(0.01, share=0.3)
    _, found = trained(
        folder, cache, of_vectors, *guards, dropout=0.0, task="next_item", r_drop=1.0
    )
    assert [first for first, _ in found] == [True, False, False] * 2
    (_, plain), (_, words), (_, matrices) = found[:3]
    assert min(words, matrices) > plain
