"""FGM, PGD and AWP against steps made by hand: places found by plain autograd, gradients of both places added."""

import pytest
import torch

from lit_rec.errors import ConfigError
from lit_rec.models.text.adapters.peft_tuning import LoraTuning
from lit_rec.models.text.tuning import TopLayersTuning
from lit_rec.training.guards.mixout import Mixout
from lit_rec.training.guards.weight_adversary import AWP
from lit_rec.training.guards.word_adversaries import FGM, PGD
from lit_rec.training.schedules import ConstantSchedule

from .small_runs import largest, run, sgd, weights

pytestmark = pytest.mark.filterwarnings("default")

STEP = {
    "dropout": 0.0,
    "optimizer": sgd(1.0),
    "schedule": ConstantSchedule(0.0),
    "encoder_rate": 1.0,
    "head_rate": 1.0,
    "encoder_decay": 0.0,
    "head_decay": 0.0,
}


def batches_of(trainer, module, number):
    """The first batches of an epoch, as the run saw them."""
    data = trainer.datamodule
    data.setup("fit")
    found = iter(data.train_dataloader())
    return [next(found) for _ in range(number)]


class ByHand:
    """The gradient of a step of FGM, PGD or AWP on batches, from a network as it was before the step."""

    def __init__(self, module):
        self.network, self.objective = module.built().train(), module._bound()
        self.parameters = {n: p for n, p in self.network.named_parameters() if p.requires_grad}
        embeddings = self.network.backbone.model.embeddings
        self.table, self.delta = embeddings.word_embeddings.weight, None
        # words, kinds and positions are added up before this norm: what is added there is added to words
        embeddings.LayerNorm.register_forward_pre_hook(self._add)

    def _add(self, norm, given):
        return given if self.delta is None else (given[0] + self.delta,)

    def loss(self, batch):
        total, count = self.objective.losses_of(self.network.training_outputs(batch), batch)
        return total / count

    def gradients(self, batch):
        own = self.parameters
        found = torch.autograd.grad(self.loss(batch), list(own.values()), allow_unused=True)
        pairs = zip(own.items(), found, strict=True)
        return {n: torch.zeros_like(p) if g is None else g for (n, p), g in pairs}

    def words(self, batch, radius, steps, step):
        """All texts are of two words, so they pass as one chunk: [CLS] a b [SEP]."""
        number, width = len(batch.texts), self.table.shape[1]
        place = torch.zeros(number, 4, width)
        lengths = self.table.detach()[batch.texts.tokens.long()].view(number, 2 * width).norm(dim=1)
        for _ in range(steps):
            self.delta = place.clone().requires_grad_()
            gradient = torch.autograd.grad(self.loss(batch), self.delta)[0]
            gradient[:, [0, 3]] = 0
            for text in range(number):
                along = gradient[text] / gradient[text].norm().clamp(min=1e-30)
                place[text] += step * radius * lengths[text] * along
                if place[text].norm() > radius * lengths[text]:
                    place[text] *= radius * lengths[text] / place[text].norm()
        self.delta = place
        found = self.gradients(batch)
        self.delta = None
        return found

    def matrices(self, batch, radius):
        names = [n for n in self.parameters if ".layer." in n and self.parameters[n].dim() == 2]
        gradients, before = self.gradients(batch), {n: self.parameters[n].data for n in names}
        for name in names:
            along = gradients[name] / gradients[name].norm()
            self.parameters[name].data = before[name] + radius * before[name].norm() * along
        found = self.gradients(batch)
        for name in names:
            self.parameters[name].data = before[name]
        return found


CASES = {
    "FGM": (FGM(0.3), 0.5, lambda hand, batch: hand.words(batch, 0.3, 1, 1.0)),
    "FGM alone": (FGM(0.3, share=1.0), 1.0, lambda hand, batch: hand.words(batch, 0.3, 1, 1.0)),
    "PGD": (PGD(0.3, steps=3), 0.5, lambda hand, batch: hand.words(batch, 0.3, 3, 0.5)),
    "AWP": (AWP(0.1), 0.5, lambda hand, batch: hand.matrices(batch, 0.1)),
    "AWP alone": (AWP(0.1, share=1.0), 1.0, lambda hand, batch: hand.matrices(batch, 0.1)),
}


