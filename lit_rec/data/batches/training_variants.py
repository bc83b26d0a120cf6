"""The variants of a data set's training texts, from the cache or newly made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from lit_rec.data.arrays import Int64s
from lit_rec.data.augmentation.made_variants import made_variants
from lit_rec.data.augmentation.text_augmentation import Making, TextAugmentation
from lit_rec.data.batches.variants import Variants
from lit_rec.data.prepared import Prepared
from lit_rec.data.texts.token_cache import distinct_texts, open_tokens, token_folder
from lit_rec.data.texts.tokenizer_files import TokenizerFiles


def training_variants(
    parts: Sequence[TextAugmentation],
    seed: int,
    prepared: Prepared,
    tokenizer: TokenizerFiles,
    max_tokens: int,
    cache: Path,
    *,
    bar: bool,
    more: Int64s | None = None,
) -> Variants | None:
    """Return the variants of the texts of all items that training rows name, or that their given histories hold.

    Args:
        parts: Ways to make them; without any, there are none.
        seed: Seed of what is drawn when they are made.
        prepared: The behaviors and the items.
        tokenizer: The tokenizer.
        max_tokens: Longest text with its special tokens; the end of a longer one is cut.
        cache: The folder of all caches.
        bar: Whether progress bars are shown where it takes long.
        more: Other rows whose texts are read in training.

    Raises:
        ConfigError: If a part needs what is not there, or the cache cannot be written.
        DataError: If a part makes no variant of any text.
    """
    if not parts:
        return None
    making = Making(seed, tokenizer.open().mask_token, cache, bar)
    shown = prepared.texts[_training_items(prepared, more)]
    all_texts, texts = distinct_texts(prepared.texts), distinct_texts(shown)
    made = made_variants(parts, texts.to_list(), making)
    variants = made.select("variant")
    folder = token_folder(variants, tokenizer, max_tokens, cache, bar=bar)
    store, number = open_tokens(folder, variants.columns)
    # a text's number in the catalogue's store, for each of the training texts
    of_text = texts.replace_strict(all_texts, pl.int_range(len(all_texts), eager=True)).to_numpy()
    part, text = made["part"].to_numpy(), of_text[made["text"].to_numpy()]
    return Variants.of_rows([one.rate for one in parts], part, text, number[:, 0], store)


def _training_items(prepared: Prepared, more: Int64s | None) -> Int64s:
    rows = prepared.rows_of("train")
    if more is not None:
        rows = np.union1d(rows, more)
    lists = np.unique(prepared.given_index[rows])
    begin, end = prepared.given_offsets[lists], prepared.given_offsets[lists + 1]
    edges = np.zeros(len(prepared.given_item) + 1, np.int64)
    np.add.at(edges, begin, 1)
    np.add.at(edges, end, -1)
    given = prepared.given_item[np.cumsum(edges)[:-1] > 0]
    return np.unique(np.concatenate([prepared.item[rows], given])).astype(np.int64)
