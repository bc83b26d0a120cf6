"""RecBatch: one batch as integers; each distinct item and each distinct text is in it once.

Shape letters, used in the whole package: **B** rows, **H** history length, **C** candidates per row, **N** distinct
items, **P** distinct texts, **F** text fields of an item, **T** tokens, **D** width, **K** classes. Masks are False
in padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from lit_rec.data.arrays import Int64s
from lit_rec.data.texts.tokens import SpecialTokens

_PADDING = 16  # a chunk's padding may take one part in so many of its budget


class _Movable:
    """Tensors that are moved together: the Trainer calls ``to`` and the DataLoader ``pin_memory``."""

    def _apply(self, change: Any) -> Self:
        values = {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]
        return type(self)(**{name: _changed(value, change) for name, value in values.items()})

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Return a copy on another device; takes what ``Tensor.to`` takes."""
        return self._apply(lambda value: value.to(*args, **kwargs))

    def pin_memory(self) -> Self:
        """Return a copy in page-locked memory."""
        return self._apply(lambda value: value.pin_memory())


def _changed(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {name: change(tensor) for name, tensor in value.items()}
    return change(value) if isinstance(value, Tensor | _Movable) else value


@dataclass(frozen=True)
class TextChunk(_Movable):
    """Some texts of a batch, padded to the longest of them, ready for an encoder.

    Shape:
        input_ids: ``[P', T]`` int64. mask: ``[P', T]`` bool. text_index: ``[P']`` int64, which texts of the batch these
            are.
    """

    input_ids: Tensor
    mask: Tensor
    text_index: Tensor


@dataclass(frozen=True)
class Texts(_Movable):
    """The distinct texts of a batch, as flat tokens without special tokens.

    Shape:
        tokens: ``[S]`` int32, all texts end to end. offsets: ``[P + 1]`` int64; text p is
            ``tokens[offsets[p]:offsets[p + 1]]``.
        number: ``[P]`` int64, which texts of ``store`` these are, where they are from a store. A store's name
            identifies its texts.

    Example:
        >>> texts = Texts(torch.tensor([7, 8, 9]), torch.tensor([0, 1, 3]))
        >>> [chunk.input_ids.tolist() for chunk in texts.chunks(100, SpecialTokens((1,), (2,), 0))]
        [[[1, 7, 2, 0], [1, 8, 9, 2]]]
    """

    tokens: Tensor
    offsets: Tensor
    number: Tensor | None = None
    store: str | None = None

    def __len__(self) -> int:
        """Return P, the number of texts."""
        return self.offsets.numel() - 1

    def where(self, keep: Tensor) -> Texts:
        """Return the texts where ``keep`` ``[P]`` is True, in their order.

        Example:
            >>> texts = Texts(torch.tensor([7, 8, 9]), torch.tensor([0, 1, 3]))
            >>> texts.where(torch.tensor([False, True])).tokens.tolist()
            [8, 9]
        """
        lengths = self.offsets.diff()
        ends = torch.nn.functional.pad(lengths[keep].cumsum(0), (1, 0))
        tokens = self.tokens[torch.repeat_interleave(keep, lengths)]
        return Texts(tokens, ends, None if self.number is None else self.number[keep], self.store)

    def chunks(self, budget: int, special: SpecialTokens) -> Iterator[TextChunk]:
        """Yield every text once, similar lengths together, at most ``budget`` tokens (padding included) a chunk.

        A text longer than the budget is a chunk of its own: nothing is cut here. At most a sixteenth of the budget is
        padding: one more chunk costs less than padding many short texts to the length of a few long ones.

        Args:
            budget: Largest ``P' * T`` of a chunk.
            special: Tokens put around each text, and the padding token.
        """
        added = len(special.prefix) + len(special.suffix)
        lengths = (self.offsets[1:] - self.offsets[:-1]) + added
        order = torch.argsort(lengths, stable=True)
        ordered = lengths[order].tolist()
        start = 0
        while start < len(ordered):
            stop, real = start + 1, ordered[start]
            while stop < len(ordered):
                padded = ordered[stop] * (stop + 1 - start)
                real += ordered[stop]
                if padded > budget or padded - real > budget // _PADDING:
                    break
                stop += 1
            yield self._pad(order[start:stop], ordered[stop - 1], special)
            start = stop

    def _pad(self, text_index: Tensor, width: int, special: SpecialTokens) -> TextChunk:
        device = self.tokens.device
        before, after = len(special.prefix), len(special.suffix)
        start = self.offsets[text_index].unsqueeze(1)  # [P', 1]
        length = self.offsets[text_index + 1].unsqueeze(1) - start  # [P', 1]
        position = torch.arange(width, device=device).unsqueeze(0)  # [1, T]
        inside = (position >= before) & (position < before + length)
        source = (start + position - before).clamp(0, max(self.tokens.numel() - 1, 0))
        ids = torch.full(inside.shape, special.pad, dtype=torch.int64, device=device)
        if self.tokens.numel():
            ids = torch.where(inside, self.tokens[source].long(), ids)  # [P', T]
        for place, token in enumerate(special.prefix):
            ids[:, place] = token
        for place, token in enumerate(special.suffix):
            ids.scatter_(1, before + length + place, token)
        return TextChunk(ids, position < before + length + after, text_index)


@dataclass(frozen=True)
class Items(_Movable):
    """The distinct items of a batch; or its distinct users, whose profiles have texts and fields in the same way.

    Shape:
        text_index: ``[N, F]`` int64 into the batch's texts (for users, the texts of profiles).
        catalogue_row: ``[N]`` int64, the item's row in the catalogue (-1: not in it).
        vocab_row: ``[N]`` int64, 1 + the item's row among the ids seen in training (0: unseen).
        fields: By column: numbers ``[N]`` float32 (NaN: none), categories ``[N, M]`` int64 (1 + the category's place,
            0: none or unseen), vectors ``[N, V]`` float32 (NaN: none).
    """

    text_index: Tensor
    catalogue_row: Tensor
    vocab_row: Tensor
    fields: dict[str, Tensor] = field(default_factory=dict)

    def take(self, rows: Tensor) -> Items:
        """Return the items at the places ``rows`` ``[n]``."""
        fields = {column: values[rows] for column, values in self.fields.items()}
        return Items(self.text_index[rows], self.catalogue_row[rows], self.vocab_row[rows], fields)


@dataclass(frozen=True)
class Profiles(_Movable):
    """The profiles of the M distinct users of a batch: what is known of them besides behaviors.

    Shape:
        index: ``[B]`` int64, the profile of each row.
        texts: Their distinct texts.
        users: The M profiles; ``catalogue_row`` is the user's row in the table of profiles.
    """

    index: Tensor
    texts: Texts
    users: Items


@dataclass(frozen=True)
class Users(_Movable):
    """The users of the rows.

    Shape:
        vocab_row: ``[B]`` int64, 1 + the user's row among the ids seen in training (0: unseen).
        profiles: What is known of them besides behaviors, where the data has it.
    """

    vocab_row: Tensor
    profiles: Profiles | None = None


@dataclass(frozen=True)
class HistorySlots(_Movable):
    """What each row's user did before, oldest first, real slots to the left.

    Shape:
        item_index: ``[B, H]`` int64 into ``RecBatch.items`` (0 in padding). mask: ``[B, H]`` bool.
        rating: ``[B, H]`` float32, NaN where the behavior has none (and in padding).
        event: ``[B, H]`` int64, 1 + the event's place in ``Facts.events`` (0: none, and in padding).
        age_days: ``[B, H]`` float32, days before the row's own time, NaN where unknown.
        label: ``[B, H]`` int64, 1 + the label's place in ``Facts.labels`` (0: none or not given, and in padding).
    """

    item_index: Tensor
    mask: Tensor
    rating: Tensor
    event: Tensor
    age_days: Tensor
    label: Tensor


@dataclass(frozen=True)
class Candidates(_Movable):
    """The items to score for each row.

    Shape:
        item_index: ``[B, C]`` int64 into ``RecBatch.items`` (0 in padding). mask: ``[B, C]`` bool.
    """

    item_index: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Target(_Movable):
    """What the network should predict.

    Shape:
        value: ``[B, C]``, float32 ratings or int64 places among the labels. Where the next item is predicted, int64
            into ``RecBatch.items``: ``[B, 1]`` for rows; for sequences ``[B, H + 1]``, the item that came next before
            the first slot of the history and after each slot.
        mask: the same shape, bool; False where the answer is not known.
    """

    value: Tensor
    mask: Tensor


@dataclass(frozen=True)
class SeenItems(_Movable):
    """The items that each row's user had seen before, however long ago; each item once per row.

    Shape:
        row: ``[S]`` int64 rows of the batch, increasing. item: ``[S]`` int64 rows of the catalogue.
    """

    row: Tensor
    item: Tensor

    @classmethod
    def of_pairs(cls, row: Int64s, item: Int64s) -> Self:
        """Make it from rows and their items, which may repeat.

        Example:
            >>> SeenItems.of_pairs(np.array([0, 0, 0, 2]), np.array([5, 3, 5, 5]))
            SeenItems(row=tensor([0, 0, 2]), item=tensor([3, 5, 5]))
        """
        span = int(item.max(initial=0)) + 1
        pairs = np.unique(row * span + item)
        return cls(torch.from_numpy(pairs // span), torch.from_numpy(pairs % span))

    def within(self, rows: slice) -> SeenItems:
        """Return the items of some rows; rows are then counted from the first of these."""
        edges = torch.tensor([rows.start, rows.stop], device=self.row.device)
        start, stop = torch.searchsorted(self.row, edges).tolist()
        return SeenItems(self.row[start:stop] - rows.start, self.item[start:stop])


@dataclass(frozen=True)
class RecBatch(_Movable):
    """One batch; see the classes of its parts for the shapes.

    ``row`` ``[B]`` int64 is the behavior's row in ``Prepared`` (-1 for requests made outside a table). ``impression``
    ``[B]`` int64 is the number of the impression (-1: unknown). ``drawn`` ``[S]`` int64 into ``items`` are the drawn
    negatives, where there are any. ``seen`` is given where evaluation predicts the next item. ``request_batch`` makes
    one by hand.
    """

    texts: Texts
    items: Items
    users: Users
    history: HistorySlots
    candidates: Candidates
    target: Target
    row: Tensor
    impression: Tensor
    drawn: Tensor | None = None
    seen: SeenItems | None = None

    def __len__(self) -> int:
        """Return B, the number of rows."""
        return self.row.numel()
