"""A fingerprint of prepared data: whether two results are of the same rows and texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from lit_rec.data.prepared import Prepared

_COLUMNS = ("user", "item", "rating", "label", "event", "timestamp", "part")
_GIVEN = ("given_item", "given_offsets", "given_index")


def data_fingerprint(prepared: Prepared) -> str:
    """Return a hash of the behaviors, their parts (training, validation, test), the ids and the texts of items.

    Args:
        prepared: The data.
    """
    found = hashlib.sha256()
    for name in (*_COLUMNS, *_GIVEN):
        numbers = np.ascontiguousarray(getattr(prepared, name))
        found.update(f"{name} {numbers.dtype} {numbers.shape}".encode())
        found.update(numbers.view(np.uint8).data)
    for names in (prepared.user_ids, prepared.events, prepared.labels, prepared.items["item_id"]):
        _add_texts(found, names)
    for column in prepared.texts.columns:
        _add_texts(found, prepared.texts[column])
    return found.hexdigest()


def _add_texts(found: hashlib._Hash, texts: Iterable[str | None]) -> None:
    for text in texts:
        data = (text or "").encode(errors="surrogatepass")
        found.update(len(data).to_bytes(8, "little") + data)
    found.update(b"end")
