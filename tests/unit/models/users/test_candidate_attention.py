import pytest
import torch

from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder


@pytest.fixture
def encoder(facts):
    torch.manual_seed(0)
    return CandidateAttentionUserEncoder(facts, 8, hidden=4)


@pytest.fixture
def vectors(batch):
    torch.manual_seed(1)
    return torch.randn(len(batch.items.vocab_row), 9)


def test_weights_equal_a_loop(encoder, vectors, batch):
    batch.history.rating.fill_(torch.nan)
    users = encoder(vectors, batch)
    history, items = batch.history, vectors[:, :-1]
    for row in range(1, len(batch)):
        length = int(history.mask[row].sum())
        event = encoder.event(history.event[row, :length])
        behaviors = items[history.item_index[row, :length]] + encoder.unrated + event
        keys = encoder.key(torch.cat([behaviors, torch.zeros(length, 1)], 1))
        for place, candidate in enumerate(batch.candidates.item_index[row]):
            query = encoder.query(items[candidate])
            weights = torch.softmax(keys @ query / 2, 0)  # the root of 4
            torch.testing.assert_close(users[row, place, :-1], weights @ behaviors)


def test_a_candidate_changes_its_own_user_alone(encoder, vectors, batch):
    before = encoder(vectors, batch)
    batch.candidates.item_index[2, 0] = (batch.candidates.item_index[2, 0] + 1) % 6
    after = encoder(vectors, batch)
    changed = (before - after).abs().amax(-1) > 1e-6
    assert changed.nonzero().tolist() == [[2, 0]]


def test_no_history_is_the_learned_empty_user(encoder, vectors, batch):
    torch.nn.init.ones_(encoder.empty)
    users = encoder(vectors, batch)
    assert users[0, :, :-1].tolist() == [[1.0] * 8] * 3
