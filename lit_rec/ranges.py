"""Numbers that an option may hold, checked where a part is built."""

from __future__ import annotations

import math

from lit_rec.errors import ConfigError


def positive(option: str, value: float) -> float:
    """Return a number above 0.

    Args:
        option: The part and its option, as the YAML has them, such as ``head.init_args.sharpness``.
        value: What the user gave.

    Raises:
        ConfigError: If it is not above 0, or not finite.

    Example:
        >>> positive("head.init_args.sharpness", 6.0)
        6.0
    """
    return _checked(option, value, 0 < value < math.inf, "a number above 0")


def penalty(option: str, value: float) -> float:
    """Return a number above 0, infinity included: a penalty that leaves nothing.

    Args:
        option: The part and its option.
        value: What the user gave.

    Raises:
        ConfigError: If it is not above 0.
    """
    return _checked(option, value, value > 0, "a number above 0, or .inf")


def finite(option: str, value: float) -> float:
    """Return a number, negative ones included.

    Args:
        option: The part and its option.
        value: What the user gave.

    Raises:
        ConfigError: If it is infinite, or no number.
    """
    return _checked(option, value, math.isfinite(value), "a finite number")


def share(option: str, value: float) -> float:
    """Return a share, such as a dropout, from 0 to 1.

    Args:
        option: The part and its option.
        value: What the user gave.

    Raises:
        ConfigError: If it is outside, as a percentage is.
    """
    return _checked(option, value, 0 <= value <= 1, "a share from 0 to 1")


def part_of_all(option: str, value: float) -> float:
    """Return a share of which something is left: above 0, up to 1.

    Args:
        option: The part and its option.
        value: What the user gave.

    Raises:
        ConfigError: If it is outside, as a percentage is.
    """
    return _checked(option, value, 0 < value <= 1, "a share above 0, up to 1")


def count(option: str, value: int, least: int = 1) -> int:
    """Return a number of something of which there must be one at least.

    Args:
        option: The part and its option.
        value: What the user gave.
        least: The smallest that makes sense.

    Raises:
        ConfigError: If it is below ``least``.
    """
    return int(_checked(option, value, value >= least, f"{least} or more"))


def _checked(option: str, value: float, good: bool, rule: str) -> float:
    if not good:
        raise ConfigError(
            f"{value} cannot be used",
            where=f"model...{option}",
            rule=rule,
            remedy="correct the value, or leave the option out for its default",
        )
    return value
