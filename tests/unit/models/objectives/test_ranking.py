"""Objectives of the next item against loops over positions, against each other, and over two processes."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lit_rec.data.batches.negatives import (
    BatchNegatives,
    CatalogueNegatives,
    PopularNegatives,
    UniformNegatives,
)
from lit_rec.errors import ConfigError
from lit_rec.models.objectives.ranking import BPR, ItemSoftmax
from lit_rec.models.objectives.score import SquaredError
from lit_rec.processes import distinct_items
from tests.unit.models import two_ranks
from tests.unit.models.two_ranks import ITEMS, Model, batch_of, facts
from tests.warm_processes import WarmProcess

ROWS = [0, 1, 2, 3, 4]


def with_all_items(batch, drawn):
    """The same batch over the whole catalogue, some of it drawn."""
    codes = batch.items.catalogue_row
    everything = torch.arange(ITEMS)
    return replace(
        batch,
        items=replace(batch.items, catalogue_row=everything, vocab_row=everything + 1),
        history=replace(batch.history, item_index=codes[batch.history.item_index]),
        target=replace(batch.target, value=codes[batch.target.value]),
        drawn=drawn,
    )


def loss(objective, *given):
    return float(objective(*given)[0].detach())


def bound(objective):
    objective.bind(facts(), "vectors")
    return objective


def by_loop(kind, users, items, batch, others, *, temperature, spare_own, log_prob):
    """The loss of every position, an item at a time; ``others`` are places among the batch's items."""
    codes = batch.items.catalogue_row.tolist()
    users, items = users.detach(), items.detach()
    total, number = 0.0, 0
    for row in range(len(batch)):
        history = batch.history.item_index[row][batch.history.mask[row]].tolist()
        after = batch.target.value[row][batch.target.mask[row]].tolist()
        own = {codes[place] for place in history + after}
        for slot in batch.target.mask[row].nonzero()[:, 0].tolist():
            user = users[row, slot] if users.dim() == 3 else users[row]
            target = int(batch.target.value[row, slot])

            def score(place, user=user):
                return float(user @ items[place]) / temperature

            rivals = [
                place
                for place in others
                if place != target and not (spare_own and codes[place] in own)
            ]
            if kind == "softmax":
                of_target = score(target) - log_prob[codes[target]]
                logits = [score(place) - log_prob[codes[place]] for place in rivals]
                total += math.log(sum(math.exp(x) for x in [of_target, *logits])) - of_target
            elif rivals:
                against = [math.log1p(math.exp(score(p) - score(target))) for p in rivals]
                total += sum(against) / len(against)
            number += 1
    return total, number


@pytest.mark.parametrize("spare_own", [False, True])
@pytest.mark.parametrize("scores_per_block", [2**25, 12])
@pytest.mark.parametrize("kind", ["softmax", "bpr"])
def test_batch_negatives_by_a_loop(kind, spare_own, scores_per_block):
    made = ItemSoftmax if kind == "softmax" else BPR
    options = {"temperature": 0.7, "spare_own": spare_own}
    objective = bound(made(BatchNegatives(), scores_per_block=scores_per_block, **options))
    batch = batch_of(ROWS)
    users, items = Model()(batch)
    total, count = objective(users, items, batch)
    total = total.detach()
    behaviors = int(two_ranks.LENGTH.sum()) + len(ROWS)
    share = np.arange(1, ITEMS + 1) / 45
    log_prob = np.log(1 - (1 - share) ** behaviors)
    wanted = by_loop(kind, users, items, batch, range(len(items)), log_prob=log_prob, **options)
    assert float(total) == pytest.approx(wanted[0], rel=1e-5)
    assert int(count) == wanted[1] == 14


def test_own_items_are_looked_for_once_a_step(monkeypatch):
    """First positions and later ones, which are summed apart, share what was found."""
    calls, own = [], BPR._own
    monkeypatch.setattr(BPR, "_own", lambda *given: calls.append(1) or own(*given))
    batch = batch_of(ROWS)
    bound(BPR(BatchNegatives()))(*Model()(batch), batch)
    assert calls == [1]


