"""A hash of each item's input: it shows which items have changed."""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from lit_rec.data.arrays import Int64s
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.files.cache import hash_of

Hashes = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

_SIZE = 16  # bytes of a hash: collisions are too rare to matter


def input_hashes(catalogue: Catalogue) -> Hashes:
    """Return a hash of each item's input ``[I, 2]``.

    The input is the tokens of its texts, the values of its fields, and its row among the ids. The hash depends neither
    on other items nor on the item's place.

    Example:
        >>> from lit_rec.data.texts.tokens import TokenStore
        >>> store = TokenStore(np.array([7, 8, 8], np.int32), np.array([0, 1, 2, 3]))
        >>> hashes = input_hashes(Catalogue(store, np.array([[0], [1], [2]]), np.zeros(3, np.int64)))
        >>> [bool((hashes[0] == hashes[1]).all()), bool((hashes[1] == hashes[2]).all())]
        [False, True]
    """
    count = len(catalogue)
    names = sorted(catalogue.fields)
    values = [catalogue.fields[name] for name in names]
    kinds = [
        (name, str(v.dtype), v.shape[1:] if v.dtype.kind == "f" else ())
        for name, v in zip(names, values, strict=True)
    ]
    kind = bytes.fromhex(hash_of([catalogue.text_of_item.shape[1], kinds]))
    parts = [np.tile(np.frombuffer(kind, np.uint8), (count, 1)), _rows(catalogue.vocab_row)]
    parts += [_rows(_of_texts(catalogue)), *map(_of_field, values)]
    return _hash_rows(np.concatenate(parts, axis=1))


def _of_texts(catalogue: Catalogue) -> Hashes:
    """Return the hashes of the items' texts ``[I, F, 2]``."""
    text, index = np.unique(catalogue.text_of_item, return_inverse=True)
    part = catalogue.store.take(text)
    return _hash_pieces(part.tokens, part.offsets)[index.reshape(catalogue.text_of_item.shape)]


def _of_field(values: npt.NDArray[Any]) -> Bytes:
    """Return the bytes of each value; a list of categories without its padding, which depends on the longest list."""
    if values.dtype.kind == "f":
        return _rows(values)
    real = values > 0
    offsets = np.concatenate([[0], np.cumsum(real.sum(1))])
    return _rows(_hash_pieces(values[real], offsets))


def _rows(values: npt.NDArray[Any]) -> Bytes:
    whole = np.ascontiguousarray(values).reshape(len(values), math.prod(values.shape[1:]))
    # an array without columns cannot be viewed as bytes
    return whole.view(np.uint8) if whole.size else np.empty((len(values), 0), np.uint8)


def _hash_rows(rows: Bytes) -> Hashes:
    count, width = rows.shape
    return _hash_pieces(rows.reshape(-1), np.arange(count + 1) * width)


def _hash_pieces(values: npt.NDArray[Any], offsets: Int64s) -> Hashes:
    """Return the hash of each piece of flat values ``[n, 2]``."""
    content, size = np.ascontiguousarray(values).tobytes(), values.itemsize
    ends = (offsets * size).tolist()
    found = b"".join(
        hashlib.blake2b(content[start:stop], digest_size=_SIZE).digest()
        for start, stop in pairwise(ends)
    )
    return np.frombuffer(found, np.uint64).reshape(-1, 2)
