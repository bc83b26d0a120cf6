import pytest
import torch

from lit_rec.errors import ConfigError
from lit_rec.models.ids import IdEmbedding, NoIds


def filled(size=200, width=3, dropout=0.5):
    ids = IdEmbedding(size, width, dropout)
    with torch.no_grad():
        ids.embedding.weight.fill_(2.0)
        ids.bias.weight.fill_(7.0)
    return ids


def test_no_ids_add_zeros_with_a_bias_coordinate():
    assert NoIds(5, 2)(torch.tensor([0, 3])).tolist() == [[0.0] * 3, [0.0] * 3]


def test_embedding_and_bias_stand_side_by_side():
    assert filled().eval()(torch.tensor([4])).tolist() == [[2.0, 2.0, 2.0, 7.0]]


def test_biases_start_at_zero():
    assert not IdEmbedding(4, 2).bias.weight.any()


def test_dropout_drops_embedding_and_bias_together():
    out = filled().train()(torch.arange(1, 201))
    dropped = (out == 0).all(1)
    whole = (out == torch.tensor([2.0, 2.0, 2.0, 7.0])).all(1)
    assert (dropped ^ whole).all()
    assert 60 < int(dropped.sum()) < 140


def test_an_unseen_id_equals_a_dropped_one():
    rows = torch.tensor([0, 5])
    unseen = filled().eval()(rows)[0]
    dropped = filled(dropout=1.0).train()(rows)[1]
    assert unseen.tolist() == dropped.tolist() == [0.0] * 4


def test_evaluation_drops_nothing():
    assert (filled(dropout=1.0).eval()(torch.arange(1, 201)) != 0).all()


def test_neither_an_unseen_nor_a_dropped_id_learns():
    ids = filled(dropout=1.0).train()
    ids(torch.tensor([0, 5])).sum().backward()
    assert not ids.embedding.weight.grad.any()
    ids = filled().eval()
    ids(torch.tensor([0, 5])).sum().backward()
    assert ids.embedding.weight.grad.any(1).nonzero().flatten().tolist() == [5]


def test_under_adam_the_scale_says_how_far_a_step_moves_an_id():
    moved = []
    for scale in (1.0, 0.25):
        ids = IdEmbedding(4, 3, dropout=0.0, scale=scale)
        row, before = torch.tensor([2]), ids(torch.tensor([2])).detach()
        assert torch.equal(before[0, :3], scale * ids.embedding.weight[2].detach())
        optimizer = torch.optim.Adam(ids.parameters(), lr=0.01)
        ids(row).sum().backward()
        optimizer.step()
        moved.append((ids(row) - before).detach())
    torch.testing.assert_close(moved[1][:, :3], 0.25 * moved[0][:, :3])
    torch.testing.assert_close(moved[1][:, 3], moved[0][:, 3])


def test_a_scale_of_nothing_is_refused():
    with pytest.raises(ConfigError, match=r"IdEmbedding\.scale"):
        IdEmbedding(4, 3, scale=0.0)
