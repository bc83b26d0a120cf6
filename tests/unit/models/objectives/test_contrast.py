"""The supervised contrastive loss, beside a loop over pairs of texts."""

import math
import threading
from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import Target
from lit_rec.errors import ConfigError
from lit_rec.models.objectives.contrast import ContrastiveCrossEntropy
from lit_rec.models.objectives.score import CrossEntropy, TextScores


def by_pairs(vectors, label, temperature):
    """Equation 2 of Khosla et al., one pair at a time."""
    unit = [v / v.norm() for v in vectors]
    losses = []
    for i, z in enumerate(unit):
        known = [a for a in range(len(unit)) if a != i and label[a] >= 0]
        terms = {a: math.exp(float(z @ unit[a]) / temperature) for a in known}
        same = [a for a in known if label[a] == label[i]]
        terms_of_pairs = [-math.log(terms[p] / sum(terms.values())) for p in same]
        losses.append(sum(terms_of_pairs) / max(len(same), 1))
    return losses


@pytest.fixture
def topic_facts(facts):
    return replace(facts, task="label", labels=("a", "b", "c"), label_counts=(10, 20, 30))


def drawn(rows, seed=0):
    chance = torch.Generator().manual_seed(seed)
    label = torch.randint(-1, 3, (rows,), generator=chance)
    return torch.randn(rows, 5, generator=chance), label, torch.randperm(rows, generator=chance)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("rows", [1, 2, 7, 20])
def test_losses_are_those_of_a_loop_over_pairs(rows, temperature):
    vectors, label, row = drawn(rows)
    found = ContrastiveCrossEntropy(temperature=temperature).contrasts(vectors, label, row)
    of_known = [loss for loss, at in zip(found.tolist(), label, strict=True) if at >= 0]
    expected = by_pairs(vectors, label.tolist(), temperature)
    assert of_known == pytest.approx(
        [loss for loss, at in zip(expected, label, strict=True) if at >= 0], abs=1e-4
    )


def test_a_row_without_a_label_has_no_loss_and_moves_nothing():
    vectors = torch.randn(4, 3, generator=torch.Generator().manual_seed(1)).requires_grad_()
    label = torch.tensor([0, -1, 0, -1])
    losses = ContrastiveCrossEntropy().contrasts(vectors, label, torch.arange(4))
    assert losses[label < 0].tolist() == [0.0, 0.0]
    losses.sum().backward()
    assert vectors.grad.isfinite().all()
    assert vectors.grad[label < 0].abs().sum() == 0


def test_two_processes_have_the_losses_and_gradients_of_one():
    """Each has a part of the rows, of another length; gradients of gathered vectors go back to their process."""
    vectors, label, row = drawn(9, seed=3)
    whole = vectors.clone().requires_grad_()
    one = ContrastiveCrossEntropy().contrasts(whole, label, row)
    one.sum().backward()
    parts = [slice(0, 5), slice(5, 9)]
    leaves = [vectors[part].clone().requires_grad_() for part in parts]
    turn, given, found = threading.Barrier(2), [None, None], [None, None]

    def process(rank):
        def gather(mine):
            turn.wait()
            given[rank] = mine
            turn.wait()
            return torch.stack(list(given))

        objective = ContrastiveCrossEntropy()
        objective.gather = gather
        at = parts[rank]
        found[rank] = objective.contrasts(leaves[rank], label[at], row[at])

    threads = [threading.Thread(target=process, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    torch.testing.assert_close(torch.cat(found), one)
    torch.cat(found).sum().backward()
    torch.testing.assert_close(torch.cat([leaf.grad for leaf in leaves]), whole.grad)


def test_both_losses_are_added(batch, topic_facts):
    rows = len(batch)
    scores = torch.randn(rows, 1, 3, generator=torch.Generator().manual_seed(2))
    vectors, label, row = drawn(rows, seed=4)
    known = torch.ones(rows, 1, dtype=torch.bool)
    label = label.clamp(min=0)
    batch = replace(batch, target=Target(label.unsqueeze(1), known), row=row)
    plain, weighed = CrossEntropy(), ContrastiveCrossEntropy(0.5)
    for objective in (plain, weighed):
        objective.bind(topic_facts, "class_scores")
    outputs = TextScores(scores, vectors)
    alone, count = plain.losses_of(outputs, batch)
    total, same_count = weighed.losses_of(outputs, batch)
    assert count == same_count == rows
    added = 0.5 * sum(by_pairs(vectors, label.tolist(), 0.1))
    assert float(total - alone) == pytest.approx(added, abs=1e-4)
    # what validation rows log is cross-entropy alone
    assert weighed(scores, batch.target)[0] == plain(scores, batch.target)[0]


def test_class_weights_weigh_both_losses(batch, topic_facts):
    rows = len(batch)
    vectors, _, row = drawn(rows)
    target = Target(torch.ones(rows, 1).long(), torch.ones(rows, 1, dtype=torch.bool))
    batch, outputs = (
        replace(batch, target=target, row=row),
        TextScores(torch.zeros(rows, 1, 3), vectors),
    )
    twice = ContrastiveCrossEntropy(class_weights=[1, 2, 1]).losses_of(outputs, batch)[0]
    once = ContrastiveCrossEntropy().losses_of(outputs, batch)[0]
    assert float(twice) == pytest.approx(2 * float(once), rel=1e-5)


def test_a_network_of_users_is_refused():
    with pytest.raises(ConfigError, match="TwoTower predicts labels of users") as error:
        ContrastiveCrossEntropy().bind_network("TwoTower", has_text_vectors=False)
    assert error.value.remedy == "use CrossEntropy"
    CrossEntropy().bind_network("TwoTower", has_text_vectors=False)
    ContrastiveCrossEntropy().bind_network("TextClassifier", has_text_vectors=True)


@pytest.mark.parametrize(
    "options",
    [{"contrast": 0.0}, {"temperature": 0.0}, {"rows_per_label": 1}, {"label_smoothing": 2.0}],
)
def test_wrong_options(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        ContrastiveCrossEntropy(**options)
