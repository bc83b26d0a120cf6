"""Variants: texts that training batches hold in place of others; VariantCollator puts them there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.batch import RecBatch, Texts
from lit_rec.data.batches.collator import BatchRows
from lit_rec.data.texts.tokens import TokenStore

_OWN_DRAWS = 1  # after a batch's seed: without variants, the same histories and negatives are drawn


@dataclass(frozen=True)
class Variants:
    """The variants of a catalogue's texts, of each way to make them, as tokens.

    Args:
        rates: K shares of the texts that are replaced.
        first: ``[K, P + 1]`` int64 into ``number``; way k made ``number[first[k, p]:first[k, p + 1]]`` of text p.
        number: ``[V]`` int64 texts of ``store``.
        store: Their tokens.

    Example:
        >>> store = TokenStore(np.array([7, 8, 9], np.int32), np.array([0, 1, 3]))
        >>> variants = Variants([1.0], np.array([[0, 0, 2]]), np.array([0, 1]), store)  # two of text 1, none of text 0
        >>> variants.drawn(np.array([0, 1]), np.random.default_rng(0)).tolist()
        [-1, 0]
    """

    rates: Sequence[float]
    first: Int64s
    number: Int64s
    store: TokenStore

    @classmethod
    def of_rows(
        cls, rates: Sequence[float], part: Int64s, text: Int64s, number: Int64s, store: TokenStore
    ) -> Variants:
        """Make it from a list of variants.

        Args:
            rates: K shares.
            part: ``[V]``, which way made each, from 0 to K - 1.
            text: ``[V]``, the text that each was made of.
            number: ``[V]`` texts of ``store``.
            store: Their tokens.
        """
        order = np.lexsort((text, part))
        part, text, number = part[order], text[order], number[order]
        texts = int(text.max(initial=-1)) + 1
        key, step = part * (texts + 1) + text, np.arange(texts + 1)
        first = np.searchsorted(key, np.arange(len(rates))[:, None] * (texts + 1) + step)
        return cls(rates, first.astype(np.int64), number, store)

    def drawn(self, text: Int64s, rng: np.random.Generator) -> Int64s:
        """Return for each text ``[P]`` a variant drawn, as a text of ``store``; -1: the text itself."""
        way = np.searchsorted(np.cumsum(self.rates), rng.random(len(text)), side="right")
        chance = rng.random(len(text))
        has = (way < len(self.rates)) & (text < self.first.shape[1] - 1)
        way, text = np.where(has, way, 0), np.where(has, text, 0)
        begin, end = self.first[way, text], self.first[way, text + 1]
        has &= end > begin
        place = begin + (chance * (end - begin)).astype(np.int64)
        return np.where(has, self.number[np.where(has, place, 0)], -1)

    def replaced(self, texts: Texts, rng: np.random.Generator) -> Texts:
        """Return texts of the catalogue's store, some of them replaced; they are of no store then."""
        if texts.number is None or not len(texts):
            return texts
        drawn = self.drawn(texts.number.numpy(), rng)
        is_new = drawn >= 0
        new = self.store.take(drawn[is_new])
        tokens, offsets = texts.tokens.numpy(), texts.offsets.numpy()
        both = TokenStore(
            np.concatenate([tokens, new.tokens]),
            np.concatenate([offsets, offsets[-1] + new.offsets[1:]]),
        )
        place = np.where(is_new, len(texts) + np.cumsum(is_new) - 1, np.arange(len(texts)))
        found = both.take(place)
        return Texts(torch.from_numpy(found.tokens), torch.from_numpy(found.offsets))


class VariantCollator:
    """Put variants in place of some texts of training batches; batches without a seed stay as they are.

    Args:
        collator: Makes the batches.
        variants: The variants.
    """

    def __init__(self, collator: Callable[[BatchRows], RecBatch], variants: Variants) -> None:
        self._collator, self._variants = collator, variants

    def __call__(self, batch: BatchRows) -> RecBatch:
        """Return the batch of ``batch.rows``."""
        found = self._collator(batch)
        if batch.seed is None:
            return found
        rng = np.random.default_rng([*batch.seed, _OWN_DRAWS])
        return replace(found, texts=self._variants.replaced(found.texts, rng))
