"""What repeats add to scores, against loops over histories."""

import functools
import math
from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.negatives import BatchNegatives, CatalogueNegatives
from lit_rec.errors import ConfigError
from lit_rec.models.heads.repeat_bias import RepeatBias
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.heads.vector_heads import CosineHead
from lit_rec.models.items.id_item_encoder import IdItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.objectives.ranking import BPR, ItemSoftmax
from lit_rec.models.users.causal_transformer import CausalTransformerUserEncoder
from lit_rec.models.users.user_encoder import MeanUserEncoder
from tests.unit.models.two_ranks import ITEMS, Model, batch_of
from tests.unit.models.two_ranks import facts as facts_of_ranks

ROWS = [0, 1, 2, 3, 4]


@pytest.fixture
def repeats():
    made = RepeatBias(facts_of_ranks(), max_length=8)
    with torch.no_grad():
        made.weight.copy_(torch.tensor([0.1, 0.02, -0.3, 0.05]))
    return made


def added(bias, had, item):
    """What is added to an item after the behaviors ``had``, oldest first."""
    ago = next((n for n, one in enumerate(reversed(had), 1) if one == item), None)
    # 1 | 2 | 3, 4 | 5 to 8 | more
    if ago is None:
        return 0.0
    return float(bias.detach()[min(math.ceil(math.log2(ago)), len(bias) - 1)])