def test_an_item_that_training_never_saw_is_no_negative():
    """As one of a history that the data gives; the first item here is in histories alone."""
    batch = with_all_items(batch_of(ROWS), None)
    seen = batch.items.vocab_row.clone()
    seen[0] = 0
    unseen = replace(batch, items=replace(batch.items, vocab_row=seen))
    users, items = Model()(batch)
    objective = bound(ItemSoftmax(BatchNegatives(), 0.7))
    before = loss(objective, users, items, unseen)
    moved = items.detach().clone()
    moved[0] += 100
    assert loss(objective, users, moved, unseen) == before
    assert loss(objective, users, moved, batch) != before


@pytest.mark.parametrize("negatives", [UniformNegatives(4), PopularNegatives(5)])
@pytest.mark.parametrize("kind", ["softmax", "bpr"])
def test_drawn_items_by_a_loop(negatives, kind):
    """Accidental hits, where what came next is among those drawn, count once."""
    drawn = torch.tensor([6, 2, 3, 8])
    batch = with_all_items(batch_of(ROWS), drawn)
    users, items = Model()(batch)
    made = ItemSoftmax if kind == "softmax" else BPR
    options = {"temperature": 0.7, "spare_own": True}
    total, _ = bound(made(negatives, **options))(users, items, batch)
    total = total.detach()
    log_prob = negatives.log_prob(np.array(facts().item_log_frequency), 0)
    wanted, _ = by_loop(kind, users, items, batch, drawn.tolist(), log_prob=log_prob, **options)
    assert float(total) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    "negatives", [CatalogueNegatives(), UniformNegatives(99), PopularNegatives(10**6)]
)
def test_sampled_softmax_of_all_items_is_the_full_softmax(negatives):
    chance = np.random.default_rng(0)
    drawn = negatives.draw(np.array(facts().item_log_frequency), chance)
    assert len(drawn) == ITEMS
    batch = with_all_items(batch_of(ROWS), torch.from_numpy(drawn))
    users, items = Model()(batch)
    total, count = bound(ItemSoftmax(negatives, 0.3))(users, items, batch)
    mask = batch.target.mask
    logits = (users[mask] @ items.T) / 0.3
    wanted = torch.nn.functional.cross_entropy(logits, batch.target.value[mask])
    torch.testing.assert_close(total / count, wanted, rtol=1e-4, atol=1e-5)


def test_rows_with_one_vector_each_are_asked_about_their_own_item():
    batch = batch_of(ROWS)
    users, items = Model()(batch)
    rows = replace(
        batch,
        target=replace(
            batch.target, value=batch.target.value[:, :1], mask=batch.target.mask[:, :1]
        ),
    )
    objective = bound(ItemSoftmax(BatchNegatives(), 0.7))
    total, count = objective(users[:, 0], items, rows)
    assert int(count) == 5
    assert float(total.detach()) == loss(objective, users[:, :1], items, rows)


@pytest.mark.parametrize("made", [ItemSoftmax, BPR])
def test_first_items_train_the_empty_history_and_move_no_item(made):
    batch = batch_of(ROWS)
    target = batch.target
    assert target.mask[:, 0].any()
    first = target.mask & (torch.arange(target.mask.shape[1]) == 0)
    gradients = {}
    for name, mask in (("all", target.mask), ("later", target.mask & ~first), ("first", first)):
        users, items = (found.detach().requires_grad_() for found in Model()(batch))
        masked = replace(batch, target=replace(target, mask=mask))
        # what is asked about decides what else would be spared
        objective = bound(made(BatchNegatives(), spare_own=False))
        objective(users, items, masked)[0].backward()
        gradients[name] = users.grad, items.grad
    assert not gradients["first"][1].any()
    torch.testing.assert_close(gradients["all"][1], gradients["later"][1])
    assert gradients["first"][0][:, 0].any()
    torch.testing.assert_close(gradients["all"][0], gradients["first"][0] + gradients["later"][0])


def test_the_loss_against_a_whole_catalogue():
    batch = with_all_items(batch_of(ROWS), torch.arange(ITEMS))
    users, items = Model()(batch)
    mask = batch.target.mask
    scores, item = users[mask] @ items.T, batch.target.value[mask]
    own = scores.gather(1, item[:, None])[:, 0]
    for made in (ItemSoftmax, BPR):
        objective = bound(made(CatalogueNegatives(), 0.3, False))
        total, _ = objective(users, items, batch)
        torch.testing.assert_close(objective.whole(own, scores, item).sum(), total)