@pytest.mark.parametrize("accumulated", [1, 2])
@pytest.mark.parametrize("name", CASES)
def test_a_step_is_the_one_made_by_hand(name, accumulated, folder, cache):
    """Micro-batches have as many targets each, so the step's gradient is the mean of theirs."""
    adversary, share, by_hand = CASES[name]
    size = {"batch_size": 16 // accumulated, "trainer": {"accumulate_grad_batches": accumulated}}
    small = {**STEP, "encoder_rate": 1e-12, "head_rate": 1e-12}
    # the step that changes nothing gives the weights that the other run begins with
    before, trainer = run(folder, cache, steps=1, **size, **small)
    hand, batches = ByHand(before), batches_of(trainer, before, accumulated)
    expected = weights(before)
    for batch in batches:
        plain, there = hand.gradients(batch), by_hand(hand, batch)
        for key in plain:
            step = (1 - share) * plain[key] + share * there[key]
            expected[key] -= step / accumulated
    after = weights(run(folder, cache, adversary, steps=1, **size, **STEP)[0])
    moved = largest(after, weights(before))
    assert moved > 0.1
    assert largest(after, expected) < 1e-4 * moved
    unmoved = weights(before)
    for batch in batches:
        for key, gradient in hand.gradients(batch).items():
            unmoved[key] -= gradient / accumulated
    assert largest(unmoved, expected) > 1e-2 * moved  # a plain step is another


def test_one_step_of_pgd_is_fgm(folder, cache):
    one = weights(run(folder, cache, FGM(0.2))[0])
    two = weights(run(folder, cache, PGD(0.2, steps=1, step=1.0))[0])
    assert largest(one, two) == 0


@pytest.mark.parametrize(
    "adversary", [FGM(0.3), PGD(0.3, 2), AWP(0.05)], ids=lambda a: type(a).__name__
)
def test_chunks_that_are_computed_again_take_the_same_steps(adversary, folder, cache):
    few = {"max_tokens_per_chunk": 24}
    one = weights(run(folder, cache, adversary, Mixout(0.2), dropout=0.0, encoder=few)[0])
    again = few | {"recompute": True}
    two = weights(run(folder, cache, adversary, Mixout(0.2), dropout=0.0, encoder=again)[0])
    assert largest(one, two) < 1e-6


def test_words_that_are_not_trained_are_moved_too(folder, cache):
    lora = {"tuning": LoraTuning(rank=2)}
    one = weights(run(folder, cache, FGM(0.3), **lora)[0])
    assert largest(one, weights(run(folder, cache, **lora)[0])) > 1e-5


def test_two_adversaries_and_the_plain_loss_have_a_third_each(folder, cache):
    small = {**STEP, "encoder_rate": 1e-12, "head_rate": 1e-12}
    before, trainer = run(folder, cache, steps=1, **small)
    hand, (batch,) = ByHand(before), batches_of(trainer, before, 1)
    each = [hand.gradients(batch), hand.words(batch, 0.3, 1, 1.0), hand.matrices(batch, 0.1)]
    expected = weights(before)
    for key in each[0]:
        expected[key] -= sum(found[key] for found in each) / 3
    third = 1 / 3
    guards = FGM(0.3, share=third), AWP(0.1, share=third)
    after = weights(run(folder, cache, *guards, steps=1, **STEP)[0])
    assert largest(after, expected) < 1e-4 * largest(after, weights(before))


def test_logged_losses_are_the_plain_ones(folder, cache):
    _, plain = run(folder, cache, steps=1, dropout=0.0)
    _, moved = run(folder, cache, PGD(1.0), AWP(0.5, share=0.2), steps=1, dropout=0.0)
    for name in ("train/loss", "train/loss_step"):
        assert plain.logged_metrics[name] == moved.logged_metrics[name]


def test_shares_of_more_than_all_are_refused(folder, cache):
    with pytest.raises(ConfigError, match=r"AWP\.share|FGM\.share") as found:
        run(folder, cache, FGM(share=0.6), AWP(share=0.6), steps=1)
    assert "set the share of each to 0.33" in found.value.remedy


def test_words_below_cached_layers_are_refused(folder, cache):
    with pytest.raises(ConfigError, match="FGM beside frozen lower layers") as found:
        run(folder, cache, FGM(), tuning=TopLayersTuning(1), steps=1)
    assert "set ItemEncoder.max_kept_tokens to 0" in found.value.remedy
    uncached = {"encoder": {"max_kept_tokens": 0}}
    one = weights(run(folder, cache, FGM(), tuning=TopLayersTuning(1), **uncached)[0])
    assert (
        largest(one, weights(run(folder, cache, tuning=TopLayersTuning(1), **uncached)[0])) > 1e-5
    )


@pytest.mark.parametrize("options", [{"radius": -0.1}, {"share": 1.1}, {"start_epoch": -1}])
@pytest.mark.parametrize("kind", [FGM, PGD, AWP])
def test_options_have_ranges(kind, options):
    with pytest.raises(ConfigError, match=f"{kind.__name__}.{next(iter(options))}"):
        kind(**options)


def test_weights_are_back_after_a_step_that_fails(folder, cache):
    """Nothing of the place stays where a run ends within a step."""
    module, trainer = run(folder, cache, steps=1)
    awp = AWP(0.5)
    awp.check(trainer, module.built())
    before = weights(module)
    awp.aim([torch.ones_like(leaf) for leaf in awp.leaves()])
    awp.perturb(final=True)
    assert largest(weights(module), before) > 0
    module.guards.add(awp)
    awp.teardown(trainer, module, "fit")
    assert largest(weights(module), before) == 0
