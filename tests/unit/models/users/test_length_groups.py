"""length_groups: every row once, with others of about its length."""

from __future__ import annotations

import torch

from lit_rec.models.users.length_groups import length_groups


def test_every_length_stands_with_those_of_its_power_of_two() -> None:
    lengths = torch.randperm(300, generator=torch.Generator().manual_seed(0)) + 1
    groups = length_groups(lengths)
    assert torch.equal(torch.cat([rows for rows, _ in groups]).sort().values, torch.arange(300))
    for rows, longest in groups:
        assert torch.equal(rows, rows.sort().values)
        inside = lengths[rows].tolist()
        assert longest == max(inside)
        # by another way to the same: the binary digits of the length less one
        assert len({(length - 1).bit_length() for length in inside}) == 1
    assert [longest for _, longest in groups] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_a_group_of_one() -> None:
    ((rows, longest),) = length_groups(torch.tensor([5]))
    assert (rows.tolist(), longest) == ([0], 5)
