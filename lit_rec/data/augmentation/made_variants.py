"""The variants of a data set's training texts: made once, and cached as texts and as tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from lightning.pytorch.utilities import rank_zero_info

from lit_rec.data.augmentation.text_augmentation import Making, TextAugmentation
from lit_rec.errors import DataError, option_of
from lit_rec.files.cache import cached, hash_of
from lit_rec.files.parquet import read_parquet, write_parquet

_FORMAT = 1  # raise when what the cache holds changes
_FILE = "variants.parquet"
_SCHEMA = {"part": pl.Int64, "text": pl.Int64, "variant": pl.String}


def made_variants(
    parts: Sequence[TextAugmentation], texts: Sequence[str], making: Making
) -> pl.DataFrame:
    """Return the variants of texts; make them if they are not cached.

    Args:
        parts: Ways to make them.
        texts: Distinct texts; an empty one has no variant.
        making: The seed, and what else is there.

    Returns:
        A row per variant: ``part`` and ``text``, places in the lists, in increasing order; and ``variant``.

    Raises:
        ConfigError: If a part needs what is not there, or the cache cannot be written.
        DataError: If a part makes no variant of any text.
    """
    key = hash_of(
        {
            "format": _FORMAT,
            "texts": hash_of(list(texts)),
            "parts": [part.fingerprint(making) for part in parts],
            "seed": making.seed,
        }
    )
    folder = cached(making.cache, "variants", key, lambda work: _write(work, parts, texts, making))
    return read_parquet(folder / _FILE)


def _write(
    folder: Path, parts: Sequence[TextAugmentation], texts: Sequence[str], making: Making
) -> None:
    asked = [place for place, text in enumerate(texts) if text.strip()]
    rows: list[tuple[int, int, str]] = []
    for number, part in enumerate(parts):
        found = part.variants([texts[place] for place in asked], making)
        own = [
            (number, place, variant)
            for place, variants in zip(asked, found, strict=True)
            for variant in dict.fromkeys(variants)
            if variant.strip() and variant != texts[place]
        ]
        if not own:
            raise DataError(
                f"none of {len(asked):,} training texts has a variant by {type(part).__name__}",
                where=option_of("BehaviorDataModule", "augmentation"),
                rule="ways to change texts that can change some of the training texts",
                remedy=f"leave {type(part).__name__} out of BehaviorDataModule.augmentation, or change its options",
            )
        of = len({place for _, place, _ in own})
        name = type(part).__name__
        rank_zero_info(f"{name}: {len(own):,} variants of {of:,} of {len(asked):,} training texts")
        rows += own
    write_parquet(pl.DataFrame(rows, schema=_SCHEMA, orient="row"), folder / _FILE)
