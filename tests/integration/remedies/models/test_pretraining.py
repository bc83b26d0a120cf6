"""Remedies of pre-training; see ``followed``."""

import re
from functools import partial

import pytest

from lit_rec.data.facts import Facts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.pretraining.text_pretraining import TextPretraining
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.tuning import FrozenTuning, FullTuning
from tests.integration.remedies.followed import each_remedy_of, follow, refused

OPTIONS = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
OPTIONS["intermediate_size"] = 4
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def network(*, mask=3, tuning=None, dropout=0.1, **options):
    special = SpecialTokens((1,), (2,), 0, mask)
    inner = OPTIONS | dict.fromkeys(NO_DROPOUT, dropout)
    backbone = partial(
        ConfiguredBackbone, model_type="bert", options=inner, tuning=tuning or FullTuning()
    )
    facts = Facts.example("pretraining", special=special)
    return TextPretraining(facts, partial(ItemEncoder, backbone=backbone), **options)


def said(broken):
    """The options of TextPretraining that a remedy gives."""
    found = re.findall(r"TextPretraining\.(\w+) to ([\d.]+)", refused(broken)[0].remedy)
    return {name: float(value) for name, value in found}


@pytest.mark.parametrize(
    "given",
    [
        {"masked_weight": 0.0},
        {"mask": None},
        {"mask": 9},
        {"dropout": 0.0, "contrast_weight": 1.0},
        {"masked_weight": 0.0, "pair_weight": 1.0},
        {"pair_weight": 1.0, "near_weight": 1.0},
    ],
)
def test_weights(given):
    broken = partial(network, **given)
    follow(broken, lambda: network(**(given | said(broken))), says="TextPretraining.")


def test_an_encoder_without_dropout():
    broken = partial(network, dropout=0.0, contrast_weight=1.0)
    follow(broken, lambda: network(dropout=0.1, contrast_weight=1.0), says="dropout to 0.1")


def test_a_frozen_encoder():
    broken = partial(network, tuning=FrozenTuning())
    follow(broken, lambda: network(tuning=FullTuning()), says="tuning to FullTuning")


test_each_remedy_was_followed = each_remedy_of("models/pretraining/text_pretraining.py")
