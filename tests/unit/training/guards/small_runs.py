"""Runs of a few steps on the made-up behaviors of test_lit_rec, with guards."""

import functools

import lightning
import torch

from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.models.users.user_encoder import MeanUserEncoder
from lit_rec.training.lit_rec import LitRec
from tests.unit.training.test_lit_rec import data_of, trainer_of


def module_of(folder, *, dropout=0.1, tuning=None, encoder=None, optimizer=None, **options):
    """A LitRec with a small network."""

    def build(facts):
        backbone = functools.partial(
            PretrainedBackbone, name=str(folder), dropout=dropout, tuning=tuning
        )
        items = functools.partial(ItemEncoder, backbone=backbone, width=8, **(encoder or {}))
        return TwoTower(
            facts,
            item_encoder=items,
            user_encoder=MeanUserEncoder,
            head=functools.partial(DotHead),
        )

    given = {"encoder_rate": 1e-3, "head_rate": 1e-2} | options
    if optimizer is not None:
        given["optimizer"] = optimizer
    return LitRec(build, **given)


def run(folder, tmp_path, *guards, steps=3, ckpt_path=None, batch_size=16, trainer=None, **options):
    """Run some steps, and return the module and its Trainer."""
    lightning.seed_everything(0, verbose=False)
    module = module_of(folder, **options)
    data = data_of(folder, tmp_path / "cache")
    data.batch_size = batch_size
    more = {"max_steps": steps, "limit_val_batches": 0} | (trainer or {})
    made = trainer_of(tmp_path, callbacks=list(guards), **more)
    made.fit(module, datamodule=data, ckpt_path=ckpt_path)
    return module, made


def weights(module):
    """Copies of a network's weights by name."""
    return {name: value.detach().clone() for name, value in module.built().state_dict().items()}


def largest(one, other):
    """The largest difference of two sets of weights."""
    assert one.keys() == other.keys()
    return max(float((one[n].double() - other[n].double()).abs().max()) for n in one)


def sgd(rate):
    """Plain gradient descent without decay: a step is the gradient times the rate."""
    return functools.partial(torch.optim.SGD, lr=rate)
