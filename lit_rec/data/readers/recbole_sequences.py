"""RecBoleSequenceReader: each row has a list of items and the next item."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import polars as pl

from lit_rec.data.readers.reader import Reader
from lit_rec.data.readers.recbole import atomic_source, atomic_table, check_name
from lit_rec.data.readers.sequence_rows import collapse
from lit_rec.data.tables.checks import refuse, typed_behaviors, typed_entities
from lit_rec.data.tables.cleaning_step import CleaningStep
from lit_rec.data.tables.delimited import parse_delimited
from lit_rec.data.tables.source import Source
from lit_rec.data.tables.tables import Tables
from lit_rec.errors import ConfigError, DataError, option_of

_PARTS = {"train": "train", "valid": "val", "test": "test"}
_COLUMNS = ("user_id", "item_id_list", "item_id")
PartsChoice = Literal["files", "lists", "none"]


class RecBoleSequenceReader(Reader):
    r"""Sequences as RecBole reads and UniSRec writes them.

    The files are ``NAME.train.inter``, ``NAME.valid.inter`` (optional) and ``NAME.test.inter``.

    Where there is no train file, ``parts`` says what there is instead.

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
        parts: ``files``: as above. ``lists``: there is no train file; what the lists of the other files hold trains.
            ``none``: one file without parts, ``NAME.inter``: use LeaveLastOutSplit. Its lists may be whole sequences,
            without a column ``item_id``.

    Raises:
        ConfigError: If ``parts`` is none of these.

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

    def __init__(self, folder: str, name: str | None = None, parts: PartsChoice = "files") -> None:
        self.folder, self.name, self.parts = folder, name, parts
        if parts not in get_args(PartsChoice):
            raise ConfigError(
                f"'{parts}' is not a choice",
                where=option_of(self, "parts"),
                rule=f"one of {', '.join(get_args(PartsChoice))}",
                remedy=f"set {option_of(self, 'parts')} to files where there is NAME.train.inter, to lists where "
                "there is only NAME.test.inter, or to none where there is NAME.inter",
            )

    def _source(self, ending: str) -> Source:
        return atomic_source(self, self.folder, self.name, ending)

    def _present(self, ending: str) -> Source | None:
        source = self._source(ending)
        return source if source.path.is_file() else None

    def _parts(self) -> dict[str, Source]:
        if self.parts == "none":
            return {"": self._source("inter")}
        names = [name for name in _PARTS if name != "train" or self.parts == "files"]
        found = {part: self._source(f"{part}.inter") for part in names}
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
        first = {"files": "train.inter", "lists": "test.inter", "none": "inter"}[self.parts]
        check_name(self, self._source(first), first)
        self._check_train()
        return super().files()

    def _check_train(self) -> None:
        """Raise if there is no train file, but one that another choice of ``parts`` reads."""
        source = self._source("train.inter")
        if self.parts != "files" or source.path.is_file():
            return
        for parts, ending in (("lists", "test.inter"), ("none", "inter")):
            other = self._present(ending)
            if other is not None:
                raise DataError(
                    f"there is no file '{source.path.name}', but '{other.path.name}'",
                    where=source.where,
                    rule="a train file, unless the reader's parts says what there is instead",
                    remedy=f"set {option_of(self, 'parts')} to {parts}"
                    + ("; with LeaveLastOutSplit" if parts == "none" else ""),
                )

    def read(self) -> Tables:
        """Return the tables."""
        self.files()
        parts = self._parts()
        rows = pl.concat(
            _rows(source, whole=self.parts == "none").with_columns(file=pl.lit(place))
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
            given = {}
            if part:
                of_part = pl.lit(_PARTS[part])
                given["split"] = pl.when("listed").then(pl.lit("train")).otherwise(of_part)
            frame = self._named(frame.select("user_id", "item_id", **given), lined)
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
                remedy="take files of one run of a program, or remove that file where ids are no numbers",
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


def _rows(source: Source, *, whole: bool) -> pl.DataFrame:
    """Return user_id, before (a list of ids) and item_id of each line.

    Args:
        source: The file.
        whole: Whether lists may be whole sequences: without a column item_id their last id is the item.
    """
    table = atomic_table(source, _COLUMNS[:2] if whole else _COLUMNS)
    ids = pl.col("item_id_list").fill_null("").str.split(" ")
    table = table.with_columns(before=ids.list.eval(pl.element().filter(pl.element() != "")))
    if "item_id" not in table.columns:
        last, rest = pl.col("before").list.last(), pl.col("before").list.len() - 1
        refuse(
            table["item_id_list"],
            table["before"].list.len() == 0,
            source,
            "is empty",
            rule="a sequence has at least one item",
            remedy="remove these lines",
        )
        table = table.with_columns(item_id=last, before=pl.col("before").list.head(rest))
    return typed_behaviors(table.select("user_id", "item_id", "before"), source).drop("row")


def _check(rows: pl.DataFrame, wrong: pl.Series, late: pl.Series, source: Source) -> None:
    """Raise if the rows of a user in one file do not belong to one sequence."""
    refuse(
        rows["before"].list.join(" ").alias("item_id_list"),
        wrong,
        source,
        "is not the end of what the user's other rows have before the item",
        rule="the rows of a user are beginnings of one sequence, which continues from train to valid to test",
        remedy="write the rows of a user as beginnings of one sequence; if each row is a session of its own, give it "
        "its own user_id",
    )
    refuse(
        rows["user_id"],
        late,
        source,
        "is in no other part",
        rule="each user's last item tests and the one before it validates",
        remedy="remove these users, or read the files with TableReader, with delimiter '\\t' and columns user_id, "
        "item_id and history",
    )