def test_label_smoothing_is_that_of_torch_over_what_is_compared():
    torch.manual_seed(0)
    logits = torch.randn(5, 8)
    out = torch.zeros(5, 8, dtype=torch.bool)
    out[1, 3] = out[4, 1:] = True  # no negatives; in the last row there is none at all
    objective = ItemSoftmax(label_smoothing=0.2)
    found = objective.losses(logits[:, :1], logits[:, 1:].masked_fill(out[:, 1:], -torch.inf), None)
    for row in range(5):
        left = logits[row][~out[row]].unsqueeze(0)
        expected = torch.nn.functional.cross_entropy(
            left, torch.zeros(1, dtype=torch.int64), label_smoothing=0.2
        )
        torch.testing.assert_close(found[row], expected)


@pytest.mark.parametrize("made", [ItemSoftmax, BPR])
def test_nothing_to_ask_about_and_nothing_to_compare_with(made):
    batch = batch_of(ROWS)
    users, items = Model()(batch)
    objective = bound(made(BatchNegatives()))
    silent = replace(batch, target=replace(batch.target, mask=batch.target.mask & False))
    total, count = objective(users, items, silent)
    assert (float(total.detach()), int(count)) == (0.0, 0)
    alone = replace(batch, drawn=torch.empty(0, dtype=torch.int64))
    assert loss(objective, users, items, alone) == pytest.approx(0, abs=1e-5)


def test_items_of_several_processes_count_once():
    """Three made-up processes with 2, 1 and 3 items, of which 5 is with two of them."""
    parts = [([5, 2], [50.0, 20.0]), ([7], [70.0]), ([9, 5, 1], [90.0, 51.0, 10.0])]
    codes = [torch.tensor(code) for code, _ in parts]
    vectors = [torch.tensor(value).unsqueeze(1) for _, value in parts]
    asked = []

    def gather(mine):
        asked.append(mine.shape)
        if mine.shape == (1,):
            return torch.tensor([[2], [1], [3]])
        if mine.dim() == 1:
            return torch.stack(
                [torch.nn.functional.pad(c, (0, 3 - len(c)), value=-1) for c in codes]
            )
        return torch.stack([torch.nn.functional.pad(v, (0, 0, 0, 3 - len(v))) for v in vectors])

    found, code = distinct_items(vectors[1], codes[1], gather)
    assert asked == [(1,), (3,), (3, 1)]
    assert code.tolist() == [1, 2, 5, 7, 9]
    assert found.flatten().tolist() == [10.0, 20.0, 50.0, 70.0, 90.0]


def test_two_processes_have_the_loss_and_the_gradient_of_one(tmp_path):
    script = Path(two_ranks.__file__).read_text()
    started = [WarmProcess(script, rank, tmp_path, folder=tmp_path) for rank in (0, 1)]
    for done in [process.end() for process in started]:
        assert done.returncode == 0, done.stderr[-2000:]
    halves = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    for one, first, second in zip(two_ranks.gradients(ROWS), *halves, strict=True):
        for whole, a, b in zip(one, first, second, strict=True):
            torch.testing.assert_close(a + b, whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("made", [ItemSoftmax, BPR])
def test_data_and_networks_of_another_kind_are_refused(made):
    with pytest.raises(ConfigError, match="takes vectors, the network gives scores"):
        made().bind(facts(), "scores")
    with pytest.raises(ConfigError, match="trains for a next item, the data asks for a rating"):
        made().bind(replace(facts(), task="rating"), "vectors")
    with pytest.raises(ConfigError, match="trains for a rating, the data asks for a next item"):
        SquaredError().bind(facts(), "vectors")


@pytest.mark.parametrize("options", [{"temperature": 0.0}, {"scores_per_block": 0}])
def test_wrong_options(options):
    for made in (ItemSoftmax, BPR):
        with pytest.raises(ConfigError, match="cannot be used"):
            made(**options)
    with pytest.raises(ConfigError, match="label_smoothing"):
        ItemSoftmax(label_smoothing=1.5)
