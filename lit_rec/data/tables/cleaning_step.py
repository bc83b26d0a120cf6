"""CleaningStep: one reason why rows were left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CleaningStep:
    """One rule: how many of how many rows it dropped, or changed, and one of them.

    Args:
        rule: What holds for the rows dropped.
        dropped: How many.
        of: Of how many.
        example: Where one of them stands, and what it is.
        of_what: What was counted.
        done: What was done with them: ``dropped`` or ``changed``.
    """

    rule: str
    dropped: int
    of: int
    example: str = ""
    of_what: str = "behaviors"
    done: str = "dropped"
