"""Texts and fields of a request: from strings, mappings or a table to a catalogue of new items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.facts import Facts
from lit_rec.data.fields.field import FittedField, Values
from lit_rec.data.fields.table_fields import encode_fields
from lit_rec.data.texts.template import TextTemplate
from lit_rec.data.texts.token_cache import no_tokens
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.data.texts.tokens import TokenStore
from lit_rec.errors import CheckpointError, DataError
from lit_rec.inference.requests.entries import listed
from lit_rec.inference.requests.frames import is_frame, table_of, text_of
from lit_rec.training.checkpoint.content import tokenizer_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


TextEntry = str | Mapping[str, Any]


@dataclass(frozen=True)
class Rendered:
    """Items or users of a request: texts, with a column for each text field, and values of other fields by column."""

    texts: pl.DataFrame
    fields: Mapping[str, Values]

    def __len__(self) -> int:
        """Return the number of items or users."""
        return len(self.texts) if self.texts.width else len(next(iter(self.fields.values()), ()))


class NewTexts:
    """Render and tokenise texts as training did: by the checkpoint's template and tokenizer, cut at its ``max_tokens``.

    Args:
        template: The text template; None if all fields are of other kinds.
        text_fields: Text fields in the order of the network.
        fitted: The other fields.
        files: The tokenizer.
        max_tokens: Longest text.
        vocabulary: Number of tokens that the encoder knows; None: unknown, so tokens are not checked.

    Attributes:
        columns: Columns that are read, first those of the text.
    """

    def __init__(
        self,
        template: TextTemplate | None,
        text_fields: Sequence[str],
        fitted: Sequence[FittedField],
        files: TokenizerFiles,
        max_tokens: int,
        vocabulary: int | None = None,
    ) -> None:
        self._template, self._text_fields, self._fitted = template, list(text_fields), fitted
        self._max_tokens, self._vocabulary = max_tokens, vocabulary
        self._tokenizers = TokenizerPool(files)
        # a single text is a value of the first column
        columns = [*(template.columns if template else ()), *(field.column for field in fitted)]
        self.columns = tuple(dict.fromkeys(columns))

    @classmethod
    def of_items(cls, content: dict[str, Any], facts: Facts) -> Self:
        """Return a reader of texts and fields of a checkpoint's items."""
        template, files = TextTemplate(**content["template"]), tokenizer_of(content)
        return cls(
            *(template, facts.fields, facts.item_fields, files, facts.max_tokens),
            (facts.backbone or {}).get("vocab_size"),
        )

    @classmethod
    def of_profiles(cls, content: dict[str, Any], facts: Facts) -> Self:
        """Return a reader of texts and fields of a checkpoint's user profiles."""
        stored, files = content["profile_template"], tokenizer_of(content)
        template = TextTemplate(**stored) if stored else None
        return cls(
            *(template, facts.profile_texts, facts.user_fields, files, facts.max_tokens),
            (facts.backbone or {}).get("vocab_size"),
        )

    def record_of(self, text: str) -> dict[str, Any]:
        """Return a single text as a mapping."""
        return {self.columns[0]: text}

    def values(self, record: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a mapping's values of the columns that are read; None if all of them are empty."""
        values = {column: record.get(column) for column in self.columns}
        has_value = any((text_of(value) or "").strip() for value in values.values())
        return values if has_value else None

    def shown(self, record: Mapping[str, Any]) -> dict[str, str | None]:
        """Return the result of ``values`` as texts; lists are joined by commas, as in a table."""
        return {column: text_of(value) for column, value in record.items()}

    def render(self, records: Sequence[Mapping[str, Any]], *, where: str) -> Rendered:
        """Return texts and fields of results of ``values``.

        Raises:
            DataError: If a value cannot be read.
        """
        given = {c: [record.get(c) for record in records] for c in self.columns}
        columns = set(self._template.columns) if self._template else set()
        texts = {c: [text_of(v) for v in values] for c, values in given.items() if c in columns}
        others = {f.column: pl.Series(given[f.column], strict=False) for f in self._fitted}
        table = pl.DataFrame(texts, schema=dict.fromkeys(texts, pl.String))
        return self._rendered(table, pl.DataFrame(others), where)

    def render_table(self, items: pl.DataFrame, *, where: str) -> Rendered:
        """Return texts and fields of a table's rows; a field without a column is empty.

        Raises:
            ConfigError: If a column of the text is missing.
            DataError: If a value cannot be read.
        """
        return self._rendered(items, items, where)

    def _rendered(self, texts: pl.DataFrame, fields: pl.DataFrame, where: str) -> Rendered:
        rendered = self._template.render(texts) if self._template else pl.DataFrame()
        return Rendered(
            rendered.select(self._text_fields), encode_fields(self._fitted, fields, where)
        )

    def read(self, texts: Iterable[TextEntry] | pl.DataFrame, *, where: str) -> Rendered:
        """Return texts and fields of strings, mappings of the columns, or a table's rows.

        Args:
            texts: Any number; a table may have other columns too.
            where: The argument's name, for errors.

        Raises:
            DataError: If an entry has no text, another type or an unknown column, or a table lacks a column.
        """
        if is_frame(texts):
            return self._read_table(table_of(texts, where=where), where)
        records, problems = [], []
        for place, entry in enumerate(listed(texts, where=where), 1):
            record: Any = self.record_of(entry) if isinstance(entry, str) else entry
            problem = self._problem(record)
            if problem:
                problems.append(f"number {place}: {problem}")
            elif values := self.values(record):
                records.append(values)
            else:
                problems.append(f"number {place}: {entry!r} has no text")
        self._raise(problems, where)
        return self.render(records, where=where)

    def _problem(self, record: Any) -> str | None:
        if not isinstance(record, Mapping):
            return f"{record!r} is {type(record).__name__}, neither a text nor a mapping"
        unknown = [str(name) for name in record if name not in self.columns]
        return f"there is no column '{unknown[0]}'{self._near(unknown[0])}" if unknown else None

    def _near(self, name: str) -> str:
        near = get_close_matches(name, self.columns, n=1)
        return f" (near: {near[0]})" if near else ""

    def refuse_unknown(self, record: Any, *, where: str) -> None:
        """Refuse anything but a mapping of the columns that are read.

        Raises:
            DataError: If it is not a mapping, or has an unknown column.
        """
        if problem := self._problem(record):
            raise DataError(
                problem,
                where=where,
                rule=f"a mapping of {', '.join(self.columns)}",
                remedy="correct it or leave it out",
            )

    def read_with_text(self, frame: pl.DataFrame, *, where: str) -> tuple[Rendered, Int64s]:
        """Return the rows of a table that have a text, and their places in it.

        Raises:
            DataError: If the table lacks a column, or a value cannot be read.
        """
        rendered = self._rendered_table(frame, where)
        place = np.setdiff1d(np.arange(len(frame)), _without_text(rendered))
        fields = {name: values[place] for name, values in rendered.fields.items()}
        return Rendered(rendered.texts.select(pl.all().gather(place)), fields), place

    def _read_table(self, frame: pl.DataFrame, where: str) -> Rendered:
        rendered = self._rendered_table(frame, where)
        problems = [f"row {row + 1}: has no text" for row in _without_text(rendered)]
        self._raise(problems, where)
        return rendered

    def _rendered_table(self, frame: pl.DataFrame, where: str) -> Rendered:
        missing = [column for column in self.columns if column not in frame.columns]
        if missing:
            raise DataError(
                f"there is no column '{missing[0]}'; the table has {', '.join(frame.columns[:12])}",
                where=where,
                rule=f"the columns that the text was made of in training: {', '.join(self.columns)}",
                remedy=f"rename the column that holds it to {missing[0]}",
            )
        return self.render_table(frame, where=where)

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

    def catalogue(self, rendered: Rendered) -> Catalogue:
        """Return rendered texts and fields as a catalogue of new items; each distinct text is tokenised once.

        Raises:
            CheckpointError: If the checkpoint's tokenizer has tokens that its encoder does not know.
        """
        count = len(rendered)
        unseen = np.zeros(count, np.int64)
        if not self._text_fields:
            return Catalogue(*no_tokens(count), unseen, rendered.fields)
        distinct = rendered.texts.unpivot()["value"].unique(maintain_order=True)
        with self._tokenizers.borrowed() as tokenizer:
            store = TokenStore.build(distinct.to_list(), tokenizer, self._max_tokens)
        largest = int(store.tokens.max(initial=0))
        if self._vocabulary is not None and largest >= self._vocabulary:
            raise CheckpointError(
                f"the tokenizer of the checkpoint makes token {largest} of a text, "
                f"and its encoder knows {self._vocabulary:,}",
                where="tokenizer",
                rule="tokens of the encoder that was trained",
                remedy="use a checkpoint as `lit-rec fit` wrote it",
            )
        places = pl.int_range(len(distinct), eager=True)
        index = rendered.texts.select(
            pl.all().replace_strict(distinct, places, return_dtype=pl.Int64)
        )
        return Catalogue(store, index.to_numpy(), unseen, rendered.fields)


def _without_text(rendered: Rendered) -> list[int]:
    """Return the places of rows all of whose texts are empty."""
    empty = rendered.texts.select(pl.all_horizontal(pl.all() == ""))
    return empty.to_series().arg_true().to_list() if rendered.texts.width else []


class TokenizerPool:
    """Tokenizers of the same files, each used by one thread at a time.

    A tokenizer first stores the largest length and then cuts texts. If another thread stores another length in between,
    texts are cut at a wrong place, or not at all. With a lock around both, a short text would wait for the texts of a
    whole table.

    Args:
        files: The tokenizer; opened for the first text, and again whenever all open ones are in use.
    """

    def __init__(self, files: TokenizerFiles) -> None:
        self._files = files
        self._idle: list[PreTrainedTokenizerBase] = []

    @contextmanager
    def borrowed(self) -> Iterator[PreTrainedTokenizerBase]:
        """Give the calling thread a tokenizer for itself."""
        try:
            tokenizer = self._idle.pop()  # atomic, as is append
        except IndexError:
            tokenizer = self._files.open()
        try:
            yield tokenizer
        finally:
            self._idle.append(tokenizer)
