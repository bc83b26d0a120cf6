"""Labelled texts: a table with a text and a label or a rating in each row, and no users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.tables.source import JSON_LINES, Source
from lit_rec.errors import ConfigError, did_you_mean, excerpt, some_of
from lit_rec.init.column_names import name_score, words_of
from lit_rec.init.columns import Column, fewest
from lit_rec.init.formats.parts import parts_of
from lit_rec.init.formats.ready_format import ReadyFormat
from lit_rec.init.option_words import meant, option
from lit_rec.init.table_files import TableFile, read_file

_LABEL_WORDS = {
    *(
        "label",
        "labels",
        "category",
        "class",
        "intent",
        "topic",
        "sentiment",
        "emotion",
        "genre",
        "target",
        "tag",
    ),
    *("lang", "language", "polarity", "stance"),
}
_OPTIONS = {"train": "texts", "validation": "validation_texts", "test": "test_texts"}
_TABLES = (".csv", ".tsv", ".parquet", *JSON_LINES)
_MOST_LABELS = 1000
_SPLITS = {"train", "val", "test"}


def labelled_texts(
    paths: Sequence[Path], target: str | None = None, texts: Sequence[str] | None = None
) -> ReadyFormat | None:
    """Recognise one file of labelled texts, or the files of its parts.

    Args:
        paths: One file; or two or three whose names say their part, or a folder that holds them.
        target: The column of labels or ratings, where the user gave it.
        texts: The columns of texts, where the user gave them.

    Raises:
        ConfigError: If several columns could be the label, or one that is named is not there.
        DataError: If a file cannot be read.
    """
    parts = _parts(paths)
    if parts is None or "train" not in parts:
        return None
    file = read_file(str(parts["train"]))
    for path in [path for part, path in parts.items() if part != "train"]:
        if read_file(str(path)).frame.columns != file.frame.columns:
            return None
    columns = list(file.columns.values())
    target = None if target is None else meant(target, file.columns)
    texts = [meant(name, file.columns) for name in texts or ()]
    named = _named(file, target, texts)
    of_text = (
        [file.columns[name] for name in texts] if texts else [c for c in columns if _is_text(c)]
    )
    # whoever names the label of a single table does not mean its users and items
    if not of_text or (named is None and _has_interactions(columns)):
        return None
    left = [c for c in columns if c not in of_text]
    label = named or _label(file, left)
    if label is None:
        return None
    mapping = {"rating" if _is_rating(label) else "label": label.name} | _others(left, label)
    new_name, options = {name: name for name in file.columns}, _files(file, parts)
    headless = _without_header(label)
    if headless:
        options["names"] = [f"column_{place}" for place in range(1, len(columns) + 1)]
        new_name = dict(zip(file.columns, options["names"], strict=True))
    renamed = {
        name: new_name[column] for name, column in mapping.items() if name != new_name[column]
    }
    if renamed:
        options["columns"] = renamed
    unused = [c.name for c in left if c.name not in mapping.values()]
    return ReadyFormat(
        name="labelled texts",
        why=_why(file, of_text, label, headless=headless),
        reader=LabelledTextReader,
        options=options,
        fields={"text": [new_name[c.name] for c in of_text]},
        has_parts=len(parts) > 1 or "split" in mapping,
        texts_alone=True,
        notes=(f"Not used: {some_of(unused)}.",) if unused else (),
    )


def _parts(paths: Sequence[Path]) -> dict[str, Path] | None:
    if len(paths) == 1 and paths[0].is_dir():
        held = [
            each for each in sorted(paths[0].iterdir()) if Source.table(each, "").ending in _TABLES
        ]
        return parts_of([each for each in held if parts_of([each])])
    if any(path.is_dir() for path in paths):
        return None
    return {"train": paths[0]} if len(paths) == 1 else parts_of(paths)


def _files(file: TableFile, parts: Mapping[str, Path]) -> dict[str, Any]:
    """Return the options of the reader that name the files, and how they are divided into columns."""
    options: dict[str, Any] = {_OPTIONS[part]: str(path) for part, path in parts.items()}
    if file.delimiter:
        options["delimiter"] = file.delimiter
    return options


def _named(file: TableFile, target: str | None, texts: Sequence[str] | None) -> Column | None:
    for where, name in (
        ("--rating_column", target),
        *(("--text_columns", t) for t in texts or ()),
    ):
        if name is not None and name not in file.columns:
            raise ConfigError(
                f"{file.path} has no column {excerpt(name)}; it has {some_of(file.columns)}",
                where=where,
                rule="names are those of the file's header",
                remedy=did_you_mean(name, file.columns, "name one of these columns"),
            )
    return None if target is None else file.columns[target]


def _is_text(column: Column) -> bool:
    """Return whether a column has sentences: words, mostly other ones in each row."""
    return column.has_words and column.most_words > 2 and column.distinct > 0.5 * len(column.texts)


def _has_interactions(columns: Sequence[Column]) -> bool:
    """Return whether rows name users and items: then a table of items is missing."""
    return all(
        any(name_score(c.name, role) and c.is_id_like for c in columns)
        for role in ("user_id", "item_id")
    )


def _label(file: TableFile, columns: Sequence[Column]) -> Column | None:
    usable = [c for c in columns if _may_be_label(c)]
    named = [c for c in usable if set(words_of(c.name)) & _LABEL_WORDS]
    named = named or [
        c for c in usable if name_score(c.name, "rating") or name_score(c.name, "label")
    ]
    found = named or usable
    if len(found) > 1:
        raise ConfigError(
            " and ".join(f"'{c.name}'" for c in found[:3])
            + " could each be the label of the texts",
            where=file.path,
            details=[file.shown],
            rule="one column has the label or the rating of each text",
            remedy=f"say which: {option('--rating_column', fewest(found))}",
        )
    return found[0] if found else None


def _may_be_label(column: Column) -> bool:
    most = min(_MOST_LABELS, max(len(column.values) // 2, 2))
    return (
        column.filled > 0.9
        and not column.is_nested
        and 2 <= column.distinct <= most
        and column.words <= 8
        # a share or a price is no label; a rating may have halves
        and (column.is_whole or not column.is_numeric or bool(name_score(column.name, "rating")))
        and not column.has_dates
        and not name_score(column.name, "timestamp")
        and not _is_split(column)
    )


def _is_rating(column: Column) -> bool:
    many = column.distinct > 2 and bool(name_score(column.name, "rating"))
    return column.is_numeric and (many or not column.is_whole)


def _is_split(column: Column) -> bool:
    return set(column.texts.unique()) <= _SPLITS and "train" in set(column.texts.unique())


def _others(columns: Sequence[Column], label: Column) -> dict[str, str]:
    """Return the columns of parts and of times."""
    left = [c for c in columns if c is not label]
    found: dict[str, str] = {}
    for column in left:
        is_time = name_score(column.name, "timestamp") and column.filled == 1
        if _is_split(column):
            found["split"] = column.name
        elif is_time and (column.has_dates or column.time_unit == "s"):
            found["timestamp"] = column.name
    return found


def _without_header(label: Column) -> bool:
    """Return whether the first line is a row: its label is a label of other rows too."""
    return label.name in set(label.texts.unique())


def _why(file: TableFile, texts: Sequence[Column], label: Column, *, headless: bool) -> str:
    if headless:
        return (
            f"{file.path} has no header, since its first line has the label {excerpt(label.name)} like other rows; "
            f"texts of {texts[0].words:.0f} words, {label.distinct:,} distinct labels"
        )
    shown = ", ".join(f"`{c.name}`" for c in texts)
    return (
        f"{file.path} has texts in {shown} ({texts[0].words:.0f} words each), and `{label.name}` with "
        f"{label.distinct:,} distinct values, such as {label.shown(2)}; no user with items"
    )
