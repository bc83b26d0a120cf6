"""Facts: the plain values of a data set that a model needs before it can be built."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from lit_rec.data.fields.field import FittedField
from lit_rec.data.fields.table_fields import fitted_from_plain
from lit_rec.data.targets.registry import target_rule
from lit_rec.data.targets.target_rule import TargetRule
from lit_rec.data.texts.tokens import SpecialTokens


@dataclass(frozen=True)
class Facts:
    """What the networks are built from; stored in the checkpoint and compared when it is used again.

    All values are from training rows only. They are plain values, so that ``torch.load(weights_only=True)`` reads them.

    Args:
        task: What is predicted, by the name of its task: ``rating``, ``label``, ``next_item``,
            ``pretraining``.
        rating_mean: Mean rating; 0 where training rows have none.
        rating_low: Smallest rating.
        rating_high: Largest rating.
        events: Names of the events, in order.
        user_ids: Users with at least one training row; row r has ``vocab_row`` r + 1.
        item_ids: Items with at least one training row, in the same way.
        fields: Text fields of an item, F of them.
        max_tokens: Longest text, special tokens included.
        special: Tokens that the tokenizer puts around a text.
        item_bias: How much better than the mean each of ``item_ids`` is rated; for two labels, the log odds ratio of
            the positive one. Users' biases are taken out. Empty where unknown.
        labels: Names of the labels that are predicted, K of them; of two, the second is the positive one.
        label_counts: How many training rows have each label.
        item_fields: Numbers, categories and vectors of an item.
        profile_texts: Text fields of a user's profile.
        user_fields: Numbers, categories and vectors of a user.
        history_labels: Whether histories contain labels: False where all behaviors that count have the same one.
        item_log_frequency: Log of the share of training rows that each of ``item_ids`` has, where the next item or
            ratings are predicted, or an encoder is pretrained on behaviors.
        target_events: Events that are predicted, where the next item is; empty: all that count in histories.
        backbone: Configuration of the encoder, known from a checkpoint: it is rebuilt without the encoder's files.

    Example:
        >>> facts = Facts(
        ...     task="rating", rating_mean=3.5, rating_low=1.0, rating_high=5.0, events=("click",),
        ...     user_ids=("u",), item_ids=("a", "b"), fields=("title",), max_tokens=64,
        ...     special=SpecialTokens(prefix=(101,), suffix=(102,), pad=0),
        ... )
        >>> facts.score_start, Facts.from_plain(facts.to_plain()) == facts
        (3.5, True)
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
    labels: tuple[str, ...] = ()
    label_counts: tuple[int, ...] = ()
    item_fields: tuple[FittedField, ...] = ()
    profile_texts: tuple[str, ...] = ()
    user_fields: tuple[FittedField, ...] = ()
    history_labels: bool = False
    item_log_frequency: tuple[float, ...] = ()
    target_events: tuple[str, ...] = ()
    backbone: dict[str, Any] | None = None

    @classmethod
    def example(cls, task: str = "rating", **values: Any) -> Facts:
        """Return small Facts to try a part with: two items with a title each, and what the task needs.

        Args:
            task: What is predicted. Ratings are from 1 to 5 with a mean of 3; other tasks have no ratings.
            **values: Values that differ from these. Labels are ``no`` and ``yes`` unless given, and each has one
                training row unless counted.

        Example:
            >>> Facts.example().rating_range, Facts.example("next_item", item_ids=("a",)).item_ids
            ((1.0, 5.0), ('a',))
            >>> Facts.example("label").labels, Facts.example("label", labels=("a", "b", "c")).label_counts
            (('no', 'yes'), (1, 1, 1))
        """
        rule = target_rule(task)
        rated = not rule.has_labels and not rule.follows
        mean, low, high = (3.0, 1.0, 5.0) if rated else (0.0, 0.0, 0.0)
        plain: dict[str, Any] = {
            "rating_mean": mean,
            "rating_low": low,
            "rating_high": high,
            "events": (),
            "user_ids": (),
            "item_ids": ("a", "b"),
            "fields": ("title",),
            "max_tokens": 8,
            "special": SpecialTokens((1,), (2,), 0),
            "labels": ("no", "yes") if rule.has_labels else (),
        }
        plain |= values
        plain.setdefault("label_counts", (1,) * len(plain["labels"]))
        return cls(task, **plain)

    @property
    def target(self) -> TargetRule:
        """The rule of what is predicted for a row."""
        return target_rule(self.task)

    @property
    def score_start(self) -> float:
        """The score before learning: the mean rating, or the log odds of the positive one of two labels."""
        return self.target.start(self.rating_mean, self.label_counts)

    @property
    def rating_range(self) -> tuple[float, float]:
        """Smallest and largest rating: predicted ratings are cut to this range."""
        return self.rating_low, self.rating_high

    @property
    def has_profiles(self) -> bool:
        """Whether anything is known of users besides their behaviors."""
        return bool(self.profile_texts or self.user_fields)

    def with_max_tokens(self, longest: int) -> Facts:
        """Return the same facts with another longest text, for an encoder that reads more than an item's text."""
        return replace(self, max_tokens=longest)

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
            tuple(special["prefix"]), tuple(special["suffix"]), special["pad"], special.get("mask")
        )
        for name in ("item_fields", "user_fields"):
            values[name] = tuple(fitted_from_plain(field) for field in plain.get(name, ()))
        return cls(**values)
