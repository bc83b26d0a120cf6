"""MindReader: news that were shown and clicked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from lit_rec.data.readers.reader import Reader, check_apart, file_in
from lit_rec.data.tables.checks import refuse, typed_behaviors, typed_entities
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.delimited import parse_delimited
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables
from lit_rec.errors import DataError, option_of

_NEWS = ["item_id", "category", "subcategory", "title", "abstract", "url", "entities", "mentions"]
_READ = 5  # columns of the news; url and entities are not needed
_BEHAVIORS = ["impression_id", "user_id", "time", "history", "shown"]
_CLOCK = "%m/%d/%Y %I:%M:%S %p"
_PARTS = {"train": "train", "validation": "val", "test": "test"}
_REMEDY = "correct or remove these lines, or unpack the archive again"


class MindReader(Reader):
    r"""MIND as Microsoft packs it: folders with ``news.tsv`` and ``behaviors.tsv``, one for each part.

    A behavior is a news item that was shown: event ``click`` and label ``1``, or event ``show`` and label ``0``; both
    are null where a test folder has no labels. Rows of one impression share an impression_id, ``PART-ID``, since every
    folder counts from 1. The history is the list that the data gives, oldest first; users without one are included. A
    list is stored once for all rows that share it. Times are in UTC. Items are the news of all folders, with category,
    subcategory, title and abstract.

    The small archive has no test folder: papers report on its dev folder. Give it as ``test``; validation rows are then
    drawn from training rows.

    Args:
        train: Folder that trains.
        validation: Folder that validates.
        test: Folder that tests; its impressions may be without ``-1`` and ``-0``.

    Raises:
        ConfigError: If one folder is given for two parts.

    Reference:
        Wu et al. 2020, MIND: a large-scale dataset for news recommendation, https://aclanthology.org/2020.acl-main.331.

    Example:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     news = "N1\tsports\tgolf\tA title\t\t\t\t", "N2\tnews\tworld\tAnother\t\t\t\t"
        ...     _ = Path(folder, "news.tsv").write_text("\n".join(news))
        ...     _ = Path(folder, "behaviors.tsv").write_text("1\tU8\t11/15/2019 8:55:22 AM\tN2\tN1-1 N2-0")
        ...     behaviors = MindReader(train=folder).read().behaviors
        >>> behaviors.select("impression_id", "user_id", "item_id", "event", "label").rows()
        [('train-1', 'U8', 'N1', 'click', '1'), ('train-1', 'U8', 'N2', 'show', '0')]
    """

    def __init__(self, train: str, validation: str | None = None, test: str | None = None) -> None:
        self.train, self.validation, self.test = train, validation, test
        check_apart(self, self._folders())

    def _folders(self) -> dict[str, str]:
        return {part: folder for part in _PARTS if (folder := getattr(self, part)) is not None}

    def _source(self, part: str, name: str) -> Source:
        folder = self._folders()[part]
        where = f"{option_of(self, part)}={folder}, {name}"
        return Source(file_in(folder, name), where, "\t", quotes=False, has_header=False)

    def sources(self) -> list[Source]:
        """Return behaviors.tsv and news.tsv of each folder."""
        names = ("behaviors.tsv", "news.tsv")
        return [self._source(part, name) for part in self._folders() for name in names]

    def read(self) -> Tables:
        """Return the tables."""
        frames: list[pl.DataFrame] = []
        lists: list[pl.Series] = []
        sources: list[tuple[Source, int]] = []
        for part in self._folders():
            frame, texts, source = _behaviors(self._source(part, "behaviors.tsv"), part)
            start = sum(len(known) for known in lists)
            frames.append(frame.with_columns(pl.col("history_index") + pl.lit(start, pl.UInt32)))
            lists.append(texts)
            sources.append((source, len(frame)))
        behaviors = pl.concat(frames).with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        ids = pl.concat(lists).str.split(" ")
        histories = ids.list.eval(pl.element().filter(pl.element() != "")).alias("history")
        items, repeated = self._news()
        return Tables(
            behaviors,
            items,
            sources=tuple(sources),
            histories=histories.to_frame(),
            dropped=(repeated,),
        )

    def _news(self) -> tuple[pl.DataFrame, CleaningStep]:
        """Return the news of all folders, and how many have a different text in a later folder."""
        frames = []
        for part in self._folders():
            source = self._source(part, "news.tsv")
            news = typed_entities(_table(source, _NEWS, _READ), "item_id", source)
            frames.append(news.select(_NEWS[:_READ]))
        news = pl.concat(frames).unique(maintain_order=True)
        first = news["item_id"].is_first_distinct()
        again = news.filter(~first)["item_id"]
        rule = "an earlier folder has another text of the same news"
        step = CleaningStep(rule, len(again), len(news), "".join(again.head(1)), "news")
        return news.filter(first), step


def _table(source: Source, names: list[str], least: int | None = None) -> pl.DataFrame:
    """Return the columns of a file; the last ones may be absent where the first ``least`` are enough."""
    text = source.text()
    columns = text.partition("\n")[0].count("\t") + 1
    if least is not None and least <= columns < len(names):
        names = names[:columns]
    frame = parse_delimited(text, "\t", source.where, quotes=False, names=names)
    if frame.is_empty():
        raise DataError(
            "the file is empty",
            where=source.where,
            rule=f"columns {', '.join(names)}, without a header",
            remedy="unpack the archive again",
        )
    return frame


def _behaviors(source: Source, part: str) -> tuple[pl.DataFrame, pl.Series, Source]:
    """Return a row for each shown news item, the distinct histories as texts, and the source with each row's line."""
    table = _table(source, _BEHAVIORS)
    seconds = table["time"].str.to_datetime(_CLOCK, time_unit="us", strict=False)
    rule = "times such as 11/15/2019 8:55:22 AM"
    refuse(table["time"], seconds.is_null(), source, "is no time", rule=rule, remedy=_REMEDY)
    rule = "at least one news item, such as N1-0"
    refuse(table["shown"], table["shown"].is_null(), source, "is empty", rule=rule, remedy=_REMEDY)
    rule = "every impression has its own id"
    id_ = table["impression_id"]
    refuse(id_, id_.is_duplicated(), source, "is repeated", rule=rule, remedy=_REMEDY)
    lists = table["history"].drop_nulls().unique(maintain_order=True)
    index = pl.DataFrame({"history": lists}).with_row_index("history_index")
    frame = table.join(index, on="history", how="left", maintain_order="left").select(
        "user_id",
        pl.col("shown").str.split(" "),
        timestamp=seconds.dt.timestamp("us") / 1e6,
        impression_id=pl.lit(f"{part}-") + id_,
        split=pl.lit(_PARTS[part]),
        history_index="history_index",
        line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
    )
    frame = frame.explode("shown").filter(pl.col("shown") != "")
    source = replace(source, lines=frame["line"].to_numpy().astype(np.int64))
    frame = typed_behaviors(_labelled(frame.drop("line"), source, part), source)
    return frame.drop("row"), lists, source


def _labelled(frame: pl.DataFrame, source: Source, part: str) -> pl.DataFrame:
    """Split the shown news into item and label; in the test part all rows may be without labels."""
    shown = frame["shown"]
    bare = ~(shown.str.ends_with("-0") | shown.str.ends_with("-1"))
    if part == "test" and bare.all():
        null = pl.lit(None, pl.String)
        return frame.with_columns(item_id="shown", event=null, label=null).drop("shown")
    rule = "every news item shown ends with -1 (clicked) or -0"
    if part == "test":
        rule += ", or none of the test folder does"
    # the large archive's test folder
    other = f"name another folder: this one can only be {option_of('MindReader', 'test')}"
    remedy = other if bare.all() else _REMEDY
    refuse(shown, bare, source, "does not say whether it was clicked", rule=rule, remedy=remedy)
    label = pl.col("shown").str.tail(1)
    return frame.with_columns(
        item_id=pl.col("shown").str.head(-2),
        event=pl.when(label == "1").then(pl.lit("click")).otherwise(pl.lit("show")),
        label=label,
    ).drop("shown")
