from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from lit_rec.errors import ConfigError
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.users.ridge import RidgeUserEncoder


def test_users_are_ridge_regressions_of_their_ratings(facts, batch):
    """As scikit-learn's, whose single penalty asks for a constant of another length in place of its own shrinkage."""
    vectors = torch.randn(len(batch.items.vocab_row), 5)
    found = RidgeUserEncoder(facts, 4, shrinkage=2.0, penalty=3.0)(vectors, batch).detach()
    history = batch.history
    several = 0
    for row, user in enumerate(found):
        known = history.mask[row] & ~history.rating[row].isnan()
        several += int(known.sum()) > 1
        if not known.any():
            assert not user.any()
            continue
        item = vectors[history.item_index[row, known]]
        target = history.rating[row, known] - facts.rating_mean - item[:, -1]
        constant = (3 / 2) ** 0.5
        inputs = np.c_[item[:, :-1], np.full(len(item), constant)]
        wanted = Ridge(alpha=3.0, fit_intercept=False).fit(inputs, target).coef_
        wanted[-1] *= constant
        np.testing.assert_allclose(user, wanted, rtol=2e-4, atol=2e-5)
    assert several > 1


def test_without_length_a_user_is_the_shrunk_mean(facts, batch):
    vectors = torch.zeros(len(batch.items.vocab_row), 5)
    found = RidgeUserEncoder(facts, 4, shrinkage=5.0)(vectors, batch)
    known = batch.history.mask & ~batch.history.rating.isnan()
    residual = torch.where(known, batch.history.rating - facts.rating_mean, 0.0)
    torch.testing.assert_close(found[:, -1], residual.sum(1) / (known.sum(1) + 5))
    assert not found[:, :-1].any()


def test_blocks_of_rows_change_nothing(facts, batch):
    vectors = torch.randn(len(batch.items.vocab_row), 5, requires_grad=True)
    results = []
    for slots in (65_536, 1):
        users = RidgeUserEncoder(facts, 4, slots_per_block=slots)(vectors, batch)
        (gradient,) = torch.autograd.grad(users.square().sum(), vectors)
        results.append((users, gradient))
    torch.testing.assert_close(*results)


def test_a_row_alone_scores_as_in_its_batch(make_network, batch, only_row, padded):
    network = make_network(RidgeUserEncoder, DotHead)
    together = network(batch)
    for row in range(len(batch)):
        torch.testing.assert_close(network(only_row(batch, row))[0], together[row])
    torch.testing.assert_close(network(padded(batch, 3)), together)


def test_an_id_is_added(facts, batch):
    vectors = torch.randn(len(batch.items.vocab_row), 5)
    encoder = RidgeUserEncoder(facts, 4, ids=IdEmbedding).eval()
    plain = RidgeUserEncoder(facts, 4)(vectors, batch)
    ids = encoder.ids(batch.users.vocab_row)
    torch.testing.assert_close(encoder(vectors, batch), plain + ids)
    assert ids.any()


def test_what_is_not_finite_comes_out_as_such(facts, batch):
    """The loss is then found out by who watches it, with the step and the remedy."""
    vectors = torch.full((len(batch.items.vocab_row), 5), torch.nan)
    assert RidgeUserEncoder(facts, 4)(vectors, batch).isnan().any()


@pytest.mark.parametrize("option", ["shrinkage", "penalty", "slots_per_block"])
def test_options_are_checked(facts, option):
    with pytest.raises(ConfigError, match="-1 cannot be used") as error:
        RidgeUserEncoder(facts, 4, **{option: -1})
    assert error.value.where == f"RidgeUserEncoder.{option}"


def test_it_reads_ratings_alone(facts):
    with pytest.raises(ConfigError, match="RidgeUserEncoder predicts a rating"):
        RidgeUserEncoder(replace(facts, task="label"), 4)
