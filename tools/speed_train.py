"""Fit throughput of configs/movielens_u1.yaml against the plain loop, in one run.

The plain loop is what a first script does: for each row the user's history and the candidate as a text pair, padded to 128 tokens, batch 16,
float32, the same encoder with a linear head, fused AdamW; nothing is shared between rows. Both sides take whole optimizer steps (batch, forward,
backward, clipping, update) and are timed in turns, so that noise of the machine hits both. Interactions per second are rows of a step
divided by the median of its seconds. Both sides run in float32, whatever the probe of the YAML would choose; the ratio's low and high are the extremes over the turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import torch
from configured import configured
from torch import nn
from transformers import AutoModel, AutoTokenizer

from lit_rec.data.behavior_data import BehaviorDataModule
from lit_rec.training.lit_rec import LitRec

_CONFIG = Path("configs/movielens_u1.yaml")
_PLAIN_BATCH = 16
_PLAIN_TOKENS = 128
_CLIP = 1.0


def measure(data: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        data: Folder that holds ml-100k.
        quick: Three turns instead of ten.
    """
    started = time.perf_counter()
    turns = 3 if quick else 10
    datamodule, module = _configured(data)
    ours = _our_steps(datamodule, module)
    plain = _plain_steps(datamodule)
    rates: dict[str, list[float]] = {"lit_rec": [], "plain loop": []}
    for step in (ours, plain):  # the first step pays for allocations
        step()
    for _ in range(turns):
        rates["lit_rec"].append(_rate(ours, 1))
        rates["plain loop"].append(_rate(plain, 4))
    ratios = [a / b for a, b in zip(rates["lit_rec"], rates["plain loop"], strict=True)]
    seconds = time.perf_counter() - started
    named = [
        ("lit_rec", "interactions/s", rates["lit_rec"]),
        ("plain loop", "interactions/s", rates["plain loop"]),
    ]
    named.append(("lit_rec / plain loop", "ratio", ratios))
    return [
        {
            "name": n,
            "metric": m,
            "value": median(v),
            "low": min(v),
            "high": max(v),
            "seeds": 1,
            "seconds": seconds,
        }
        for n, m, v in named
    ]


def _configured(data: Path) -> tuple[BehaviorDataModule, LitRec]:
    return configured(_CONFIG, data / "ml-100k")


def _our_steps(data: BehaviorDataModule, module: LitRec) -> Callable[[], int]:
    network, optimizer = module.built().train(), module.new_optimizer()
    batches: Iterator[Any] = iter(data.train_dataloader())

    def step() -> int:
        batch = next(batches)
        total, count = module.objective(network(batch), batch.target)
        (total / count).backward()
        _update(network, optimizer)
        return len(batch)

    return step


def _plain_steps(data: BehaviorDataModule) -> Callable[[], int]:
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
        batch = torch.tensor([int(next(rows)) for _ in range(_PLAIN_BATCH)]).numpy()
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
            max_length=_PLAIN_TOKENS,
            return_tensors="pt",
        )
        score = head(encoder(**tokens).last_hidden_state[:, 0]).squeeze(1)
        target = torch.from_numpy(prepared.rating[batch].copy())
        nn.functional.mse_loss(score, target).backward()
        _update(both, optimizer)
        return len(batch)

    return step


def _update(module: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    nn.utils.clip_grad_norm_(module.parameters(), _CLIP)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def _rate(step: Callable[[], int], steps: int) -> float:
    seconds, rows = [], 0
    for _ in range(steps):
        start = time.perf_counter()
        rows = step()
        seconds.append(time.perf_counter() - start)
    return rows / median(seconds)
