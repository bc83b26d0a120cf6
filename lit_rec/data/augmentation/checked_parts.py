"""The check of a list of ways to change texts and histories."""

from __future__ import annotations

from collections.abc import Sequence

from lit_rec.data.augmentation.augmentation import Augmentation
from lit_rec.data.augmentation.behavior_augmentation import BehaviorAugmentation
from lit_rec.data.augmentation.text_augmentation import TextAugmentation
from lit_rec.data.history.histories import NoHistory
from lit_rec.data.history.rule import History
from lit_rec.errors import ConfigError, option_of

_OPTION = option_of("BehaviorDataModule", "augmentation")
_ROUNDING = 1e-9


def checked_parts(
    parts: Sequence[Augmentation], history: History
) -> tuple[list[TextAugmentation], list[BehaviorAugmentation]]:
    """Return the parts that change texts, and those that change histories.

    Args:
        parts: All parts.
        history: The rule for histories.

    Raises:
        ConfigError: If a part is neither, the rates of either kind add up to more than 1, or there are no histories to
            change.
    """
    texts = [part for part in parts if isinstance(part, TextAugmentation)]
    histories = [part for part in parts if isinstance(part, BehaviorAugmentation)]
    for part in parts:
        if not isinstance(part, TextAugmentation | BehaviorAugmentation):
            name = type(part).__name__
            raise ConfigError(
                f"{name} changes neither texts nor histories",
                where=_OPTION,
                rule="parts that derive from TextAugmentation or BehaviorAugmentation",
                remedy=f"let {name} derive from one of them, or leave it out",
            )
    _check_rates(texts)
    _check_rates(histories)
    if histories and isinstance(history, NoHistory):
        name = type(histories[0]).__name__
        raise ConfigError(
            f"{name} changes histories, and there are none: texts alone, or NoHistory",
            where=_OPTION,
            rule="a history where parts change histories",
            remedy=f"leave {name} out, or set BehaviorDataModule.history to PastHistory where rows have users",
        )
    return texts, histories


def _check_rates(parts: Sequence[Augmentation]) -> None:
    total = sum(part.rate for part in parts)
    if total > 1 + _ROUNDING:
        rates = ", ".join(f"{type(part).__name__} {part.rate:g}" for part in parts)
        raise ConfigError(
            f"the rates of {rates} are {total:g} together",
            where=_OPTION,
            rule="at most 1 together: a text, or a history, is changed in one way at a time",
            remedy=f"lower the rates, for example to {1 / (len(parts) + 1):.2g} each",
        )
