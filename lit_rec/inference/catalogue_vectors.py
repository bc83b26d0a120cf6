"""The vectors of a checkpoint's catalogue: as they lie in it, or where a command has kept them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from lit_rec.training.checkpoint_content import catalogue_of, facts_of
from lit_rec.training.kept_tables import KeptTables
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.stored_cache import is_cache
from lit_rec.training.vector_tables import FOLDER


def catalogue_vectors(module: LitRec, content: dict[str, Any]) -> Tensor:
    """Return the vectors of the catalogue's items ``[I, D]`` on the module's device.

    A checkpoint whose weights were never evaluated, such as averaged ones, holds no vectors. They are looked for where ``lit-rec test``
    keeps its own, if that folder is there, and encoded if not.

    Args:
        module: Built and loaded.
        content: The checkpoint's content.
    """
    vectors: Tensor | None = content["catalogue"]["vectors"]
    if vectors is not None:
        return vectors.to(module.device)
    catalogue = catalogue_of(content, facts_of(content))
    folder = _cache(content)
    if folder is None:
        return module.item_table(catalogue)
    kept = KeptTables(module.built(), module.device, folder / FOLDER)
    return kept.table(catalogue, lambda rows: module.item_table(catalogue, rows))


def _cache(content: dict[str, Any]) -> Path | None:
    """Return the cache of the run's configuration, where this machine has it; nothing is written into any other folder."""
    data = (content["config"] or {}).get("data") or {}
    named = data.get("init_args", {}).get("cache_folder")
    return Path(named) if isinstance(named, str) and is_cache(Path(named)) else None
