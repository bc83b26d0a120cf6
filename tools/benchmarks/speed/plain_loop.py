"""The plain loop of tools/benchmark speed: what a first script does, with nothing shared between rows.

Each row is a text pair of the user's history and the candidate, padded to 128 tokens. Batch 16, float32, the same
encoder with a linear head, fused AdamW.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import polars as pl
import torch
from torch import Tensor, nn
from transformers import AutoModel, AutoTokenizer

from lit_rec.data.arrays import Int64s
from lit_rec.data.datamodule import BehaviorDataModule
from tools.benchmarks.speed.training_steps import update

_BATCH = 16
_TOKENS = 128


class PlainLoop:
    """The loop over an epoch of training rows, drawn at random, each once.

    Args:
        data: The behaviors and texts, prepared.
        dtype: Type in which the encoder computes, under autocast.
    """

    def __init__(self, data: BehaviorDataModule, dtype: torch.dtype = torch.float32) -> None:
        self._data, self._dtype = data, dtype
        self._tokenizer = AutoTokenizer.from_pretrained(data.encoder, trust_remote_code=False)
        self._encoder = AutoModel.from_pretrained(data.encoder, trust_remote_code=False).train()
        self._head = nn.Linear(self._encoder.config.hidden_size, 1)
        self._both = nn.ModuleList([self._encoder, self._head])
        self._optimizer = torch.optim.AdamW(self._both.parameters(), lr=2e-5, fused=True)
        texts = data.prepared.texts.select(pl.concat_str(pl.all(), separator=". "))
        self._texts = texts.to_series().to_list()
        self._history = data.history.bind(data.prepared)
        rows = data.prepared.rows_of("train")
        chance = torch.Generator().manual_seed(0)
        self._rows = rows[torch.randperm(len(rows), generator=chance).numpy()]
        self.steps = 0

    @property
    def is_done(self) -> bool:
        """Whether the epoch is over."""
        return self.steps * _BATCH >= len(self._rows)

    def step(self) -> int:
        """Take an optimizer step, and return how many rows it read."""
        batch = self._rows[self.steps * _BATCH : (self.steps + 1) * _BATCH]
        loss = nn.functional.mse_loss(self._scores(batch), self._ratings(batch))
        loss.backward()  # type: ignore[no-untyped-call]
        update(self._both, self._optimizer)
        self.steps += 1
        return len(batch)

    @torch.no_grad()
    def rmse(self, rows: Int64s) -> float:
        """Return the root mean square error on rows of the behaviors."""
        self._both.eval()
        square = sum(
            float((self._scores(part) - self._ratings(part)).square().sum())
            for part in _parts(rows, 4 * _BATCH)
        )
        self._both.train()
        return math.sqrt(square / len(rows))

    def state(self) -> dict[str, Any]:
        """Return what a later process needs to go on."""
        return {
            "weights": self._both.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "steps": self.steps,
            "random": torch.get_rng_state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._both.load_state_dict(state["weights"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.steps = state["steps"]
        torch.set_rng_state(state["random"])

    def _scores(self, rows: Int64s) -> Tensor:
        history = self._history.of(rows)
        past = [
            "; ".join(self._texts[i] for i in items[mask])
            for items, mask in zip(history.item, history.mask, strict=True)
        ]
        tokens = self._tokenizer(
            past,
            [self._texts[i] for i in self._data.prepared.item[rows]],
            padding="max_length",
            truncation="only_first",
            max_length=_TOKENS,
            return_tensors="pt",
        )
        with torch.autocast("cpu", self._dtype, enabled=self._dtype != torch.float32):
            hidden = self._encoder(**tokens).last_hidden_state[:, 0]
        scores: Tensor = self._head(hidden.float()).squeeze(1)
        return scores

    def _ratings(self, rows: Int64s) -> Tensor:
        return torch.from_numpy(self._data.prepared.rating[rows].copy())


def _parts(rows: Int64s, size: int) -> Iterator[Int64s]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
