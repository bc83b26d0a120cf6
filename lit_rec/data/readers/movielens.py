"""MovieLens100KReader: the original archive, with its folds."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import polars as pl

from lit_rec.data.readers.reader import Reader
from lit_rec.data.tables import Tables, check_file, decode
from lit_rec.data.validation import typed_behaviors, typed_entities
from lit_rec.errors import ConfigError, DataError

_OPTION = "data.reader.init_args"
_FOLDS = ("u1", "u2", "u3", "u4", "u5", "ua", "ub")
_GENRES = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]
_ARTICLES = re.compile(r"^(.*), (The|A|An|Le|La|Les|L'|Il|Das|Der|Die|El)((?: \(.*\))?)$")


class MovieLens100KReader(Reader):
    """MovieLens 100K as GroupLens packs it: u.data, u.item, u.user and the folds u1 to u5, ua, ub.

    Items have title (without the year, "The" moved to the front), year, genres and, where ``plots`` is given, plot, directors and cast.

    Args:
        folder: The unpacked archive.
        fold: One of u1, u2, u3, u4, u5, ua, ub: its .base trains and its .test tests; null: u.data, without parts.
        plots: A JSON file, a list of objects with movielens_id, plot, directors and cast. Nothing else in it is read: a crowd
            rating of the same film would give the answer away.

    Raises:
        ConfigError: If there is no such fold.

    Reference:
        Harper & Konstan 2015, The MovieLens datasets, https://doi.org/10.1145/2827872.
    """

    def __init__(self, folder: str, fold: str | None = None, plots: str | None = None) -> None:
        if fold is not None and fold not in _FOLDS:
            raise ConfigError(
                f"'{fold}' is not a fold",
                where=f"{_OPTION}.fold",
                rule=f"one of {', '.join(_FOLDS)}, or null for u.data",
                remedy="u1 is the fold that papers report",
            )
        self.folder, self.fold, self.plots = folder, fold, plots

    def sources(self) -> dict[str, Path]:
        """Return the files by option."""
        names = [f"{self.fold}.base", f"{self.fold}.test"] if self.fold else ["u.data"]
        found = {
            f"{_OPTION}.folder ({n})": Path(self.folder, n) for n in [*names, "u.item", "u.user"]
        }
        if self.plots is not None:
            found[f"{_OPTION}.plots"] = Path(self.plots)
        return found

    def read(self) -> Tables:
        """Return the tables."""
        if self.fold is None:
            behaviors = self._ratings("u.data")
        else:
            behaviors = pl.concat(
                [
                    self._ratings(f"{self.fold}.{ending}").with_columns(split=pl.lit(part))
                    for ending, part in (("base", "train"), ("test", "test"))
                ]
            ).with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
        return Tables(behaviors, self._items(), self._users())

    def _lines(self, name: str, separator: str, columns: list[str]) -> pl.DataFrame:
        path = Path(self.folder, name)
        check_file(path, option=f"{_OPTION}.folder")
        text = decode(path.read_bytes(), "latin-1", str(path))
        try:
            frame = pl.read_csv(
                io.StringIO(text),
                separator=separator,
                has_header=False,
                infer_schema=False,
                quote_char=None,
            )
        except pl.exceptions.PolarsError as error:
            raise self._wrong_columns(path, str(error).splitlines()[0][:80], columns) from error
        if frame.width != len(columns):
            raise self._wrong_columns(path, f"{frame.width} columns", columns)
        return frame.rename(dict(zip(frame.columns, columns, strict=True)))

    def _wrong_columns(self, path: Path, seen: str, columns: list[str]) -> DataError:
        return DataError(
            f"{seen} where {len(columns)} are expected",
            where=str(path),
            rule="the files of ml-100k.zip, as GroupLens packs them",
            remedy="unpack the archive again",
        )

    def _ratings(self, name: str) -> pl.DataFrame:
        frame = self._lines(name, "\t", ["user_id", "item_id", "rating", "timestamp"])
        return typed_behaviors(frame, where=str(Path(self.folder, name)), header_lines=0)

    def _users(self) -> pl.DataFrame:
        frame = self._lines("u.user", "|", ["user_id", "age", "gender", "occupation", "zip"])
        return typed_entities(
            frame, "user_id", where=str(Path(self.folder, "u.user")), header_lines=0
        )

    def _items(self) -> pl.DataFrame:
        path = Path(self.folder, "u.item")
        frame = self._lines(
            "u.item", "|", ["item_id", "full_title", "released", "video", "imdb", *_GENRES]
        )
        frame = typed_entities(frame, "item_id", where=str(path), header_lines=0)
        genres = [pl.when(pl.col(g) == "1").then(pl.lit(g)) for g in _GENRES[1:]]
        titles = [title_and_year(full) for full in frame["full_title"]]
        items = frame.select(
            "item_id",
            pl.Series("title", [title for title, _ in titles], dtype=pl.String),
            pl.Series("year", [year for _, year in titles], dtype=pl.String),
            genres=pl.concat_str(genres, separator=", ", ignore_nulls=True),
        )
        return (
            items
            if self.plots is None
            else items.join(
                self._plots(Path(self.plots)), on="item_id", how="left", maintain_order="left"
            )
        )

    def _plots(self, path: Path) -> pl.DataFrame:
        check_file(path, option=f"{_OPTION}.plots")
        try:
            records = json.loads(path.read_text(encoding="utf-8"))
            rows = [
                (str(r["movielens_id"]), *(r.get(c) or None for c in ("plot", "directors", "cast")))
                for r in records
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"is not a list of films ({type(error).__name__}: {str(error)[:60]})",
                where=f"{_OPTION}.plots={path}",
                rule="a JSON list of objects with movielens_id, plot, directors and cast",
                remedy="mend the file, or leave the option out",
            ) from error
        schema = dict.fromkeys(("item_id", "plot", "directors", "cast"), pl.String)
        return pl.DataFrame(rows, schema=schema, orient="row").unique(
            "item_id", keep="first", maintain_order=True
        )


def title_and_year(full: str) -> tuple[str, str | None]:
    """Split a title as MovieLens writes it.

    Example:
        >>> title_and_year("Usual Suspects, The (1995)")
        ('The Usual Suspects', '1995')
        >>> title_and_year("unknown")
        ('unknown', None)
    """
    match = re.match(r"^(.*?)\s*\((\d{4})(?:/\w+)?\)\s*(?:\(V\))?\s*$", full)
    title, year = (match[1], match[2]) if match else (full.strip(), None)
    turned = _ARTICLES.match(title)
    return (f"{turned[2]} {turned[1]}{turned[3]}" if turned else title), year
