"""Tiny encoders of several families, with random weights."""

import torch

from lit_rec.data.batches.batch import TextChunk
from lit_rec.models.text.backbone import Backbone, model_of_config

BERT = {
    "hidden_size": 8,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "vocab_size": 30,
    "max_position_embeddings": 40,
}
FAMILIES = {
    "bert": BERT,
    "roberta": BERT,
    "distilbert": {
        "dim": 8,
        "n_layers": 3,
        "n_heads": 2,
        "hidden_dim": 12,
        "vocab_size": 30,
        "max_position_embeddings": 40,
    },
    "deberta-v2": {
        **BERT,
        "relative_attention": True,
        "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False,
    },
    "modernbert": {
        **BERT,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "cls_token_id": 1,
        "sep_token_id": 2,
    },
    "mpnet": BERT,
    "gpt2": {
        "n_embd": 8,
        "n_layer": 3,
        "n_head": 2,
        "n_inner": 12,
        "vocab_size": 30,
        "n_positions": 40,
    },
    "qwen2": {**BERT, "num_key_value_heads": 1},
    "t5": {
        "d_model": 8,
        "d_kv": 4,
        "d_ff": 12,
        "num_layers": 3,
        "num_heads": 2,
        "vocab_size": 30,
    },
}


def encoder(family):
    """An encoder of three layers, the same each time."""
    torch.manual_seed(0)
    return model_of_config({"model_type": family, **FAMILIES[family]})


def chunk():
    """Two texts of six and four tokens."""
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    ids = torch.arange(3, 15).view(2, 6) * mask
    return TextChunk(ids, mask, torch.arange(2))


def backbone(family, tuning):
    """The encoder within a backbone, in evaluation mode."""
    return Backbone(encoder(family), tuning).eval()


def vectors(of):
    """The token vectors of ``chunk``, those of padding left out."""
    return of(chunk())[chunk().mask]


def learned(of, steps=8, rate=0.05):
    """Train a few steps towards random vectors; return the losses before and after."""
    trained = [parameter for parameter in of.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, rate)
    wanted = torch.randn(vectors(of).shape, generator=torch.Generator().manual_seed(1))
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (vectors(of) - wanted).square().mean()
        loss.backward()
        assert all(parameter.grad is not None for parameter in trained)
        optimizer.step()
        losses.append(loss.item())
    return losses[0], (vectors(of) - wanted).square().mean().item()
