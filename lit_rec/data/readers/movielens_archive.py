"""The common part of MovieLens archives: a folder, titles with a year, lists of genres."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from lit_rec.data.tables.source import Source
from lit_rec.errors import DataError

_ARTICLE = re.compile(r"^(.*), (The|A|An|Le|La|Les|L'|Il|Das|Der|Die|El)(\s*)$")
_TITLE = re.compile(r"^(.*?)\s*\((\d{4})(?:/\w+|[-\u2013]\s*(?:\d{4})?)?\)\s*(?:\(V\))?\s*$")
_NO_GENRES = "(no genres listed)"


def check_archive(folder: str, option: str, archive: str) -> None:
    """Check that the unpacked archive is there.

    Raises:
        DataError: If it is not.
    """
    path = Path(folder)
    if not path.is_dir():
        found = path.is_file()
        raise DataError(
            "this is a file, not a folder"
            if found
            else f"there is no such folder (seen from {Path.cwd()})",
            where=f"{option}={folder}",
            rule=f"the unpacked archive {archive}",
            remedy=f"unpack it, and set {option} to the folder that it makes"
            if found
            else "check the path, or download "
            f"https://files.grouplens.org/datasets/movielens/{archive} and unpack it",
        )


def check_filled(frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Return the table of a file of an archive, which is never empty.

    Raises:
        DataError: If it is.
    """
    if frame.is_empty():
        raise DataError(
            "the file is empty",
            where=source.where,
            rule="the files of the archive, as GroupLens packs them",
            remedy="unpack the archive again",
        )
    return frame


def films(table: pl.DataFrame) -> pl.DataFrame:
    """Return item_id, title, year and genres of films.

    Args:
        table: item_id, full_title such as ``Heat (1995)`` and genres such as ``Action|Crime``.

    Example:
        >>> films(pl.DataFrame({"item_id": ["6"], "full_title": ["Heat (1995)"], "genres": ["Action|Crime"]})).row(0)
        ('6', 'Heat', '1995', ['Action', 'Crime'])
    """
    titles = [title_and_year(full or "") for full in table["full_title"]]
    genres = table["genres"].fill_null("").replace(_NO_GENRES, "").str.split("|")
    return pl.DataFrame(
        {
            "item_id": table["item_id"],
            "title": pl.Series([title for title, _ in titles], dtype=pl.String),
            "year": pl.Series([year for _, year in titles], dtype=pl.String),
            "genres": genres.list.eval(pl.element().filter(pl.element() != "")),
        }
    )


def title_and_year(full: str) -> tuple[str, str | None]:
    """Split a title as MovieLens writes it; from a span of years take the first.

    Example:
        >>> title_and_year("Usual Suspects, The (1995)")
        ('The Usual Suspects', '1995')
        >>> title_and_year("unknown")
        ('unknown', None)
    """
    match = _TITLE.match(full)
    title, year = (match[1], match[2]) if match else (full.strip(), None)
    return re.sub(r"[^()]+", _turned, title), year


def _turned(part: re.Match[str]) -> str:
    """Move the article of a title, or of a second title in brackets, to its front."""
    found = _ARTICLE.match(part[0])
    if found is None:
        return part[0]
    space = "" if found[2].endswith("'") else " "
    return f"{found[2]}{space}{found[1]}{found[3]}"
