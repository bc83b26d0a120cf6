from dataclasses import replace

import pytest
import torch
from torch import nn

from lit_rec.data.batches.batch import Items, Texts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.text.backbone import Backbone, ConfiguredBackbone
from lit_rec.models.text.pooling import AttentionPooling
from lit_rec.models.text.tuning import FullTuning


class Sizes(nn.Module):
    """An encoder whose token vectors are [token, place]."""

    class config:  # noqa: N801 (as transformers calls it)
        hidden_size = 2

    class Out:
        def __init__(self, hidden):
            self.last_hidden_state = hidden

    def forward(self, input_ids, attention_mask):
        place = torch.arange(input_ids.shape[1]).expand_as(input_ids)
        return self.Out(torch.stack([input_ids, place], -1).float())


def plain_encoder(facts, **options):
    bare = replace(facts, special=SpecialTokens((), (), 0))
    return ItemEncoder(bare, lambda facts: Backbone(Sizes(), FullTuning()), width=2, **options)


# texts [4], [6, 8] and [1, 2, 3]; their means of [token, place] are [4, 0], [7, .5] and [2, 1]
TEXTS = Texts(torch.tensor([4, 6, 8, 1, 2, 3]).int(), torch.tensor([0, 1, 3, 6]))
ITEMS = Items(torch.tensor([[0, 1], [2, 2]]), torch.tensor([0, 1]), torch.tensor([1, 0]))


@pytest.mark.parametrize("budget", [1, 3, 4, 100])
def test_texts_come_back_in_their_own_order(facts, budget):
    encoder = plain_encoder(facts, max_tokens_per_chunk=budget)
    expected = [[4.0, 0.0], [7.0, 0.5], [2.0, 1.0]]
    assert encoder.encode_texts(TEXTS).tolist() == expected


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("number", [3, 0])
def test_calls_beyond_the_own_ones_change_nothing(facts, tiny_bert, number, recompute):
    """Vectors and gradients are the same, and the backward pass goes through every call."""
    silent = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    texts = Texts(TEXTS.tokens, TEXTS.offsets[: number + 1])
    found = []
    for more in (0, 2):
        torch.manual_seed(0)
        encoder = ItemEncoder(
            facts,
            lambda facts: ConfiguredBackbone(facts, "bert", tiny_bert | silent),
            max_tokens_per_chunk=4,
            recompute=recompute,
        )
        encoder.share(lambda calls, more=more: calls + more)
        done = []

        def watch(module, given, tokens, done=done):
            tokens.register_hook(lambda _: done.append(1))

        encoder.backbone.register_forward_hook(watch)
        vectors = encoder.encode_texts(texts)
        assert vectors.shape == (number, 16)
        if number + more:
            vectors.square().sum().backward()
        assert len(done) == number + more
        weights = [weight for weight in encoder.backbone.parameters() if weight.requires_grad]
        absent = torch.zeros(())
        grads = [float((absent if w.grad is None else w.grad).norm()) for w in weights]
        found.append((vectors, torch.tensor(grads)))
    torch.testing.assert_close(*found)
    assert bool(found[0][1].any()) == bool(number)


def test_item_vector_by_hand(facts):
    """Fields weigh 1/4 and 3/4, times the root of their number; each has a projection of its own; id 1 adds 10."""
    encoder = plain_encoder(facts, ids=IdEmbedding).eval()
    with torch.no_grad():
        encoder.fields.field_logits.copy_(torch.tensor([0.0, torch.tensor(3.0).log()]))
        weight = [[0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 2.0], [2.0, 0.0, 0.0, 4.0]]
        encoder.fields.weight.copy_(torch.tensor(weight))
        encoder.ids.embedding.weight.fill_(10.0)
        encoder.ids.bias.weight.fill_(0.5)
    vectors = encoder(TEXTS, ITEMS)
    text = 2**0.5 * torch.tensor([[5.25, 1.75, 3.5], [1.75, 2.0, 4.0]])
    known = torch.tensor([[10.0, 10.0, 0.5], [0.0, 0.0, 0.0]])  # item 1 is unseen
    torch.testing.assert_close(vectors, text + known)


def test_bias_of_text_begins_at_zero(facts):
    assert plain_encoder(facts)(TEXTS, ITEMS)[:, -1].tolist() == [0.0, 0.0]


def test_fields_begin_with_equal_weights(facts):
    assert plain_encoder(facts).fields.field_weights.tolist() == [0.5, 0.5]


def test_the_only_field_has_nothing_to_weigh(facts):
    fields = plain_encoder(replace(facts, fields=("text",))).fields
    assert fields.field_weights.tolist() == [1.0]
    assert not fields.field_logits.requires_grad


def test_no_text_gives_no_vector(facts):
    nothing = Texts(torch.empty(0, dtype=torch.int32), torch.zeros(1, dtype=torch.int64))
    assert plain_encoder(facts).encode_texts(nothing).shape == (0, 2)


def test_dropout_is_of_training_alone(facts, batch, tiny_bert):
    quiet = tiny_bert | {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    encoder = ItemEncoder(
        facts, lambda facts: ConfiguredBackbone(facts, "bert", quiet), dropout=0.5
    )
    parts = batch.texts, batch.items
    assert not torch.equal(encoder(*parts), encoder(*parts))
    encoder.eval()
    assert torch.equal(encoder(*parts), encoder(*parts))


def test_pooling_takes_the_encoders_width(facts):
    assert plain_encoder(facts, pooling=AttentionPooling).pooling.hidden.in_features == 2


@pytest.mark.parametrize("recompute", [False, True])
def test_vectors_are_single_precision_under_autocast(facts, batch, tiny_bert, recompute):
    encoder = ItemEncoder(
        facts, lambda facts: ConfiguredBackbone(facts, "bert", tiny_bert), recompute=recompute
    )
    with torch.autocast("cpu", torch.bfloat16):
        vectors = encoder(batch.texts, batch.items)
        assert vectors.dtype == torch.float32
        vectors.square().sum().backward()
    assert {p.grad.dtype for p in encoder.parameters() if p.grad is not None} == {torch.float32}


def test_projections_begin_where_the_texts_are(facts):
    """With ``principal``, items are as near one another as their texts; by default the projection stays as drawn."""
    drawn = plain_encoder(facts)
    before = drawn.fields.weight.clone()
    drawn.calibrate(TEXTS, ITEMS)
    assert torch.equal(drawn.fields.weight, before)
    near = plain_encoder(facts, principal=True)
    near.calibrate(TEXTS, ITEMS)
    # the first field has the texts 0 and 2, which differ in one direction
    first = near.fields.weight[:2, :2]
    apart = torch.tensor([2.0, -1.0])  # [4, 0] - [2, 1]
    across = torch.tensor([1.0, 2.0])
    assert (first @ apart).abs().max() > 0.1
    torch.testing.assert_close(first @ across, torch.zeros(2), atol=1e-5, rtol=0)
