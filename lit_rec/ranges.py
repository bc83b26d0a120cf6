"""Numbers that an option may hold, checked where a part is built."""

from __future__ import annotations

import math

from lit_rec.errors import ConfigError, option_of


def positive(part: object, option: str, value: float) -> float:
    """Return a number above 0.

    Args:
        part: What takes the option, or its class.
        option: The parameter.
        value: What the user gave.

    Raises:
        ConfigError: If it is not above 0, or not finite.

    Example:
        >>> positive("NeighborhoodHead", "sharpness", 6.0)
        6.0
    """
    return _checked(part, option, value, 0 < value < math.inf, "a number above 0")


def not_negative(part: object, option: str, value: float) -> float:
    """Return a number from 0 on.

    Args:
        part: What takes the option, or its class.
        option: The parameter.
        value: What the user gave.

    Raises:
        ConfigError: If it is below 0, or not finite.
    """
    return _checked(part, option, value, 0 <= value < math.inf, "a number from 0 on")


def penalty(part: object, option: str, value: float) -> float:
    """Return a number above 0, infinity included.

    Args:
        part: What takes the option, or its class.
        option: The parameter.
        value: What the user gave.

    Raises:
        ConfigError: If it is not above 0.
    """
    return _checked(part, option, value, value > 0, "a number above 0, or .inf")


def finite(part: object, option: str, value: float) -> float:
    """Return a number, negative ones included.

    Args:
        part: What takes the option, or its class.
        option: The parameter.
        value: What the user gave.

    Raises:
        ConfigError: If it is infinite, or no number.
    """
    return _checked(part, option, value, math.isfinite(value), "a finite number")


def share(part: object, option: str, value: float) -> float:
    """Return a share, such as a dropout, from 0 to 1.

    Args:
        part: What takes the option, or its class.
        option: The parameter.
        value: What the user gave.

    Raises:
        ConfigError: If it is outside, as a percentage is.
    """
    return _checked(part, option, value, 0 <= value <= 1, "a share from 0 to 1")


def part_of_all(part: object, option: str, value: float) -> float:
    """Return a share above 0, up to 1.

    Args:
        part: What takes the option, or its class.
        option: The parameter.
        value: What the user gave.

    Raises:
        ConfigError: If it is outside, as a percentage is.
    """
    return _checked(part, option, value, 0 < value <= 1, "a share above 0, up to 1")


def count(part: object, option: str, value: int, least: int = 1) -> int:
    """Return a count that is not below ``least``.

    Args:
        part: What takes the option, or its class.
        option: The parameter.
        value: What the user gave.
        least: The smallest that makes sense.

    Raises:
        ConfigError: If it is below ``least``.
    """
    return int(_checked(part, option, value, value >= least, f"{least} or more"))


def _checked(part: object, option: str, value: float, good: bool, rule: str) -> float:
    if not good:
        raise ConfigError(
            f"{value} cannot be used",
            where=option_of(part, option),
            rule=rule,
            remedy="correct the value, or leave the option out for its default",
        )
    return value
