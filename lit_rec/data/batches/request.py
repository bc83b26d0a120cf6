"""One request as a RecBatch over a table of item vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import (
    Candidates,
    HistorySlots,
    Items,
    Profiles,
    RecBatch,
    Target,
    Texts,
    Users,
)

_DAY = 86_400.0


@dataclass(frozen=True)
class Seen:
    """One behavior of a request.

    Args:
        item: Row of the item among the catalogue and the request's own items.
        rating: The rating; NaN: none.
        event: Place among the events, 0 for none.
        timestamp: Seconds; NaN: unknown.
        label: 1 + the place among the labels, 0 for none.

    Example:
        >>> Seen(item=3, rating=4.0, event=0, timestamp=float("nan"), label=0).rating
        4.0
    """

    item: int
    rating: float
    event: int
    timestamp: float
    label: int


def request_batch(
    seen: Sequence[Seen],
    rows: Int64s,
    user_row: int,
    now: float | None,
    profile: tuple[Texts, Items] | None = None,
) -> RecBatch:
    """Return a batch of one row whose items are rows of a table.

    Args:
        seen: The history, oldest first; may be empty.
        rows: ``[C]`` rows of the table to score.
        user_row: The user's row in the id vocabulary, 0 for none.
        now: Time of the request in seconds; None: ages are unknown.
        profile: What is known of the user besides the history, where the network reads profiles.

    Example:
        >>> batch = request_batch([], rows=np.array([4, 7]), user_row=0, now=None)
        >>> len(batch), batch.candidates.item_index.tolist(), batch.history.mask.tolist()
        (1, [[4, 7]], [[False]])
    """
    slots = seen or [Seen(0, float("nan"), 0, float("nan"), 0)]
    age = [np.nan if now is None else (now - s.timestamp) / _DAY for s in slots]
    empty = torch.empty(0, dtype=torch.int64)
    ones = torch.ones((1, len(rows)), dtype=torch.bool)
    return RecBatch(
        texts=Texts(empty.int(), torch.zeros(1, dtype=torch.int64)),
        items=Items(empty.reshape(0, 1), empty, empty),
        users=Users(
            torch.tensor([user_row]),
            None if profile is None else Profiles(torch.zeros(1, dtype=torch.int64), *profile),
        ),
        history=HistorySlots(
            item_index=torch.tensor([[s.item for s in slots]]),
            mask=torch.full((1, len(slots)), bool(seen)),
            rating=torch.tensor([[s.rating for s in slots]], dtype=torch.float32),
            event=torch.tensor([[s.event for s in slots]]),
            age_days=torch.tensor([age], dtype=torch.float32),
            label=torch.tensor([[s.label for s in slots]]),
        ),
        candidates=Candidates(torch.from_numpy(rows).unsqueeze(0), ones),
        target=Target(torch.zeros(1, len(rows)), ~ones),
        row=torch.tensor([-1]),
        impression=torch.tensor([-1]),
    )


def joined(parts: Sequence[tuple[Texts, Items]]) -> tuple[Texts, Items]:
    """Return texts and items of several catalogues joined as if from one, in their order."""
    texts, items = zip(*parts, strict=True)
    # where each part's texts and tokens begin
    start = np.cumsum([0, *(len(part) for part in texts)]).tolist()
    token = np.cumsum([0, *(len(part.tokens) for part in texts)]).tolist()
    offsets = [part.offsets[:-1] + first for part, first in zip(texts, token, strict=False)]
    index = [part.text_index + first for part, first in zip(items, start, strict=False)]
    return (
        Texts(
            torch.cat([part.tokens for part in texts]),
            torch.cat([*offsets, torch.tensor(token[-1:])]),
        ),
        Items(
            text_index=torch.cat(index),
            catalogue_row=torch.cat([part.catalogue_row for part in items]),
            vocab_row=torch.cat([part.vocab_row for part in items]),
        ),
    )
