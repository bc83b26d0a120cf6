"""Texts that lost half a character: JSON can write half of a surrogate pair alone, as of an emoji that was cut."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.json.values import half_characters, whole_characters
from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError, excerpt


@dataclass
class Halves:
    """Texts in which half a character was lost: how many, and where the first stands.

    Args:
        source: The file.
    """

    source: Source
    count: int = 0
    first: str = ""

    def mend(self, text: str | None, line: int, column: str, ids: Collection[str]) -> str | None:
        """Return a text of whole characters, and count it if it lost one.

        Raises:
            DataError: If it stands in a column of ids: two of them could become one.
        """
        if text is None or not half_characters(text):
            return text
        if column in ids:
            raise DataError(
                f"{excerpt(column)} holds {excerpt(text)}, in which half of a surrogate pair stands alone",
                where=f"{self.source.where}, line {line}",
                rule="ids are read as they are, and half a character is no text",
                remedy="write the id again, or leave the line out",
            )
        self.count += 1
        self.first = self.first or f"line {line}"
        return whole_characters(text)

    def steps(self, lines: int) -> list[CleaningStep]:
        """Return what a report says of it."""
        rule = (
            f"half a character, such as half of an emoji, became U+FFFD ({self.source.path.name})"
        )
        step = CleaningStep(rule, self.count, lines, self.first, "texts", "changed")
        return [step] if self.count else []