def test_groups_are_powers_of_two():
    for longest, groups in ((1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (64, 7)):
        made = RepeatBias(facts_of_ranks(), max_length=longest)
        assert made.bias.tolist() == [0.0] * groups
    assert RepeatBias(facts_of_ranks(), 4, start=-1.5).bias.tolist() == [-1.5] * 3


def test_every_position_by_a_loop(repeats, make_batch):
    """Items that come again and again, slots of no item, and one row without history."""
    batch = make_batch(rows=7, longest=12, items=5)
    item = batch.history.item_index - 1  # the first item has no number
    repeats.requires_grad_(False)
    found = repeats.of(item, batch.history)
    row, had = torch.meshgrid(torch.arange(7), torch.arange(13), indexing="ij")
    reaches = had <= batch.history.mask.sum(1)[row]
    row, had = row[reaches], had[reaches]
    columns = torch.tensor([0, 1, 3])
    scores = torch.randn(len(row), 3, generator=torch.Generator().manual_seed(0))
    repeated = found.at(row, had)
    changed = repeated.to_columns(scores, columns)
    asked = torch.arange(4).expand(len(row), 4)
    alone = repeated.to_items(torch.zeros(len(row), 4), asked)
    one = [repeated.to_one(torch.zeros(len(row)), torch.full((len(row),), i)) for i in range(4)]
    assert torch.equal(torch.stack(one, 1), alone)
    for place, (r, h) in enumerate(zip(row.tolist(), had.tolist(), strict=True)):
        before = item[r, :h].tolist()
        wanted = [added(repeats.bias, before, one) for one in range(4)]
        assert alone[place].tolist() == pytest.approx(wanted)
        more = (changed[place] - scores[place]).tolist()
        assert more == pytest.approx([wanted[0], wanted[1], wanted[3]], abs=1e-6)
    whole = found.at_ends(slice(2, 5)).to_columns(torch.zeros(3, 4), torch.arange(4))
    for place, r in enumerate((2, 3, 4)):
        before = item[r][batch.history.mask[r]].tolist()
        wanted = [added(repeats.bias, before, one) for one in range(4)]
        assert whole[place].tolist() == pytest.approx(wanted)


@pytest.mark.parametrize("rows", [False, True], ids=["sequences", "rows"])
@pytest.mark.parametrize("made", [ItemSoftmax, BPR])
@pytest.mark.parametrize("scores_per_block", [2**25, 12])
def test_losses_by_a_loop(repeats, rows, made, scores_per_block):
    objective = made(BatchNegatives(), temperature=0.5, scores_per_block=scores_per_block)
    objective.bind(facts_of_ranks(), "vectors")
    objective.spare_own = False
    objective._log_prob = lambda batch: torch.zeros(ITEMS)
    batch = batch_of(ROWS)
    users, items = Model()(batch)
    users, items = users.detach(), items.detach()
    if rows:
        users = users[:, -1]
        last = replace(batch.target, value=batch.target.value[:, :1], mask=batch.target.mask[:, :1])
        batch = replace(batch, target=last)
    code = batch.items.vocab_row
    total, _ = objective(
        users, items, batch, repeats.of(code[batch.history.item_index], batch.history)
    )
    wanted = 0.0
    for row in ROWS:
        for slot in batch.target.mask[row].nonzero()[:, 0].tolist():
            history = batch.history.item_index[row][batch.history.mask[row]].tolist()
            had = history if rows else history[:slot]
            user = users[row] if rows else users[row, slot]
            score = [
                (float(user @ items[one]) + added(repeats.bias, had, one)) / 0.5
                for one in range(len(items))
            ]
            own = score.pop(int(batch.target.value[row, slot]))
            if made is ItemSoftmax:
                wanted += math.log(sum(math.exp(s) for s in [own, *score])) - own
            else:
                wanted += sum(math.log1p(math.exp(s - own)) for s in score) / len(score)
    assert float(total.detach()) == pytest.approx(wanted, rel=1e-5)


def test_that_nobody_comes_back_is_learned():
    """Users who take everything once: what they had gets a lower score than anything."""
    torch.manual_seed(0)
    repeats = RepeatBias(facts_of_ranks(), max_length=3)
    objective = ItemSoftmax(CatalogueNegatives(), temperature=0.07)
    objective.bind(facts_of_ranks(), "vectors")
    batch = batch_of([0, 2])
    later = (batch.history.item_index + 3) % len(batch.items.vocab_row)
    batch = replace(batch, target=replace(batch.target, value=later))
    optimizer = torch.optim.Adam(repeats.parameters(), 1e-3)
    users, items = Model()(batch)
    users = torch.nn.functional.normalize(users.detach(), dim=-1)
    items = torch.nn.functional.normalize(items.detach(), dim=-1)
    for _ in range(50):
        code = batch.items.vocab_row[batch.history.item_index]
        total, number = objective(users, items, batch, repeats.of(code, batch.history))
        optimizer.zero_grad()
        (total / number).backward()
        optimizer.step()
    assert (repeats.bias[:2] < -0.1).all()


def test_scores_of_candidates(facts, make_batch):
    """Those of a network with repeats are those without, and what repeats add."""
    facts = replace(facts, task="next_item")
    parts = [facts, functools.partial(IdItemEncoder, width=8)]
    more = [functools.partial(CausalTransformerUserEncoder, heads=2), CosineHead]
    torch.manual_seed(0)
    network = TwoTower(*parts, *more, repeats=functools.partial(RepeatBias, max_length=4)).eval()
    batch = make_batch(rows=6, longest=5)
    with torch.no_grad():
        before = network(batch)
        network.repeats.weight.copy_(torch.tensor([0.3, -0.1, 0.2]))
        after = network(batch)
    for row in range(6):
        had = batch.history.item_index[row][batch.history.mask[row]].tolist()
        wanted = [
            added(network.repeats.bias, had, int(i)) for i in batch.candidates.item_index[row]
        ]
        assert (after - before)[row].tolist() == pytest.approx(wanted, abs=1e-5)


def test_what_cannot_be_added_to(facts):
    with pytest.raises(
        ConfigError, match=r"TwoTower.repeats: repeats beside DotHead[\s\S]*leave it out"
    ):
        TwoTower(facts, IdItemEncoder, MeanUserEncoder, DotHead, repeats=RepeatBias)
    with pytest.raises(
        ConfigError, match=r"RepeatBias.max_length: 0 cannot be used[\s\S]*1 or more"
    ):
        RepeatBias(facts, max_length=0)
    with pytest.raises(ConfigError, match=r"RepeatBias.start: inf cannot be used"):
        RepeatBias(facts, start=math.inf)
