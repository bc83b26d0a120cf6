"""MovieLens as GroupLens packs it: 100K, 1M, 10M, and the archives with CSV files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lit_rec.data.readers.movielens import MovieLens100KReader
from lit_rec.data.readers.movielens_1m import MovieLens1MReader
from lit_rec.data.readers.movielens_csv import MovieLensReader
from lit_rec.init.formats.ready_format import (
    ReadyFormat,
    file_of,
    first_lines,
    folder_with,
    header_of,
)

_FIELDS = {"title": ["title", "year"], "genres": ["genres"]}
_RATINGS = ("userId", "movieId", "rating", "timestamp")
_MOVIES = ("movieId", "title", "genres")


def movielens(paths: Sequence[Path]) -> ReadyFormat | None:
    """Recognise a folder of an archive, or its files."""
    return _of_100k(paths) or _of_1m(paths) or _of_csv(paths)


def _of_100k(paths: Sequence[Path]) -> ReadyFormat | None:
    others = ("u.genre", "u.info", "u.occupation")
    folder = folder_with(paths, ("u.data", "u.item", "u.user"), others)
    if folder is None or not _holds(folder, "u.data", r"\d+\t\d+\t\d\t\d+"):
        return None
    return ReadyFormat(
        name="MovieLens 100K",
        why=f"{folder} has u.data, u.item and u.user, without headers",
        reader=MovieLens100KReader,
        options={"folder": str(folder)},
        fields=_FIELDS,
        notes=(
            "The folds that papers report: `fold: u1` in the reader and GivenSplit, as configs/movielens_u1.yaml.",
        ),
    )


def _of_1m(paths: Sequence[Path]) -> ReadyFormat | None:
    others = ("users.dat", "tags.dat")
    folder = folder_with(paths, ("ratings.dat", "movies.dat"), others)
    if folder is None or not _holds(folder, "ratings.dat", r"\d+::\d+::[\d.]+::\d+"):
        return None
    has_users = file_of(folder, "users.dat") is not None
    return ReadyFormat(
        name="MovieLens 1M" if has_users else "MovieLens 10M",
        why=f"{folder} has ratings.dat and movies.dat, with :: between columns",
        reader=MovieLens1MReader,
        options={"folder": str(folder)},
        fields=_FIELDS,
    )


def _of_csv(paths: Sequence[Path]) -> ReadyFormat | None:
    folder = folder_with(paths, ("ratings.csv", "movies.csv"), ("tags.csv", "links.csv"))
    if folder is None:
        return None
    for name, columns in (("ratings.csv", _RATINGS), ("movies.csv", _MOVIES)):
        path = file_of(folder, name)
        if path is None or header_of(path, ",") != list(columns):
            return None
    return ReadyFormat(
        name="MovieLens (CSV)",
        why=f"{folder} has ratings.csv with {', '.join(_RATINGS)}, and movies.csv with {', '.join(_MOVIES)}",
        reader=MovieLensReader,
        options={"folder": str(folder), "tags": False},
        fields=_FIELDS,
        notes=(
            "Not used: tags, of which users gave many after the ratings that test (`tags_before` of the reader).",
        ),
    )


def _holds(folder: Path, name: str, pattern: str) -> bool:
    path = file_of(folder, name)
    lines = [] if path is None else first_lines(path)
    return bool(lines and re.fullmatch(pattern, lines[0].strip()))
