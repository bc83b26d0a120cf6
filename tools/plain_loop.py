"""The plain loop: what a first script does, nothing being shared between rows.

For each row the user's history and the candidate as a text pair, padded to 128 tokens, batch 16, float32, the same encoder with a linear head,
fused AdamW.
"""

from __future__ import annotations

import polars as pl
import torch
from torch import nn
from training_steps import Step, update
from transformers import AutoModel, AutoTokenizer

from lit_rec.data.behavior_data import BehaviorDataModule

_BATCH = 16
_TOKENS = 128


def plain_steps(data: BehaviorDataModule) -> Step:
    """Return what takes a step of the plain loop on training rows, drawn at random, each once."""
    tokenizer = AutoTokenizer.from_pretrained(data.encoder)
    encoder = AutoModel.from_pretrained(data.encoder).train()
    head = nn.Linear(encoder.config.hidden_size, 1)
    both = nn.ModuleList([encoder, head])
    optimizer = torch.optim.AdamW(both.parameters(), lr=2e-5, fused=True)
    prepared = data.prepared
    texts = prepared.texts.select(pl.concat_str(pl.all(), separator=". ")).to_series().to_list()
    bound = data.history.bind(prepared)
    order = torch.randperm(
        len(prepared.rows_of("train")), generator=torch.Generator().manual_seed(0)
    ).numpy()
    rows = iter(prepared.rows_of("train")[order])

    def step() -> int:
        batch = torch.tensor([int(next(rows)) for _ in range(_BATCH)]).numpy()
        history = bound.of(batch)
        past = [
            "; ".join(texts[i] for i in items[mask])
            for items, mask in zip(history.item, history.mask, strict=True)
        ]
        candidate = [texts[i] for i in prepared.item[batch]]
        tokens = tokenizer(
            past,
            candidate,
            padding="max_length",
            truncation="only_first",
            max_length=_TOKENS,
            return_tensors="pt",
        )
        score = head(encoder(**tokens).last_hidden_state[:, 0]).squeeze(1)
        target = torch.from_numpy(prepared.rating[batch].copy())
        nn.functional.mse_loss(score, target).backward()
        update(both, optimizer)
        return len(batch)

    return step
