"""DrawnItems: items that a training batch brings beside those of its rows."""

from __future__ import annotations

import numpy as np

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.negatives import Negatives
from lit_rec.data.facts import Facts


class DrawnItems:
    """Draw catalogue codes of items that training rows have.

    Args:
        negatives: How they are chosen.
        facts: Facts of the data.
        vocab_row: ``[I]`` int64, the row of each item of the catalogue among ``facts.item_ids``, from 1 (0: no training
            row).
    """

    def __init__(self, negatives: Negatives, facts: Facts, vocab_row: Int64s) -> None:
        self._negatives = negatives
        self._log_frequency = np.array(facts.item_log_frequency)
        # of a checkpoint used on another catalogue, some may be gone: those are not drawn
        code = np.full(len(facts.item_ids) + 1, -1, np.int64)
        code[vocab_row] = np.arange(len(vocab_row))
        self._code = code[1:]

    def draw(self, rng: np.random.Generator) -> Int64s:
        """Return distinct codes ``[S]``."""
        code = self._code[self._negatives.draw(self._log_frequency, rng)]
        return code[code >= 0]
