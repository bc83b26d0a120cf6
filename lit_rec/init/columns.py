"""Column: what the values of a column say about its meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from lit_rec.data.tables.column_values import NoSuchValuesError, ids_of, texts_of
from lit_rec.data.tables.times import TimeUnit
from lit_rec.data.targets.rating import zeros_for_none
from lit_rec.init.column_names import name_score, names_an_id
from lit_rec.init.time_forms import TimeForm, time_form_of

_SAMPLE = 20_000  # values in which words are counted
_NEARLY_ALL = 0.9  # a few wrong values do not change what a column means; the reader reports them
_ROW_NUMBERS = 20  # rows from which numbers that rise by one are row numbers
# sorted by the alphabet
_NO_AND_YES = (("0", "1"), ("false", "true"), ("f", "t"), ("no", "yes"), ("n", "y"))


@dataclass(frozen=True)
class Column:
    """A column of a table as read.

    Args:
        name: Its name.
        values: ``[R]`` values; those of text files are strings, null where a cell is empty or missing.
        raw: ``[R]`` values to read as ids, which may be ``NA``; the same where it is None.

    Example:
        >>> column = Column("stars", pl.Series(["1", "5", None, "5"]))
        >>> column.distinct, column.is_numeric, column.time_unit
        (2, True, None)
    """

    name: str
    values: pl.Series
    raw: pl.Series | None = None

    @property
    def is_nested(self) -> bool:
        """Whether a value is a list or an object."""
        return self.values.dtype.is_nested()

    @cached_property
    def texts(self) -> pl.Series:
        """The values that are not empty, as strings without spaces around them; those of a list joined by spaces."""
        return _filled(texts_of, self.values)

    @cached_property
    def ids(self) -> pl.Series:
        """The values that are not empty, read as ids: whole numbers without a fraction."""
        return _filled(ids_of, self.values if self.raw is None else self.raw)

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        return self.texts.n_unique()

    @property
    def filled(self) -> float:
        """Share of rows that have a value."""
        return len(self.texts) / max(len(self.values), 1)

    @property
    def is_id_like(self) -> bool:
        """Whether every row has a value that could be an id: one word, no fraction, no time, no row number."""
        return (
            self.filled > 0.99
            and not self.is_nested
            and self.words < 1.5
            and not (self.is_numeric and not self.is_whole)
            and not self.is_time
            and not self.counts_rows
        )

    @property
    def is_key_like(self) -> bool:
        """Whether the values are (nearly) all distinct."""
        return (
            len(self.ids) > 0.99 * len(self.values)
            and not self.is_nested
            and self.ids.n_unique() >= 0.95 * len(self.values)
        )

    @cached_property
    def numbers(self) -> pl.Series:
        """The finite numbers among the values, Float64."""
        numbers = self.texts.cast(pl.Float64, strict=False).drop_nulls()
        return numbers.filter(numbers.is_finite())

    @property
    def rating_notes(self) -> list[str]:
        """What the user should know of ratings: that some may be none."""
        share = zeros_for_none(self.numbers.to_numpy())
        if not share:
            return []
        return [
            f"`{self.name}` is 0 in {100 * share:.0f} % of its rows, else 1 or more: if 0 says that there is no "
            "rating, add `missing_values: {rating: [0]}` to the reader's options"
        ]

    @cached_property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return len(self.numbers) > _NEARLY_ALL * max(len(self.texts), 1)

    @cached_property
    def has_numbers(self) -> bool:
        """Whether any value is a number, with a decimal comma too."""
        numbers = self.texts.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
        return bool(numbers.is_not_null().any())

    @cached_property
    def is_whole(self) -> bool:
        """Whether all numbers are whole."""
        return bool((self.numbers == self.numbers.round()).all())

    @cached_property
    def labels(self) -> tuple[str, str] | None:
        """The negative and the positive value, if there are exactly two that mean no and yes, such as 0 and 1."""
        if self.distinct != 2:
            return None
        negative, positive = self.texts.unique().sort()
        plain = tuple(text.lower().removesuffix(".0") for text in (negative, positive))
        return (negative, positive) if plain in _NO_AND_YES else None

    @cached_property
    def time_form(self) -> TimeForm | None:
        """How the values are times, by the values alone; None where they are none."""
        return time_form_of(self.values, self.texts, self.numbers if self.is_numeric else None)

    @property
    def time_unit(self) -> TimeUnit | None:
        """The unit of numbers that are times since 1970, by their size; None where they are not times."""
        return self.time_form.unit if self.time_form else None

    @property
    def has_dates(self) -> bool:
        """Whether the values are dates that can be read."""
        return self.time_form is not None and self.time_form.unit is None

    @property
    def is_time(self) -> bool:
        """Whether the values are times and the name says nothing else: an id in the range of times is no time."""
        form = self.time_form
        if form is None or names_an_id(self.name):
            return False
        return form.is_likely or name_score(self.name, "timestamp") > 0

    @cached_property
    def is_row_number(self) -> bool:
        """Whether these are the row numbers that pandas writes into a column without a name."""
        unnamed = not self.name.strip() or self.name.startswith("Unnamed: ")
        return unnamed and self.is_numeric and self.is_whole

    @cached_property
    def counts_rows(self) -> bool:
        """Whether the values are row numbers: whole numbers from 0 or 1 that rise by one in each row."""
        if self.is_row_number:
            return True
        if len(self.values) < _ROW_NUMBERS or not self.is_numeric or self.numbers[0] not in (0, 1):
            return False
        return len(self.numbers) == len(self.values) and bool(
            (self.numbers.diff().drop_nulls() == 1).all()
        )

    @property
    def never_falls(self) -> bool:
        """Whether the numbers are in rising order."""
        return self.is_numeric and self.numbers.is_sorted()

    @cached_property
    def _sample(self) -> pl.Series:
        return self.texts.head(_SAMPLE)

    @cached_property
    def words(self) -> float:
        """Mean number of words in a value."""
        counts = self._sample.str.count_matches(r"\S+")
        return float(counts.mean() or 0.0)  # type: ignore[arg-type]

    @cached_property
    def most_words(self) -> int:
        """Words that 99 of 100 values do not exceed; in scripts without spaces, three letters are a word."""
        spaced = self._sample.str.count_matches(r"\S+")
        unspaced = self._sample.str.count_matches(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
        return int(
            pl.select(pl.max_horizontal(spaced, unspaced // 3)).to_series().quantile(0.99) or 0
        )

    @property
    def has_words(self) -> bool:
        """Whether the values are words: neither numbers nor dates nor links, nor yes and no."""
        sample = self._sample
        if (
            sample.is_empty()
            or self.is_numeric
            or self.has_dates
            or self.labels is not None
            or self.values.dtype.is_temporal()
        ):
            return False
        links = sample.str.contains(r"^(https?:|www\.|[/\\])|^\S+\.(jpe?g|png|gif|webp)$")
        letters = sample.str.contains(r"\p{L}{2}|[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
        return bool((letters & ~links).mean() > 0.5)  # type: ignore[operator]

    @property
    def foreign(self) -> float:
        """Share of values with letters that English does not have."""
        return float(self._sample.str.contains(r"[\p{L}--\p{ASCII}]").mean() or 0.0)  # type: ignore[arg-type]

    @property
    def span(self) -> str:
        """The numbers in a few words, or how often the positive one of two labels is there."""
        if self.labels is not None:
            positive = (self.texts == self.labels[1]).mean()
            return f"{self.labels[1]!r} in {100 * float(positive or 0):.1f} % of its rows, else {self.labels[0]!r}"  # type: ignore[arg-type]
        numbers = self.numbers.to_numpy()
        if self.distinct == 1:
            return f"1 distinct number, {numbers[0]:g}"
        return f"{self.distinct:,} distinct numbers from {numbers.min():g} to {numbers.max():g}"

    @property
    def kind(self) -> str:
        """What it holds, in a few words."""
        if self.is_numeric and not self.time_form and self.labels is None:
            return self.span
        if not self.distinct:
            return "empty"
        many = "values" if self.distinct != 1 else "value"
        return f"{self.distinct:,} distinct {many}, such as {self.shown(1)}"

    def shown(self, count: int = 3, without: Sequence[object] = ()) -> str:
        """Return some of its values, for a comment."""
        texts = self.texts.filter(~self.texts.is_in([str(value) for value in without]))
        values = texts.unique(maintain_order=True).head(count).to_list()
        return ", ".join(repr(v if len(v) <= 24 else f"{v[:21]}...") for v in values)


def fewest(columns: Sequence[Column]) -> str:
    """Return the name of the column with the fewest distinct values: that of a scale, not of a measure."""
    return min(columns, key=lambda column: column.distinct).name


def _filled(values_of: Callable[[pl.Series], pl.Series], values: pl.Series) -> pl.Series:
    """Return the texts that are not empty; none where the values cannot be read in this way."""
    try:
        texts = values_of(values)
    except NoSuchValuesError:
        return pl.Series([], dtype=pl.String)
    if isinstance(texts.dtype, pl.List):
        texts = texts.list.join(" ", ignore_nulls=True)
    texts = texts.str.strip_chars()
    return texts.filter((texts != "").fill_null(False))
