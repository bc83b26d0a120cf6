"""Rows of weights by name, against a loop."""

import torch

from lit_rec.training.transfer.named_rows import Rows, merged


def test_rows_of_both_are_taken_by_name():
    here, there = torch.zeros(4, 2), torch.arange(6.0).view(3, 2) + 1
    rows, others = Rows((None, "a", "b", "c"), "items"), Rows((None, "c", "a"), "items")
    found = merged(here, there, rows, others)
    expected = here.clone()
    for place, name in enumerate(rows.names):
        if name in others.names:
            expected[place] = there[others.names.index(name)]
    assert found.value.tolist() == expected.tolist()
    assert found.taken[:, 0].tolist() == [True, True, False, True]
    assert (found.known, found.names) == (2, 3)
    assert here.sum() == 0, "the weight itself stays"


def test_blocks_of_columns_are_taken_by_name():
    here, there = torch.zeros(2, 6), torch.arange(8.0).view(2, 4) + 1
    rows = Rows(("title", "plot"), "text fields", dim=1, size=3)
    found = merged(here, there, rows, Rows(("plot", "x"), "text fields", dim=1, size=2))
    assert found is None, "blocks of another width"
    there = torch.arange(6.0).view(2, 3) + 1
    found = merged(here, there, rows, Rows(("plot",), "text fields", dim=1, size=3))
    assert found.value[:, 3:].tolist() == there.tolist()
    assert found.value[:, :3].sum() == 0
    assert not found.taken[:, :3].any()


def test_other_shapes_do_not_fit():
    rows, others = Rows(("a", "b"), "labels"), Rows(("b",), "labels")
    assert merged(torch.zeros(2, 3), torch.zeros(1, 4), rows, others) is None
    assert merged(torch.zeros(2, 3), torch.zeros(2, 3), rows, others) is None
    assert merged(torch.zeros(2), torch.zeros(1), rows, others).known == 1
