"""R-Drop: divergences by torch's own, two passes by hand, and plain steps where nothing is random."""

import pytest
import torch
from torch.nn import functional

from lit_rec.data.batches.batch import Target
from lit_rec.errors import ConfigError
from lit_rec.models.heads.vector_heads import Vectors
from lit_rec.models.objectives.disagreement import binary_divergence, divergence
from lit_rec.models.objectives.ranking import ItemSoftmax
from lit_rec.models.objectives.score import (
    BinaryCrossEntropy,
    CrossEntropy,
    Objective,
    SquaredError,
    TextScores,
)
from lit_rec.training.guards.training_pass import training_pass

from .small_runs import largest, run, weights

pytestmark = pytest.mark.filterwarnings("default")


class Batch:
    """What an objective reads of a batch."""

    def __init__(self, value, mask, drawn=None):
        self.target, self.drawn = Target(torch.tensor(value), torch.tensor(mask)), drawn


def both(one, two):
    """The mean of both divergences of distributions, by torch."""
    first, second = (functional.log_softmax(each, -1) for each in (one, two))
    given = {"reduction": "none", "log_target": True}
    back, forth = (
        functional.kl_div(first, second, **given),
        functional.kl_div(second, first, **given),
    )
    return (back + forth).sum(-1) / 2


def test_divergences():
    torch.manual_seed(0)
    one, two = torch.randn(3, 5), torch.randn(3, 5)
    torch.testing.assert_close(divergence(one, two), both(one, two))
    assert divergence(one, one).abs().max() == 0
    one, two = torch.randn(4, 1), torch.randn(4, 1)
    nothing = torch.zeros(4, 1)
    expected = both(torch.cat([nothing, one], 1), torch.cat([nothing, two], 1))
    torch.testing.assert_close(binary_divergence(one, two)[:, 0], expected)


def test_each_objective_compares_what_it_predicts():
    torch.manual_seed(0)
    batch = Batch([[1, 0], [0, 1]], [[True, False], [True, True]])
    a, b = torch.randn(2, 2), torch.randn(2, 2)
    known = batch.target.mask
    squared = SquaredError().disagreement(a, b, batch)
    torch.testing.assert_close(squared, (a - b)[known].square().mean())
    binary = BinaryCrossEntropy().disagreement(a, b, batch)
    torch.testing.assert_close(binary, binary_divergence(a, b)[known].mean())
    a, b = torch.randn(2, 2, 3), torch.randn(2, 2, 3)
    found = CrossEntropy().disagreement(TextScores(a, a[:, 0]), TextScores(b, b[:, 0]), batch)
    torch.testing.assert_close(found, both(a, b)[known].mean())


@pytest.mark.parametrize("block", [1, 2**25])
@pytest.mark.parametrize("drawn", [None, torch.tensor([0, 2, 3])])
def test_the_next_item_is_compared_among_the_items_of_the_batch(block, drawn):
    torch.manual_seed(0)
    batch = Batch([[1, 0, 3], [2, 1, 0]], [[True, True, False], [False, True, False]], drawn)
    one, two = (Vectors(torch.randn(2, 3, 4), torch.randn(5, 4), None) for _ in range(2))
    objective = ItemSoftmax(temperature=0.5, scores_per_block=block)
    known = batch.target.mask
    columns = slice(None) if drawn is None else drawn
    logits = [(of.users @ of.items.T / 0.5)[known][:, columns] for of in (one, two)]
    torch.testing.assert_close(objective.disagreement(one, two, batch), both(*logits).mean())


def test_losses_of_two_passes_and_how_far_they_differ():
    passes = iter([torch.tensor([[3.0], [1.0]]), torch.tensor([[5.0], [2.0]])])

    class Network:
        def training_outputs(self, batch):
            return next(passes)

    batch = Batch([[4.0], [9.0]], [[True], [False]])
    found = training_pass(Network(), SquaredError(), batch, 3.0)
    assert (float(found.total), int(found.count)) == (1.0, 1)
    assert float(found.minimised) == 1.0 + 3.0 / 2 * (5.0 - 3.0) ** 2


def test_without_chance_the_steps_are_plain(folder, cache):
    plain = weights(run(folder, cache, dropout=0.0)[0])
    assert largest(weights(run(folder, cache, dropout=0.0, r_drop=5.0)[0]), plain) < 1e-6


def test_passes_agree_more(folder, cache):
    """After some steps, two passes with dropout differ less than without R-Drop."""
    apart = []
    for strength in (0.0, 50.0):
        module, trainer = run(folder, cache, steps=20, r_drop=strength)
        network = module.built().train()
        batch = next(iter(trainer.datamodule.train_dataloader()))
        torch.manual_seed(0)
        with torch.no_grad():
            scores = torch.stack([network.training_outputs(batch) for _ in range(20)])
        apart.append(float(scores.std(0).mean()))
    assert apart[1] < 0.9 * apart[0]


def test_an_objective_that_compares_nothing_is_refused():
    class Own(Objective):
        def losses_of(self, outputs, batch):
            return outputs.sum(), outputs.numel()

    with pytest.raises(ConfigError, match=r"LitRec\.r_drop: Own does not say"):
        Own().disagreement(None, None, None)


def test_smoothed_labels_of_two():
    """A share of the target is spread over both labels: torch's own smoothing of two classes is the same."""
    torch.manual_seed(0)
    scores, value = torch.randn(6, 1), torch.randint(2, (6, 1))
    total, number = BinaryCrossEntropy(label_smoothing=0.2)(
        scores, Target(value, torch.ones(6, 1).bool())
    )
    logits = torch.cat([torch.zeros(6, 1), scores], 1)
    given = {"label_smoothing": 0.2, "reduction": "sum"}
    torch.testing.assert_close(total, functional.cross_entropy(logits, value[:, 0], **given))
    assert number == 6
    with pytest.raises(ConfigError, match=r"BinaryCrossEntropy\.label_smoothing"):
        BinaryCrossEntropy(label_smoothing=1.5)
