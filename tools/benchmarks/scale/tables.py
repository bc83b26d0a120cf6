"""Made-up tables of any size, and a tokenizer of their words, for tools/benchmark scale.

Items are drawn with Zipf-like popularity, users with log-normal activity, times over two years; titles are three to six
words, so nearly every item has a different text.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from transformers import BertTokenizerFast

ROWS_PER_USER = 25
ROWS_PER_ITEM = 10
WORDS = 5_000
_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u")]
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_START, _SPAN = 1_600_000_000, 63_072_000  # seconds


@contextmanager
def made_up_tables(rows: int, ending: str) -> Iterator[Path]:
    """Yield a temporary folder with tables of ten rows per item.

    Args:
        rows: Number of behaviors.
        ending: ``csv`` or ``parquet``.
    """
    with tempfile.TemporaryDirectory(prefix="lit_rec_scale_") as folder:
        write_tables(Path(folder), rows, rows // ROWS_PER_ITEM, ending)
        yield Path(folder)


def write_tables(folder: Path, rows: int, items: int, ending: str) -> None:
    """Write behaviors, items and tokenizer into an existing folder; equal arguments give equal files.

    Args:
        folder: The folder.
        rows: Number of behaviors.
        items: Number of items.
        ending: ``csv`` or ``parquet``.
    """
    chance = np.random.default_rng(0)
    words = words_of_syllables()
    _write(folder / f"items.{ending}", _items(chance, items, words))
    _write(folder / f"behaviors.{ending}", _behaviors(chance, rows, items))
    (folder / "tokenizer").mkdir()
    vocabulary = folder / "tokenizer/vocab.txt"
    vocabulary.write_text("\n".join([*_SPECIAL, *words]) + "\n")
    BertTokenizerFast(vocab=str(vocabulary)).save_pretrained(folder / "tokenizer")


def words_of_syllables() -> npt.NDArray[np.str_]:
    """Return distinct words of three syllables."""
    place = np.arange(WORDS) * 61  # has no common divisor with the number of syllables
    syllables, base = np.array(_SYLLABLES), len(_SYLLABLES)
    parts = (syllables[place // base**power % base] for power in range(3))
    first, second, third = parts
    joined: npt.NDArray[np.str_] = np.strings.add(np.strings.add(first, second), third)
    return joined


def _items(chance: np.random.Generator, count: int, words: npt.NDArray[np.str_]) -> pl.DataFrame:
    columns = [pl.Series(f"{n}", words[chance.integers(0, WORDS, count)]) for n in range(6)]
    length = pl.Series("length", chance.integers(3, 7, count))
    shown = [
        pl.when(pl.col("length") > place).then(pl.col(f"{place}")) for place in range(len(columns))
    ]
    title = pl.concat_str(shown, separator=" ", ignore_nulls=True)
    frame = pl.DataFrame([*columns, length, pl.int_range(count, eager=True).alias("code")])
    return frame.select(item_id=pl.format("i{}", "code"), title=title)


def _behaviors(chance: np.random.Generator, count: int, items: int) -> pl.DataFrame:
    popularity = 1 / (np.arange(items) + 10.0)
    activity = chance.lognormal(sigma=1.0, size=max(count // ROWS_PER_USER, 1))
    frame = pl.DataFrame(
        {
            "user": _draw(chance, activity, count),
            # popular items are spread over the table
            "item": chance.permutation(items)[_draw(chance, popularity, count)],
            "rating": chance.integers(1, 6, count),
            "timestamp": chance.integers(_START, _START + _SPAN, count),
        }
    )
    return frame.select(
        pl.format("u{}", "user").alias("user_id"),
        pl.format("i{}", "item").alias("item_id"),
        "rating",
        "timestamp",
    )


def _draw(
    chance: np.random.Generator, weights: npt.NDArray[np.float64], count: int
) -> npt.NDArray[np.int64]:
    until = np.cumsum(weights)
    return np.searchsorted(until, chance.random(count) * until[-1], side="right")


def _write(path: Path, frame: Any) -> None:
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
