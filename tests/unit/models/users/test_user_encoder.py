from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import HistorySlots
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder

ENCODERS = (MeanUserEncoder, AdditiveAttentionUserEncoder)
# three items of width 2; the last coordinate is the item's bias
ITEMS = torch.tensor([[1.0, 0.0, 0.5], [0.0, 1.0, -0.5], [2.0, 2.0, 0.0]])


@pytest.fixture
def users(batch):
    """Rows: no history; items 0 and 1 rated 5 and 2; item 2 seen without a rating."""
    nan = torch.nan
    history = HistorySlots(
        item_index=torch.tensor([[0, 0], [0, 1], [2, 0]]),
        mask=torch.tensor([[False, False], [True, True], [True, False]]),
        rating=torch.tensor([[nan, nan], [5.0, 2.0], [nan, nan]]),
        event=torch.tensor([[0, 0], [0, 0], [1, 0]]),
        age_days=torch.full((3, 2), nan),
        label=torch.zeros(3, 2, dtype=torch.int64),
    )
    return replace(
        batch, history=history, users=replace(batch.users, vocab_row=torch.tensor([0, 1, 2]))
    )


@pytest.mark.parametrize("encoder", ENCODERS)
def test_user_bias_is_the_shrunk_mean_residual(facts, users, encoder):
    """Ratings 5 and 4 leave 1.0 and 1.0 of mean 3.5 and the items' biases: (1 + 1) / (2 + 5)."""
    users.history.rating[1] = torch.tensor([5.0, 4.0])
    bias = encoder(facts, 2)(ITEMS, users)[:, -1]
    torch.testing.assert_close(bias, torch.tensor([0.0, 2 / 7, 0.0]))


def test_mean_user_encoder_by_hand(facts, users):
    """Residuals 1 and -1 over a spread of (5 - 1) / 4 weigh the two items 1 and -1, then 1 / sqrt(2 + 5)."""
    encoder = MeanUserEncoder(facts, 2)
    with torch.no_grad():
        encoder.unrated.copy_(torch.tensor([10.0, 20.0]))
        encoder.event.weight[1] = torch.tensor([0.0, 0.5])
    vectors = encoder(ITEMS, users)[:, :-1]
    root = torch.tensor(5.0).add(torch.tensor([2.0, 1.0])).sqrt()
    torch.testing.assert_close(vectors[1], torch.tensor([1.0, -1.0]) / root[0])
    torch.testing.assert_close(vectors[2], torch.tensor([12.0, 22.5]) / root[1])


def test_attention_weighs_alike_at_equal_scores(facts, users):
    encoder = AdditiveAttentionUserEncoder(facts, 2)
    with torch.no_grad():
        encoder.score.weight.zero_()
    vectors = encoder(ITEMS, users)[:, :-1]
    torch.testing.assert_close(vectors[1], torch.tensor([0.5, -0.5]))


def test_attention_prefers_what_scores_higher(facts, users):
    """The score reads the rating's level: tanh(1) against tanh(-1)."""
    encoder = AdditiveAttentionUserEncoder(facts, 2, hidden=1)
    with torch.no_grad():
        encoder.hidden.weight.copy_(torch.tensor([[0.0, 0.0, 1.0]]))
        encoder.hidden.bias.zero_()
        encoder.score.weight.fill_(1.0)
    share = float(torch.sigmoid(2 * torch.tanh(torch.tensor(1.0))))
    vectors = encoder(ITEMS, users)[:, :-1]
    torch.testing.assert_close(vectors[1], torch.tensor([share, share - 1]))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_no_history_gives_the_learned_vector_and_no_bias(facts, users, encoder):
    made = encoder(facts, 2)
    with torch.no_grad():
        made.empty.copy_(torch.tensor([3.0, 4.0]))
    out = made(ITEMS, users)
    assert out[0].tolist() == [3.0, 4.0, 0.0]
    out[0].sum().backward()
    assert made.empty.grad.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_user_unseen_in_training_has_what_the_history_says_alone(facts, users, encoder):
    torch.manual_seed(0)
    plain = encoder(facts, 2)
    known = encoder(facts, 2, ids=IdEmbedding).eval()
    known.load_state_dict(plain.state_dict(), strict=False)
    with torch.no_grad():
        known.ids.bias.weight.fill_(1.0)
    without, with_ids = plain(ITEMS, users), known(ITEMS, users)
    torch.testing.assert_close(with_ids[0], without[0])  # vocab_row 0
    torch.testing.assert_close(with_ids[1:, -1], without[1:, -1] + 1)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_ratings_of_one_value_only(facts, users, encoder):
    flat = replace(facts, rating_low=3.5, rating_high=3.5)
    assert torch.isfinite(encoder(flat, 2)(ITEMS, users)).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_data_without_events_trains_no_event(facts, users, encoder):
    users.history.event.zero_()
    made = encoder(replace(facts, events=()), 2)
    made(ITEMS, users).square().sum().backward()
    silent = {n for n, p in made.named_parameters() if p.requires_grad and p.grad is None}
    assert not silent


def test_no_event_and_padding_add_nothing(facts):
    assert not MeanUserEncoder(facts, 2).event.weight[0].any()


def test_ratings_are_measured_from_the_users_own_level(facts, users):
    """Residuals 1.0 and 0.3 with a bias of 1.3 / 7 weigh the two items by what lies beyond that bias."""
    users.history.rating[1] = torch.tensor([5.0, 3.3])
    vector = MeanUserEncoder(facts, 2)(ITEMS, users)[1, :-1]
    expected = (torch.tensor([1.0, 0.3]) - 1.3 / 7) / torch.tensor(7.0).sqrt()
    torch.testing.assert_close(vector, expected)
