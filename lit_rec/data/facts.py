"""Facts: the plain values of a data set that a model needs before it can be built."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lit_rec.data.tokens import SpecialTokens


@dataclass(frozen=True)
class Facts:
    """What the networks are built from; kept in the checkpoint, compared when it is used again.

    Everything here is taken from training rows only. Plain values, so that ``torch.load(weights_only=True)`` reads them.

    Args:
        task: What is predicted; ``rating`` so far.
        rating_mean: Mean rating.
        rating_low: Smallest rating.
        rating_high: Largest rating.
        events: Names of the events, in order.
        user_ids: Users with at least one training row; row r has ``vocab_row`` r + 1.
        item_ids: Items with at least one training row, in the same way.
        fields: Text fields of an item, F of them.
        max_tokens: Longest text, special tokens included.
        special: Tokens that the tokenizer puts around a text.
        item_bias: How much better than the mean each of ``item_ids`` is rated, users' biases taken out; none where unknown.
        backbone: Configuration of the encoder once it is known (from a checkpoint), so that it is rebuilt without its files.
    """

    task: str
    rating_mean: float
    rating_low: float
    rating_high: float
    events: tuple[str, ...]
    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    fields: tuple[str, ...]
    max_tokens: int
    special: SpecialTokens
    item_bias: tuple[float, ...] = ()
    backbone: dict[str, Any] | None = None

    @property
    def rating_range(self) -> tuple[float, float]:
        """Smallest and largest rating: what a predicted rating is cut to."""
        return self.rating_low, self.rating_high

    def to_plain(self) -> dict[str, Any]:
        """Return dictionaries, lists, strings and numbers only."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Facts:
        """Rebuild from what ``to_plain`` returned."""
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()
        }
        special = plain["special"]
        values["special"] = SpecialTokens(
            tuple(special["prefix"]), tuple(special["suffix"]), special["pad"]
        )
        return cls(**values)
