"""AdaLoRA: ranks go to the linear maps that the loss depends on, as peft's allocator gives them."""

import copy

import pytest
import torch

from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.models.text.adapters.adalora import AdaLoraTuning
from lit_rec.models.text.adapters.merging import merge_adapters
from lit_rec.models.text.tuning import FrozenTuning

from .families import FAMILIES, backbone, vectors


def trained(of, tuning, steps, follow):
    """Train towards random vectors; ``follow`` is called with each step's number, before gradients are removed."""
    numbers = [parameter for parameter in of.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(numbers, 0.05)
    wanted = torch.randn(vectors(of).shape, generator=torch.Generator().manual_seed(1))
    losses = []
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = (vectors(of) - wanted).square().mean()
        (loss + tuning.penalty(of.model)).backward()
        optimizer.step()
        follow(step)
        losses.append(loss.item())
    return losses


def values(of):
    """All singular values."""
    return torch.cat([p.detach() for n, p in of.named_parameters() if "lora_E" in n])


@pytest.mark.parametrize("family", FAMILIES)
def test_ranks_settle_at_what_was_asked_and_the_result_is_merged(family):
    tuning = AdaLoraTuning(rank=1, first_rank=2, begin=0.1, settle=0.5, every=2)
    tuned = backbone(family, tuning)
    torch.testing.assert_close(vectors(tuned), vectors(backbone(family, FrozenTuning())))
    tuning.begin_training(tuned.model, 12)
    counts = []

    def follow(step):
        tuning.after_step(tuned.model, step)
        counts.append(int((values(tuned) != 0).sum()))

    losses = trained(tuned, tuning, 12, follow)
    assert losses[-1] < losses[0] - 0.02
    every = len(values(tuned))
    assert counts[0] == every
    assert set(counts[5:]) == {every // 2}
    assert tuning.end_training(tuned.model, 12) is None
    expected = vectors(tuned).detach()
    merge_adapters(tuned.model)
    torch.testing.assert_close(vectors(tuned), expected, rtol=1e-4, atol=1e-5)


def test_values_are_chosen_as_by_the_allocator_of_peft():
    from peft import AdaLoraConfig
    from peft.tuners.adalora import RankAllocator

    tuning = AdaLoraTuning(rank=2, first_rank=4, begin=0.1, settle=0.5, every=2)
    ours = backbone("bert", tuning)
    tuning.begin_training(ours.model, 20)
    theirs = copy.deepcopy(ours)
    plan = {"tinit": 2, "tfinal": 10, "deltaT": 2, "total_step": 20}
    config = AdaLoraConfig(init_r=4, target_r=2, target_modules=["query"], **plan)
    allocator = RankAllocator(theirs.model, config, "default")
    found, expected = [], []

    def ours_follow(step):
        tuning.after_step(ours.model, step)
        found.append(values(ours))

    def theirs_follow(step):
        allocator.update_and_allocate(theirs.model, step)
        expected.append(values(theirs))

    trained(ours, tuning, 9, ours_follow)
    trained(theirs, tuning, 9, theirs_follow)
    assert int((found[-2] == 0).sum()) > len(values(ours)) / 4
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_the_penalty_is_the_papers():
    tuning = AdaLoraTuning(rank=1, first_rank=2, layers=1, targets="attention", orthogonality=0.3)
    tuned = backbone("bert", tuning)
    expected = 0.0
    for name, matrix in tuned.named_parameters():
        if "lora_A" in name or "lora_B" in name:
            rows = matrix if "lora_A" in name else matrix.T
            expected += (rows @ rows.T - torch.eye(2)).norm().item() ** 2
    assert tuning.penalty(tuned.model).item() == pytest.approx(0.3 * expected)
    assert AdaLoraTuning(orthogonality=0).penalty(tuned.model) is None


def test_gradients_that_overflow_change_no_average():
    tuning = AdaLoraTuning(rank=1)
    tuned = backbone("bert", tuning)
    tuning.begin_training(tuned.model, 10)
    trained(tuned, tuning, 1, lambda step: tuning.after_step(tuned.model, step))
    before = {name: held.clone() for name, held in tuning.training_state().items()}
    next(p for p in tuned.parameters() if p.requires_grad).grad.fill_(torch.inf)
    tuning.after_step(tuned.model, 2)
    after = tuning.training_state()
    assert all(
        torch.equal(after[name], held) for name, held in before.items() if "stays" not in name
    )


def test_a_run_that_ends_early_says_so():
    tuning = AdaLoraTuning(rank=2, every=2)
    tuned = backbone("bert", tuning)
    assert tuning.end_training(tuned.model, 0) is None  # it never began
    tuning.begin_training(tuned.model, 20)
    trained(tuned, tuning, 4, lambda step: tuning.after_step(tuned.model, step))
    said = tuning.end_training(tuned.model, 4)
    left = int((values(tuned) != 0).sum())
    assert "the run ended at step 4, before its ranks settled at step 10" in said
    assert 36 < left < 54
    assert f"{left} of 54 values stayed, 36 are planned" in said


def test_what_it_remembers_is_checked():
    tuning = AdaLoraTuning(rank=1)
    tuned = backbone("bert", tuning)
    tuning.begin_training(tuned.model, 10)
    state = tuning.training_state()
    tuning.restore_training(state)
    name = next(iter(state))
    for broken in ({}, {**state, name: torch.zeros(1)}, {**state, name: "x"}):
        with pytest.raises(CheckpointError, match=f"no averages of {name} as AdaLoraTuning"):
            tuning.restore_training(broken)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"rank": 0}, "AdaLoraTuning.rank: 0 cannot be used"),
        ({"rank": 4, "first_rank": 3}, "AdaLoraTuning.first_rank: 3 cannot be used"),
        ({"begin": 0.5, "settle": 0.5}, "begin 0.5 and settle 0.5 leave no step"),
        ({"every": 0}, "AdaLoraTuning.every: 0 cannot be used"),
        ({"orthogonality": -1.0}, "AdaLoraTuning.orthogonality: -1.0 cannot be used"),
    ],
)
def test_options_out_of_range(options, said):
    with pytest.raises(ConfigError, match=said):
        AdaLoraTuning(**options)
