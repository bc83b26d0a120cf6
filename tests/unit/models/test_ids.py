import torch

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
