"""The texts of a table as tokens, made once and cached."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl

from lit_rec.data.arrays import Int64s
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.data.texts.tokens import TokenStore
from lit_rec.files.cache import cached, hash_of
from lit_rec.files.parquet import read_parquet, write_parquet
from lit_rec.progress import slow_bar

_FORMAT = 1  # raise when what the cache holds changes
_CODES = "text_of_item.parquet"


def token_folder(
    texts: pl.DataFrame, tokenizer: TokenizerFiles, max_tokens: int, cache: Path, *, bar: bool
) -> Path:
    """Return the folder that holds the tokens of ``texts``; make it if it is absent.

    Args:
        texts: A column per text field, a row per item (or user).
        tokenizer: The tokenizer.
        max_tokens: Longest text with its special tokens; the end of a longer one is cut.
        cache: The folder of all caches.
        bar: Whether a progress bar is shown where it takes long.

    Raises:
        ConfigError: If the cache cannot be written, or ``max_tokens`` leaves no room for text.
    """
    key = hash_of(
        {
            "format": _FORMAT,
            "fields": texts.columns,
            "texts": hash_of([column.to_list() for column in texts.iter_columns()]),
            "tokenizer": tokenizer.key,
            "max_tokens": max_tokens,
        }
    )

    def build(folder: Path) -> None:
        distinct = distinct_texts(texts)
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
        with slow_bar("tokenising", len(distinct), shown=bar) as progress:
            store = TokenStore.build(
                distinct.to_list(), tokenizer.open(), max_tokens, progress=progress
            )
        store.save(folder)
        places = pl.int_range(len(distinct), eager=True)
        codes = texts.select(pl.all().replace_strict(distinct, places))
        write_parquet(codes, folder / _CODES)

    return cached(cache, "tokens", key, build)


def distinct_texts(texts: pl.DataFrame) -> pl.Series:
    """Return the distinct texts of all columns, in the order of their numbers in the store."""
    return texts.unpivot()["value"].unique(maintain_order=True)


def no_tokens(rows: int) -> tuple[TokenStore, Int64s]:
    """Return what ``open_tokens`` would return for a table of ``rows`` without text fields."""
    return TokenStore(np.empty(0, np.int32), np.zeros(1, np.int64)), np.empty((rows, 0), np.int64)


def open_tokens(folder: Path, fields: list[str]) -> tuple[TokenStore, Int64s]:
    """Return the memory-mapped texts of a folder, and the texts of each row ``[I, F]`` in the order of ``fields``."""
    codes = read_parquet(folder / _CODES).select(fields)
    return TokenStore.open(folder), codes.to_numpy().astype(np.int64)
