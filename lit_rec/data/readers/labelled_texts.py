"""LabelledTextReader: texts with a label or a rating, and no user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from lit_rec.data.readers.reader import (
    Reader,
    check_apart,
    check_canonical,
    checked_delimiter,
)
from lit_rec.data.splits.splits import LABEL_NAME
from lit_rec.data.tables.cells import CellRules, Missing
from lit_rec.data.tables.checks import typed_behaviors
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.delimited import DelimitedOptions
from lit_rec.data.tables.headers import rename_columns
from lit_rec.data.tables.problems import Dropping
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables, read_valid, together
from lit_rec.errors import ConfigError, DataError, did_you_mean, option_of, some_of

_TARGETS = ("label", "rating")
_CANONICAL = (*_TARGETS, "timestamp", "split", "item_id")


class LabelledTextReader(Reader):
    """A row per text, as CSV, TSV, Parquet or JSON lines, each also .gz: intents, topics, sentiments, reviews.

    Args:
        texts: File with the texts; with ``validation_texts`` or ``test_texts``, the texts that train.
        columns: Canonical name -> the file's column, such as ``{label: category}``. Canonical: label, rating,
            timestamp, split, item_id; all other columns keep their names and can be named in ``data.text.columns``.
        validation_texts: File with the texts that validate.
        test_texts: File with the texts that test.
        delimiter: What separates the columns of text files; comma or tab by the file's ending.
        names: Names of the columns of text files without a header, such as ``[label, text]``.
        missing_values: What stands for a missing value besides ``NaN``, ``NA`` and the like; see ``TableReader``.
        clean_html: Whether tags are removed, and entities replaced, in texts that have them.
        label_names: A column of the texts. The name of each label that trains is then one more training text, in this
            column, with spaces for signs: ``card_arrival`` is the text ``card arrival`` of its own label. It helps
            where labels have few texts and names that say what they mean. Needs parts: ``validation_texts``,
            ``test_texts``, or a column mapped to ``split``.

    Raises:
        ConfigError: If a canonical name is unknown, ``names`` has a name twice or fewer than two, one file is given for
            two parts, or ``label_names`` is given without parts; or, by ``read``, if it names no column of texts, there
            are no labels, or a label has no letter.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     pl.DataFrame({"text": ["Where is my card?"], "category": ["arrival"]}).write_csv(f"{folder}/train.csv")
        ...     tables = LabelledTextReader(f"{folder}/train.csv", {"label": "category"}).read()
        >>> tables.items.rows(), tables.behaviors.select("item_id", "label").rows()
        ([('Where is my card?', '0')], [('0', 'arrival')])
    """

    def __init__(
        self,
        texts: str,
        columns: Mapping[str, str] | None = None,
        validation_texts: str | None = None,
        test_texts: str | None = None,
        delimiter: str | None = None,
        label_names: str | None = None,
        names: Sequence[str] | None = None,
        missing_values: Mapping[str, Sequence[str | float]] | Sequence[str | float] | None = None,
        clean_html: bool = True,
    ) -> None:
        self.texts, self.columns, self.delimiter = texts, dict(columns or {}), delimiter
        self.validation_texts, self.test_texts = validation_texts, test_texts
        self.label_names, self.names = label_names, None if names is None else list(names)
        self.missing_values, self.clean_html = missing_values, clean_html
        if label_names is not None and not (
            validation_texts or test_texts or "split" in self.columns
        ):
            raise ConfigError(
                "the texts have no parts",
                where=option_of(self, "label_names"),
                rule="names of labels train, and rows that are divided at random would test some of them",
                remedy="name validation_texts or test_texts, map a column to split, or leave label_names out",
            )
        if self.names is not None and not 2 <= len(set(self.names)) == len(self.names):
            raise ConfigError(
                f"{self.names} are not names of columns",
                where=option_of(self, "names"),
                rule="a name of its own for each column, of at least two",
                remedy="write a different name for each column, such as [label, text], or leave names out where "
                "the files have a header",
            )
        check_canonical(self, "columns", self.columns, _CANONICAL, "texts keep their names")
        self.delimiter = checked_delimiter(self, delimiter)
        check_apart(self, dict(self._parts()))

    def _parts(self) -> list[tuple[str, str]]:
        named = [("texts", self.texts), ("validation_texts", self.validation_texts)]
        return [(name, path) for name, path in [*named, ("test_texts", self.test_texts)] if path]

    def sources(self) -> list[Source]:
        """Return every file that an option names."""
        options = DelimitedOptions(option_of(self, "delimiter"), option_of(self, "names"))
        tables = [
            Source.table(Path(path), option_of(self, name), self.delimiter, options=options)
            for name, path in self._parts()
        ]
        return [replace(table, has_header=self.names is None) for table in tables]

    def read(self) -> Tables:
        """Return a behavior and an item for each text; all have the same user, ``nobody``."""
        part_of = {"texts": "train", "validation_texts": "val", "test_texts": "test"}
        given = self.validation_texts or self.test_texts
        behaviors, items, sources = [], [], []
        notes: list[CleaningStep] = []
        undecoded: dict[str, tuple[Source, int]] = {}
        start = 0
        for (name, _), source in zip(self._parts(), self.sources(), strict=True):
            frame = self._table(source, start, notes, undecoded)
            start += len(frame)
            typed = typed_behaviors(frame.select("user_id", *self._known(frame)), source)
            if given:
                typed = typed.with_columns(split=pl.lit(part_of[name]))
            behaviors.append(typed)
            others = [n for n in self._known(frame) if n != "item_id"]
            items.append(frame.drop("user_id", *others).with_columns(typed["item_id"]))
            sources.append((source, len(frame)))
        files = [source for source, _ in sources]
        table, texts = together(behaviors, files), together(items, files)
        there = [*table.columns, *texts.columns]
        renamed = {column: name for name, column in self.columns.items()}
        self._rules.check_named(there, option_of(self, "missing_values"), renamed)
        if self.label_names is not None:
            table, texts = self._with_names(table, texts, self.label_names)
        table = table.with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        return Tables(
            table,
            texts,
            sources=tuple(sources),
            dropped=tuple(notes),
            undecoded={("items", column): place for column, place in undecoded.items()},
        )

    @property
    def _rules(self) -> CellRules:
        missing: Missing = () if self.missing_values is None else self.missing_values
        return CellRules(missing, clean_html=self.clean_html)

    def _table(
        self,
        source: Source,
        start: int,
        notes: list[CleaningStep],
        undecoded: dict[str, tuple[Source, int]],
    ) -> pl.DataFrame:
        frame = self._read(source, notes, undecoded)
        frame = rename_columns(
            frame, self.columns, (), option=option_of(self, "columns"), where=source.where
        )
        frame = self._rules.read_table(frame, ["item_id"])
        if "item_id" not in frame.columns:
            number = pl.int_range(start, start + pl.len())
            frame = frame.with_columns(item_id=number.cast(pl.String))
        return frame.with_columns(user_id=pl.lit("nobody"))

    def _read(
        self, source: Source, notes: list[CleaningStep], undecoded: dict[str, tuple[Source, int]]
    ) -> pl.DataFrame:
        if self.names is not None:
            if source.delimiter is None:
                raise DataError(
                    f"the columns of '{source.path.name}' have names in the file, or no delimiter that is known",
                    where=source.where,
                    rule=f"{option_of(self, 'names')} is for text files without a header: "
                    "csv, tsv, or with a delimiter",
                    remedy=f"leave {option_of(self, 'names')} out, or set {option_of(self, 'delimiter')} for a text "
                    "file",
                )
            source = replace(source, names=tuple(self.names))
        needed = [self.columns.get(name, name) for name in _CANONICAL]
        ids, damaged = [self.columns.get("item_id", "item_id")], dict[str, tuple[Source, int]]()
        dropping = Dropping(steps=notes)
        frame, _ = read_valid(source, dropping, ids=ids, needed=needed, undecoded=damaged)
        for column, place in damaged.items():
            undecoded.setdefault(column, place)
        return frame

    def _with_names(
        self, table: pl.DataFrame, texts: pl.DataFrame, column: str
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return behaviors and texts, and a training text for the name of each label that trains."""
        if column not in texts.columns or column == "item_id":
            columns = [name for name in texts.columns if name != "item_id"]
            raise self._unusable(
                f"the texts have no column '{column}'",
                remedy=did_you_mean(column, columns, f"name one of these: {some_of(columns)}"),
            )
        if "label" not in table.columns:
            raise self._unusable(
                "the texts have no labels",
                remedy=f"set {option_of(self, 'columns')}.label to the column of the labels, or leave "
                "label_names out",
            )
        labels = table.filter(split="train")["label"].drop_nulls().unique().sort()
        words = labels.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
        wordless = labels.filter(~words.str.contains(r"\p{L}"))
        if len(wordless):
            raise self._unusable(
                f"the label '{wordless[0]}' has no letter", remedy="leave label_names out"
            )
        ids = "name of " + labels
        names = pl.DataFrame({"item_id": ids, "label": labels}).with_columns(
            user_id=pl.lit("nobody"), split=pl.lit("train"), event=pl.lit(LABEL_NAME)
        )
        table = pl.concat([table, names], how="diagonal_relaxed")
        return table, pl.concat(
            [texts, pl.DataFrame({"item_id": ids, column: words})], how="diagonal_relaxed"
        )

    def _unusable(self, problem: str, *, remedy: str) -> ConfigError:
        rule = "a column of texts, beside labels whose names are words"
        return ConfigError(problem, where=option_of(self, "label_names"), rule=rule, remedy=remedy)

    def _known(self, frame: pl.DataFrame) -> list[str]:
        return [name for name in _CANONICAL if name in frame.columns]
