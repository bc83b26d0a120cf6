"""Networks of labels and what histories tell: labels of two, of three, or behaviors without any."""

from dataclasses import replace

import pytest
import torch

from lit_rec.models.answers import LabelAnswers
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.value_heads import ClassificationHead, DotHead
from lit_rec.models.networks.cross_encoder import CrossEncoder
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder

USER_ENCODERS = (MeanUserEncoder, AdditiveAttentionUserEncoder, CandidateAttentionUserEncoder)
CASES = ("clicks", "liked", "topics")


@pytest.fixture(params=CASES)
def made(request, clicks, make_network):
    """Facts and a function that builds a network of them: the neighbourhood of two labels, class scores of three."""
    facts = {
        "clicks": clicks,
        "liked": replace(clicks, history_labels=False),
        "topics": replace(clicks, labels=("a", "b", "c"), label_counts=(3, 2, 1)),
    }[request.param]
    head = ClassificationHead if request.param == "topics" else NeighborhoodHead
    return request.param, lambda encoder: make_network(encoder, head, facts=facts)


@pytest.fixture
def unrated(batch):
    batch.history.rating.fill_(torch.nan)
    return batch


@pytest.mark.parametrize("encoder", USER_ENCODERS)
def test_row_alone_scores_as_in_a_batch(made, unrated, only_row, padded, encoder):
    _, build = made
    network = build(encoder)
    together = network(unrated)
    torch.testing.assert_close(network(padded(unrated, 2)), together, rtol=0, atol=1e-6)
    for row in range(len(unrated)):
        alone = network(only_row(unrated, row))
        torch.testing.assert_close(alone[0], together[row], rtol=0, atol=1e-5)


@pytest.mark.parametrize("encoder", USER_ENCODERS)
def test_labels_are_read_where_there_are_any_and_never_in_padding(made, unrated, encoder):
    case, build = made
    network = build(encoder)
    before, history = network(unrated), unrated.history
    history.label[~history.mask] = 2
    torch.testing.assert_close(network(unrated), before, rtol=0, atol=1e-6)
    slot = 1, int(history.mask[1].sum()) - 1
    scores = []
    for label in (1, 2):
        history.label[slot] = label
        scores.append(network(unrated))
    changed = (scores[0] - scores[1]).abs().flatten(1).amax(1) > 1e-6
    assert changed.nonzero().flatten().tolist() == ([] if case == "liked" else [1])


@pytest.mark.parametrize("encoder", USER_ENCODERS)
def test_every_trained_parameter_has_a_gradient(made, unrated, encoder):
    _, build = made
    network = build(encoder)
    network(unrated).square().sum().backward()
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name


def test_bias_of_a_user_is_the_level_of_all_labels(clicks, unrated):
    """The same by a loop over slots."""
    encoder, items = MeanUserEncoder(clicks, 8), torch.randn(6, 9)
    answers = LabelAnswers(clicks)
    residuals = answers.residuals(items, unrated.history)
    found = encoder(items, unrated)[:, -1]
    for row in range(len(unrated)):
        sums = torch.zeros(3)
        for slot in range(unrated.history.mask.shape[1]):
            if unrated.history.mask[row, slot] and unrated.history.label[row, slot]:
                sums += residuals.parts[row, slot]
        torch.testing.assert_close(found[row], answers.level(sums, torch.tensor(5.0)))


def test_neighbours_are_similar_items(clicks, make_batch):
    """A click on a like item raises a candidate's score, a skip lowers it; on an unlike item neither does much."""
    batch = make_batch(rows=1, longest=1, items=3, candidates=1)
    history = batch.history
    history.mask.fill_(True)
    batch.candidates.item_index.fill_(2)
    items = torch.tensor([[1.0, 0.1, 0.0], [-1.0, 0.2, 0.0], [1.0, 0.0, 0.0]])  # 0 is like 2
    head = NeighborhoodHead(clicks, 2, sharpness=6.0).eval()
    users = torch.zeros(1, 3)

    def near(item, label):
        history.item_index.fill_(item)
        history.label.fill_(label)
        return head.neighbours(users, items, batch).item()

    assert near(0, 2) > 0.5
    assert near(0, 1) < -0.1
    assert abs(near(1, 2)) < 1e-3
    assert near(0, 0) == 0.0
    # one click where one of four is usual, one row put in: (1 + 1/4) / (0 + 3/4) over (1/4 + 1/4) / (3/4 + 3/4)
    history.age_days.zero_()
    same = torch.tensor([[1.0, 0.0, 0.0]] * 3)
    history.label.fill_(2)
    level = head.neighbours(users, same, batch)
    torch.testing.assert_close(level, torch.tensor([[[(5 / 3) / (1 / 3)]]]).log())


def test_two_labels_and_ratings_have_one_bias_alike(clicks, facts, make_batch):
    """Without history, a head begins at what is usual plus the item's bias."""
    batch = make_batch(rows=1)
    items = torch.randn(6, 9)
    for known in (clicks, facts):
        scores = DotHead(known, 8)(torch.zeros(1, 9), items, batch)
        wanted = known.score_start + items[batch.candidates.item_index, -1]
        torch.testing.assert_close(scores, wanted)


def test_cross_encoder_reads_labels(clicks, unrated, tiny_bert):
    def marks(facts):
        torch.manual_seed(0)
        backbone = lambda f: ConfiguredBackbone(f, "bert", tiny_bert)  # noqa: E731
        network = CrossEncoder(facts, backbone, max_tokens=24).eval()
        torch.nn.init.normal_(network.deed.weight)
        slot = 1, int(unrated.history.mask[1].sum()) - 1  # the newest, which is never cut off
        scores = []
        for label in (1, 2):
            unrated.history.label[slot] = label
            scores.append(network(unrated))
        return (scores[0] - scores[1]).abs().amax(1) > 1e-6

    assert marks(clicks).nonzero().flatten().tolist() == [1]
    assert not marks(replace(clicks, history_labels=False)).any()
