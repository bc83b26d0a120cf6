"""CleaningStep: one reason why rows were left out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CleaningStep:
    """One rule: how many rows it dropped or changed, of how many, with an example.

    Args:
        rule: What is true of the dropped rows.
        dropped: The number of dropped rows.
        of: The number of all rows.
        example: One of them and its place.
        of_what: What was counted.
        done: What was done with them: ``dropped`` or ``changed``.
    """

    rule: str
    dropped: int
    of: int
    example: str = ""
    of_what: str = "behaviors"
    done: str = "dropped"
