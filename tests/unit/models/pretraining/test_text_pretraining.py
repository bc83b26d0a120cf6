"""TextPretraining: which texts count, and contrast against a loop."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch

from lit_rec.data.facts import Facts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.pretraining.text_pretraining import TextPretraining, contrast
from lit_rec.models.text.backbone import ConfiguredBackbone

_OPTIONS = {"vocab_size": 40, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
_OPTIONS["intermediate_size"] = 8


def _network(**options: Any) -> TextPretraining:
    torch.manual_seed(0)
    special = SpecialTokens((1,), (2,), 0, mask=3)
    facts = Facts.example("pretraining", special=special, fields=("title", "genres"))
    backbone = partial(ConfiguredBackbone, model_type="bert", options=_OPTIONS)
    return TextPretraining(facts, partial(ItemEncoder, backbone=backbone, width=4), **options)


def test_contrast_is_the_cross_entropy_of_a_texts_own_second_pass() -> None:
    torch.manual_seed(1)
    one, two = torch.randn(5, 3), torch.randn(5, 3)
    expected = []
    for place in range(5):
        near = [
            math.exp(torch.cosine_similarity(one[place], other, dim=0).item() / 0.2)
            for other in two
        ]
        expected.append(-math.log(near[place] / sum(near)))
    assert contrast(one, two, 0.2).tolist() == pytest.approx(expected, rel=1e-4)


def test_a_row_has_the_mean_loss_of_its_items_texts(batch: Any) -> None:
    network = _network(contrast_weight=1.0).eval()
    losses = network(batch)
    assert losses.shape == (len(batch), 1)
    row_text = batch.items.text_index[batch.candidates.item_index[:, 0]]
    known = sorted(set(row_text.flatten().tolist()))
    keep = torch.zeros(len(batch.texts), dtype=torch.bool)
    keep[known] = True
    of_text = dict(zip(known, network._losses(batch.texts.where(keep)).tolist(), strict=True))
    for row, loss in zip(row_text.tolist(), losses[:, 0].tolist(), strict=True):
        assert loss == pytest.approx(sum(of_text[text] for text in row) / len(row), rel=1e-5)


def test_an_evaluation_hides_the_same_words_and_drops_the_same_each_time(batch: Any) -> None:
    network = _network(contrast_weight=1.0)
    torch.manual_seed(2)
    before = torch.get_rng_state()
    network.eval()
    one, two = network(batch), network(batch)
    assert torch.equal(one, two)
    assert torch.equal(torch.get_rng_state(), before)
    assert not network.item_encoder.backbone.training
    network.train()
    assert not torch.equal(network(batch), network(batch))


def test_the_two_passes_of_an_evaluation_differ(batch: Any) -> None:
    network = _network(masked_weight=0.0, contrast_weight=1.0, temperature=1e-3).eval()
    # equal passes at so low a temperature would have no loss at all
    assert network(batch).sum() > 0


def test_only_what_is_used_is_trained(batch: Any) -> None:
    network = _network(contrast_weight=1.0)
    network(batch).mean().backward()
    unused = [n for n, p in network.named_parameters() if p.requires_grad and p.grad is None]
    assert [name for name in unused if "pooler" not in name] == []
