"""What begins from the training data: centred text vectors, item biases, sums over histories."""

from dataclasses import replace

import pytest
import torch

from lit_rec.models.ids import IdEmbedding, NoIds
from lit_rec.models.weighted_sum import weighted_sum


def test_calibrated_vectors_are_centred_and_of_norm_four(make_network, batch):
    encoder = make_network().train().item_encoder
    encoder.calibrate(batch.texts)
    assert encoder.training
    encoder.eval()
    with torch.no_grad():
        vectors = (encoder.encode_texts(batch.texts) - encoder.centre) / encoder.spread
    torch.testing.assert_close(
        vectors.mean(0), torch.zeros(encoder.backbone.width), atol=1e-5, rtol=0
    )
    assert float(vectors.square().sum(1).mean()) == pytest.approx(16, rel=1e-4)


def test_biases_of_the_ratings_hold_until_the_id_is_dropped():
    ids = IdEmbedding(2, 3, dropout=1.0)
    ids.start_at(torch.tensor([0.0, 0.5, -0.25]))
    rows = torch.tensor([0, 1, 2])
    assert ids.eval()(rows)[:, -1].tolist() == [0.0, 0.5, -0.25]
    assert ids.train()(rows).abs().sum() == 0
    NoIds(2, 3).start_at(torch.tensor([0.0, 0.5, -0.25]))


def test_facts_give_the_biases(make_network, facts):
    biased = replace(facts, item_bias=tuple(0.1 * i for i, _ in enumerate(facts.item_ids)))
    start = make_network(facts=biased).item_encoder.ids.start
    assert start[:, 0].tolist() == pytest.approx([0.0, *biased.item_bias])


@pytest.mark.parametrize("items", [5, 5000])
def test_weighted_sum_equals_a_loop(items):
    torch.manual_seed(0)
    weights, vectors = torch.randn(4, 7), torch.randn(items, 3)
    index = torch.randint(items, (4, 7))
    loop = torch.stack(
        [sum(weights[b, h] * vectors[index[b, h]] for h in range(7)) for b in range(4)]
    )
    torch.testing.assert_close(weighted_sum(weights, index, vectors), loop)
