"""RecBoleSequenceReader: each row has a list of items and the next item."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from lit_rec.data.readers.reader import Reader
from lit_rec.data.readers.recbole import atomic_source, atomic_table, check_name
from lit_rec.data.readers.sequence_rows import collapse
from lit_rec.data.tables.checks import refuse, typed_behaviors, typed_entities
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.delimited import parse_delimited
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables

_PARTS = {"train": "train", "valid": "val", "test": "test"}
_COLUMNS = ("user_id", "item_id_list", "item_id")


class RecBoleSequenceReader(Reader):
    r"""Sequences as RecBole reads and UniSRec writes them.

    The files are ``NAME.train.inter``, ``NAME.valid.inter`` (optional) and ``NAME.test.inter``.

    Columns are ``user_id:token``, ``item_id_list:token_seq`` (oldest first) and ``item_id:token``. A user has one row
    for each beginning of a sequence. The rows become one sequence, and every list is compared with it. Behaviors are
    in order and have no time: use GivenSplit and PastHistory. Items that are only in lists, such as the user's first
    item, train.

    Items are in ``NAME.text`` (columns ``item_id:token`` and others) or, without it, in ``NAME.item``. With a file
    ``NAME.item2index``, the ids of the ``.inter`` files are the numbers in its second column, and its items are the
    catalogue. ``NAME.user2index`` does the same for users.

    Args:
        folder: The folder.
        name: Name of the data set; the folder's own by default.

    Reference:
        Hou et al. 2022, Towards universal sequence representation learning for recommender systems,
        https://arxiv.org/abs/2206.05941.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     for part, line in (("train", "u\ta\tb"), ("valid", "u\ta b\tc"), ("test", "u\ta b c\td")):
        ...         lines = "user_id:token\titem_id_list:token_seq\titem_id:token", line
        ...         _ = Path(folder, f"toy.{part}.inter").write_text("\n".join(lines))
        ...     titles = ["item_id:token\ttitle:token_seq", "a\tA", "b\tB", "c\tC", "d\tD"]
        ...     _ = Path(folder, "toy.text").write_text("\n".join(titles))
        ...     RecBoleSequenceReader(folder, "toy").read().behaviors.select("item_id", "split").rows()
        [('a', 'train'), ('b', 'train'), ('c', 'val'), ('d', 'test')]
    """

    def __init__(self, folder: str, name: str | None = None) -> None:
        self.folder, self.name = folder, name

    def _source(self, ending: str) -> Source:
        return atomic_source(self, self.folder, self.name, ending)

    def _present(self, ending: str) -> Source | None:
        source = self._source(ending)
        return source if source.path.is_file() else None

    def _parts(self) -> dict[str, Source]:
        found = {part: self._source(f"{part}.inter") for part in _PARTS}
        return {p: s for p, s in found.items() if p != "valid" or s.path.is_file()}

    def _texts(self) -> Source:
        return self._present("text") or self._present("item") or self._source("text")

    def sources(self) -> list[Source]:
        """Return the files of the parts, the items' texts and, if there are any, the numbers of items and users."""
        numbers = [self._present(f"{kind}2index") for kind in ("item", "user")]
        return [*self._parts().values(), self._texts(), *(n for n in numbers if n is not None)]

    def files(self) -> list[Path]:
        """Return every file that the tables come from; all of them exist.

        Raises:
            DataError: If one is absent.
        """
        check_name(self._source("train.inter"), "train.inter")
        return super().files()

    def read(self) -> Tables:
        """Return the tables."""
        self.files()
        parts = self._parts()
        rows = pl.concat(
            _rows(source).with_columns(file=pl.lit(place))
            for place, source in enumerate(parts.values())
        )
        behaviors, wrong = collapse(rows)
        # users of the test part alone, where there is a validation part
        late = rows.select(pl.col("file").min().over("user_id") == 2).to_series()
        behaviors = behaviors.with_columns(file=rows["file"].gather(behaviors["row"]))
        frames: list[pl.DataFrame] = []
        sources: list[tuple[Source, int]] = []
        for place, source in enumerate(parts.values()):
            here = rows["file"] == place
            _check(rows.filter(here), wrong.filter(here), late.filter(here), source)
        for place, (part, source) in enumerate(parts.items()):
            frame = behaviors.filter(pl.col("file") == place)
            line = frame["row"].cast(pl.Int64) - (rows["file"] < place).sum() + 2
            lined = replace(source, lines=line.to_numpy())
            split = pl.when("listed").then(pl.lit("train")).otherwise(pl.lit(_PARTS[part]))
            frame = self._named(frame.select("user_id", "item_id", split=split), lined)
            frames.append(typed_behaviors(frame, lined))
            sources.append((lined, len(frame)))
        items, dropped = self._items()
        return Tables(
            pl.concat(frames).with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64)),
            items,
            ordered=True,
            sources=tuple(sources),
            dropped=dropped,
        )

    def _named(self, frame: pl.DataFrame, source: Source) -> pl.DataFrame:
        """Replace numbers by ids, where the folder has files that name them."""
        for kind in ("user", "item"):
            numbers = self._numbers(kind)
            if numbers is None:
                continue
            given = frame[f"{kind}_id"]
            id_ = given.replace_strict(numbers["number"], numbers["id"], default=None)
            refuse(
                given,
                id_.is_null(),
                source,
                f"is not in {self._source(f'{kind}2index').path.name}",
                rule=f"the second column of that file holds every {kind}_id",
                remedy="use files that the same run of a program wrote",
            )
            frame = frame.with_columns(id_.alias(f"{kind}_id"))
        return frame

    def _numbers(self, kind: str) -> pl.DataFrame | None:
        """Return id and number of each item or user, or None where the folder has no such file."""
        source = self._present(f"{kind}2index")
        if source is None:
            return None
        source = replace(source, has_header=False)
        frame = parse_delimited(
            source.text(), "\t", source.where, quotes=False, names=["id", "number"]
        )
        for column in ("id", "number"):
            frame = typed_entities(frame, column, source)
        return frame

    def _items(self) -> tuple[pl.DataFrame, tuple[CleaningStep, ...]]:
        """Return the catalogue, and how many texts it left out."""
        source = self._texts()
        items = typed_entities(atomic_table(source, ("item_id",)), "item_id", source)
        items = items.with_columns(pl.col(pl.String).str.strip_chars())
        numbers = self._numbers("item")
        if numbers is None:
            return items, ()
        known = items["item_id"].is_in(numbers["id"].implode())
        lost = items.filter(~known)["item_id"]
        rule = f"the item is not in {self._source('item2index').path.name}"
        step = CleaningStep(rule, len(lost), len(items), "".join(lost.head(1)), "items")
        catalogue = numbers.select(item_id="id")
        return catalogue.join(items, on="item_id", how="left", maintain_order="left"), (step,)


def _rows(source: Source) -> pl.DataFrame:
    """Return user_id, before (a list of ids) and item_id of each line."""
    table = atomic_table(source, _COLUMNS)
    ids = pl.col("item_id_list").fill_null("").str.split(" ")
    before = ids.list.eval(pl.element().filter(pl.element() != ""))
    return typed_behaviors(table.select("user_id", "item_id", before=before), source).drop("row")


def _check(rows: pl.DataFrame, wrong: pl.Series, late: pl.Series, source: Source) -> None:
    """Raise if the rows of a user in one file do not belong to one sequence."""
    refuse(
        rows["before"].list.join(" ").alias("item_id_list"),
        wrong,
        source,
        "is not the end of what the user's other rows have before the item",
        rule="the rows of a user are beginnings of one sequence, which continues from train to valid to test",
        remedy="write the files again; if each row is a session of its own, give it its own user_id",
    )
    refuse(
        rows["user_id"],
        late,
        source,
        "is in no other part",
        rule="each user's last item tests and the one before it validates",
        remedy="read other splits with TableReader, which takes a history column",
    )
