"""Hidden words against transformers' BertForMaskedLM, which is another implementation of the same loss."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from lit_rec.data.batches.batch import Texts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.pretraining.masked_words import MaskedWords
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.tuning import FullTuning

_SPECIAL = SpecialTokens((1,), (2,), 0, mask=3)
_TEXTS = [[5, 6, 7, 8], [9], [10, 11, 12], [13, 14, 15, 16, 17, 18], []]
_SIZES = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2}


def _texts(lists: list[list[int]]) -> Texts:
    ends = torch.tensor([0, *(len(text) for text in lists)]).cumsum(0)
    return Texts(torch.tensor([t for text in lists for t in text], dtype=torch.int32), ends)


@pytest.fixture
def made() -> SimpleNamespace:
    """The loss, and BertForMaskedLM with the same weights."""
    torch.manual_seed(0)
    config = BertConfig(vocab_size=20, num_attention_heads=2, layer_norm_eps=1e-5, **_SIZES)
    model = BertForMaskedLM(config).eval()
    backbone = Backbone(model.bert, FullTuning()).eval()
    words = MaskedWords(backbone, _SPECIAL, share=0.4)
    head = model.cls.predictions
    with torch.no_grad():
        head.bias.normal_()
        words.bias.copy_(head.bias)
        words.guess[0].load_state_dict(head.transform.dense.state_dict())
        words.guess[2].load_state_dict(head.transform.LayerNorm.state_dict())
    return SimpleNamespace(words=words, backbone=backbone, model=model)


def _draws(words: MaskedWords, texts: Texts) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(4)
    chosen = words._chosen(texts, generator)
    return chosen, words._shown(texts.tokens, chosen, 20, generator)


@pytest.mark.parametrize("max_tokens", [8, 1000])
def test_the_loss_is_that_of_transformers(made: SimpleNamespace, max_tokens: int) -> None:
    texts = _texts(_TEXTS)
    losses = made.words(made.backbone, texts, max_tokens, torch.Generator().manual_seed(4))
    chosen, shown = _draws(made.words, texts)
    assert 3 < int(chosen.sum()) < len(chosen)
    # one text at a time, without padding
    sums = []
    for place in range(len(_TEXTS)):
        span = slice(int(texts.offsets[place]), int(texts.offsets[place + 1]))
        ids = torch.tensor([[1, *shown[span].tolist(), 2]])
        true = texts.tokens[span].long().masked_fill(~chosen[span], -100)
        labels = torch.tensor([[-100, *true.tolist(), -100]])
        found = made.model(input_ids=ids, labels=labels).loss
        hidden = int(chosen[span].sum())
        sums.append(found * hidden if hidden else torch.zeros(()))
    expected = torch.stack(sums) * len(_TEXTS) / chosen.sum()
    torch.testing.assert_close(losses, expected, atol=1e-5, rtol=1e-5)
    mean = torch.stack(sums).sum() / chosen.sum()
    assert losses.mean().item() == pytest.approx(mean.item(), rel=1e-5)


def test_of_the_hidden_words_four_fifths_are_masked_and_a_tenth_is_another(
    made: SimpleNamespace,
) -> None:
    texts = _texts([[5] * 50_000])
    chosen, shown = _draws(made.words, texts)
    share = chosen.float().mean().item()
    assert share == pytest.approx(0.4, abs=0.01)
    assert (shown[~chosen] == 5).all()
    hidden = shown[chosen]
    # a random word is the same one in a twentieth of the cases, or the mask
    assert (hidden == 3).float().mean().item() == pytest.approx(0.8 + 0.1 / 20, abs=0.01)
    assert (hidden == 5).float().mean().item() == pytest.approx(0.1 + 0.1 / 20, abs=0.01)
    assert len(hidden.unique()) == 20


def test_there_is_always_a_hidden_word(made: SimpleNamespace) -> None:
    made.words.share = 0.0
    losses = made.words(made.backbone, _texts([[7, 8], []]), 100)
    assert losses[0] > 0
    assert losses[1] == 0


def test_a_batch_without_any_word_has_no_loss_and_can_be_trained(made: SimpleNamespace) -> None:
    losses = made.words(made.backbone, _texts([[], []]), 100)
    losses.mean().backward()
    assert losses.tolist() == [0.0, 0.0]


def test_word_vectors_learn_as_input_and_as_output(made: SimpleNamespace) -> None:
    made.words(made.backbone, _texts(_TEXTS), 100).mean().backward()
    gradient = made.backbone.model.get_input_embeddings().weight.grad
    assert (gradient.abs().sum(1) > 0).all()  # each word is a possible answer
    assert all(p.grad is not None for p in made.words.parameters())
