"""Texts that a request brings: from strings, mappings or a table to a catalogue of items that training never saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from transformers import PreTrainedTokenizerBase

from lit_rec.data.catalogue import Catalogue
from lit_rec.data.facts import Facts
from lit_rec.data.shown_columns import shown_columns
from lit_rec.data.text_template import TextTemplate
from lit_rec.data.tokens import TokenStore
from lit_rec.errors import DataError
from lit_rec.inference.requests import listed
from lit_rec.training.checkpoint_content import tokenizer_of

TextEntry = str | Mapping[str, Any]


class NewTexts:
    """Render and tokenise texts as training did: by the checkpoint's template and tokenizer, cut at its ``max_tokens``.

    Args:
        content: A checkpoint's content.
        facts: Its Facts.
    """

    def __init__(self, content: dict[str, Any], facts: Facts) -> None:
        self._template = TextTemplate(**content["template"])
        self._files = tokenizer_of(content)
        self._facts = facts

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that make the text; a text given alone stands in the first."""
        return self._template.columns

    @cached_property
    def _tokenizer(self) -> PreTrainedTokenizerBase:
        return self._files.open()

    def record_of(self, text: str) -> dict[str, Any]:
        """Return a text given alone as a mapping."""
        return {self.columns[0]: text}

    def values(self, record: Mapping[str, Any]) -> dict[str, str | None] | None:
        """Return a mapping's values of the text's columns as text, or None where none of them says anything.

        Args:
            record: Values by column; lists are joined by commas, as in a table.
        """
        values = {column: _as_text(record.get(column)) for column in self.columns}
        return values if any(text and text.strip() for text in values.values()) else None

    def render(self, records: Sequence[Mapping[str, str | None]]) -> pl.DataFrame:
        """Return the texts of what ``values`` returned, a column per field."""
        columns = {c: [record[c] for record in records] for c in self.columns}
        return self.render_table(pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)))

    def render_table(self, items: pl.DataFrame) -> pl.DataFrame:
        """Return the texts of a table's rows, a column per field.

        Raises:
            ConfigError: If a column of the text is missing.
        """
        return self._template.render(items).select(self._facts.fields)

    def read(self, texts: Iterable[TextEntry] | pl.DataFrame, *, where: str) -> pl.DataFrame:
        """Return the texts of strings, of mappings of the text's columns, or of a table's rows, a column per field.

        Args:
            texts: As many as there are; a table may have other columns too.
            where: What they are called in errors.

        Raises:
            DataError: If one has no text, or is of another kind, or names a column that the text does not have; or a table lacks one.
        """
        if isinstance(texts, pl.DataFrame):
            return self._read_table(texts, where)
        records, problems = [], []
        for place, entry in enumerate(listed(texts, where=where), 1):
            record = self.record_of(entry) if isinstance(entry, str) else entry
            problem = self._problem(record)
            if problem:
                problems.append(f"number {place}: {problem}")
            elif values := self.values(record):
                records.append(values)
            else:
                problems.append(f"number {place}: {entry!r} has no text")
        self._raise(problems, where)
        return self.render(records)

    def _problem(self, record: Any) -> str | None:
        if not isinstance(record, Mapping):
            return f"{record!r} is {type(record).__name__}, neither a text nor a mapping"
        unknown = [str(name) for name in record if name not in self.columns]
        return f"there is no column '{unknown[0]}'{self._near(unknown[0])}" if unknown else None

    def _near(self, name: str) -> str:
        near = get_close_matches(name, self.columns, n=1)
        return f" (near: {near[0]})" if near else ""

    def _read_table(self, frame: pl.DataFrame, where: str) -> pl.DataFrame:
        missing = [column for column in self.columns if column not in frame.columns]
        if missing:
            raise DataError(
                f"there is no column '{missing[0]}'; the table has {', '.join(frame.columns[:12])}",
                where=where,
                rule=f"the columns that the text was made of in training: {', '.join(self.columns)}",
                remedy="rename the column that holds it",
            )
        rendered = self.render_table(frame)
        empty = rendered.select(pl.all_horizontal(pl.all() == "")).to_series().arg_true()
        self._raise([f"row {row + 1}: has no text" for row in empty], where)
        return rendered

    def _raise(self, problems: list[str], where: str) -> None:
        if not problems:
            return
        first, *others = problems
        place, _, problem = first.partition(": ")
        raise DataError(
            problem,
            where=f"{where}, {place}",
            details=others,
            rule=f"a text, or a mapping of {', '.join(self.columns)} with a text in one of them",
            remedy="correct it or leave it out",
        )

    def catalogue(self, texts: pl.DataFrame) -> Catalogue:
        """Return rendered texts as items whose ids training never saw; each distinct text is tokenised once."""
        distinct = texts.unpivot()["value"].unique(maintain_order=True)
        store = TokenStore.build(distinct.to_list(), self._tokenizer, self._facts.max_tokens)
        places = pl.int_range(len(distinct), eager=True)
        index = texts.select(pl.all().replace_strict(distinct, places, return_dtype=pl.Int64))
        return Catalogue(store, index.to_numpy(), np.zeros(len(texts), np.int64))


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return shown_columns(pl.DataFrame({"value": [value]}, strict=False), ["value"])["value"][0]
