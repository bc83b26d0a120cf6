"""The vectors of a checkpoint's catalogue: as they lie in it, or where a command has kept them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from lit_rec.training.checkpoint.cache import cache_of_checkpoint, is_cache
from lit_rec.training.checkpoint.content import catalogue_of, facts_of
from lit_rec.training.lit_rec import LitRec
from lit_rec.vectors.cached_table import CachedTables
from lit_rec.vectors.evaluation_tables import FOLDER


def catalogue_vectors(module: LitRec, content: dict[str, Any], where: str = "") -> Tensor:
    """Return the vectors of the catalogue's items ``[I, D]`` on the module's device.

    A checkpoint whose weights were never evaluated, such as averaged ones, holds no vectors. They are looked for where
    ``lit-rec test`` keeps its own, if that folder is there, and encoded if not.

    Args:
        module: Built and loaded.
        content: The checkpoint's content.
        where: The checkpoint's file, where it lies in one.
    """
    vectors: Tensor | None = content["catalogue"]["vectors"]
    if vectors is not None:
        return vectors.to(module.device)
    catalogue = catalogue_of(content, facts_of(content))
    folder = _cache(content, where)
    if folder is None:
        return module.item_table(catalogue)
    kept = CachedTables(module.built(), module.device, folder / FOLDER)
    return kept.table(catalogue, lambda rows: module.item_table(catalogue, rows))


def _cache(content: dict[str, Any], where: str) -> Path | None:
    """Return the cache that an evaluation would use, where there is one; nothing is written into any other folder."""
    data = (content["config"] or {}).get("data") or {}
    named = data.get("init_args", {}).get("cache_folder")
    if not isinstance(named, str):
        return None
    folder = Path(cache_of_checkpoint(named, Path(where)) if where else named)
    return folder if is_cache(folder) else None
