"""Remedies of guards against overfitting, and of the optimizer's rates; see ``followed``."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from lit_rec.data.facts import Facts
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.text.adapters.biases_and_norms import BitFitTuning
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.tuning import FrozenTuning, FullTuning, TopLayersTuning
from lit_rec.training.guards.gradual_unfreezing import GradualUnfreezing
from lit_rec.training.guards.mixout import Mixout
from lit_rec.training.guards.pull_to_start import PullToStart
from lit_rec.training.guards.weight_adversary import AWP
from lit_rec.training.guards.word_adversaries import FGM
from lit_rec.training.guards.word_dropout import WordDropout
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.optimizer import parameter_groups
from lit_rec.training.strategies.sharded_encoder import ShardedEncoder
from tests.unit.models.text.adapters.families import encoder

from .followed import each_remedy_of, follow

pytestmark = pytest.mark.filterwarnings("default")
RATES = {"encoder_rate": 0.1, "head_rate": 0.1, "encoder_decay": 0.0, "head_decay": 0.0}


def network(tuning=None, model=None, **options):
    """A network of texts with a tiny encoder."""
    made = Backbone(model or encoder("bert"), tuning or FullTuning())
    facts = Facts.example("label", labels=("no", "so", "yes"))
    return TextClassifier(facts, lambda facts: ItemEncoder(facts, lambda facts: made, **options))


class _Sized:
    """A catalogue of two items."""

    def __init__(self, text_of_item, store):
        self.text_of_item, self.store = text_of_item, store

    def __len__(self):
        return len(self.text_of_item)


def trainer(*callbacks, strategy=None, rate=0.1, mask=4, unknown=1):
    """What guards read of a Trainer."""
    ids = {"mask_token_id": mask, "unk_token_id": unknown, "all_special_ids": [0]}
    files = SimpleNamespace(open=lambda: SimpleNamespace(**ids))
    # two items of a text each
    texts = SimpleNamespace(offsets=np.array([0, 2, 5]))
    catalogue = _Sized(np.array([[0], [1]]), texts)
    prepared = SimpleNamespace(rows_of=lambda part: np.arange(2), item=np.arange(2))
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=rate)
    return SimpleNamespace(
        callbacks=list(callbacks),
        strategy=strategy,
        optimizers=[optimizer],
        datamodule=SimpleNamespace(tokenizer_files=files, catalogue=catalogue, prepared=prepared),
    )


def checked(guard, of=None, **options):
    return lambda: guard.check(trainer(guard, **options), of or network())


@pytest.mark.parametrize("guard", [FGM(), AWP(), Mixout(), PullToStart(), GradualUnfreezing()])
def test_an_encoder_that_is_frozen(guard):
    frozen = network(FrozenTuning())
    follow(
        checked(guard, frozen), checked(guard), says="set PretrainedBackbone.tuning to FullTuning"
    )


@pytest.mark.parametrize("guard", [AWP(), Mixout()])
def test_a_tuning_without_matrices(guard):
    says = "set PretrainedBackbone.tuning to FullTuning"
    follow(checked(guard, network(BitFitTuning())), checked(guard), says=says)


def unknown_structure():
    """An encoder whose layers have another name."""
    model = encoder("bert")
    model.strange = model.encoder
    del model.encoder
    return model


@pytest.mark.parametrize("guard", [AWP(), Mixout(), GradualUnfreezing()])
def test_layers_that_are_not_found(guard):
    strange, name = network(model=unknown_structure()), type(guard).__name__
    follow(checked(guard, strange), checked(FGM(), strange), says=f"leave {name} out")


@pytest.mark.parametrize("guard", [FGM(), AWP(), Mixout(), PullToStart()])
def test_an_encoder_that_is_divided(guard):
    divided = checked(guard, strategy=ShardedEncoder())
    follow(divided, checked(guard), says="set Trainer.strategy to ddp")


@pytest.mark.parametrize("guard", [FGM(), WordDropout()])
def test_texts_that_pass_once(guard):
    cached, whole = (network(TopLayersTuning(1), **given) for given in ({}, {"max_kept_tokens": 0}))
    says = "set ItemEncoder.max_kept_tokens to 0"
    follow(checked(guard, cached), checked(guard, whole), says=says)
    cached, whole = (network(FrozenTuning(), **given) for given in ({}, {"max_kept_texts": 0}))
    says = "set ItemEncoder.max_kept_texts to 0"
    guard = WordDropout()
    follow(checked(guard, cached), checked(guard, whole), says=says)


def test_shares_above_all():
    def both(share):
        one, two = FGM(share=share), AWP(share=share)
        return one.check(trainer(one, two), network())

    follow(lambda: both(0.6), lambda: both(0.33), says="set the share of each to 0.33")


def test_a_start_of_other_weights():
    mixout = Mixout()
    mixout.check(trainer(mixout), network(TopLayersTuning(1)))

    def resumed(tuning):
        other = Mixout()
        other.load_state_dict(mixout.state_dict())
        other.check(trainer(other), network(tuning))

    says = "take the encoder and tuning of that run"
    follow(lambda: resumed(FullTuning()), lambda: resumed(TopLayersTuning(1)), says=says)


def test_a_pull_beyond_the_start():
    def begun(strength):
        pull, of, run = PullToStart(strength), network(), trainer()
        run.optimizers = [torch.optim.SGD(of.parameters(), lr=0.1)]
        pull.check(run, of)
        pull.on_train_start(run, None)

    follow(lambda: begun(20.0), lambda: begun(0.1), says="set PullToStart.strength to 0.1")


def test_a_share_of_all_weights():
    follow(lambda: Mixout(1.0), lambda: Mixout(0.1), says="set Mixout.share to 0.1")


def test_word_dropout():
    says = "set WordDropout.token to mask"
    follow(lambda: WordDropout(token="blank"), lambda: WordDropout(token="mask"), says=says)
    without = {"mask": None}
    says = "set WordDropout.token to unknown"
    wrong, right = WordDropout(token="mask"), WordDropout(token="unknown")
    follow(checked(wrong, **without), checked(right, **without), says=says)
    nothing = SimpleNamespace(backbone=None)
    follow(checked(WordDropout(), nothing), lambda: None, says="leave WordDropout out")


def test_rates_and_the_decay_by_layers():
    def module(**options):
        return lambda: LitRec(lambda facts: None, **options)

    says = "2e-5 for an encoder"
    follow(module(encoder_rate=-1.0), module(encoder_rate=2e-5), says=says)
    follow(module(layer_decay=0.0), module(layer_decay=0.9), says="0.9 suits")
    strange = network(model=unknown_structure())

    def groups(**decay):
        return lambda: parameter_groups(strange, strange.backbone, **RATES, **decay)

    follow(groups(layer_decay=0.9), groups(), says="leave LitRec.layer_decay out")


test_each_remedy_was_followed = each_remedy_of("training/guards", "training/optimizer.py")
