"""ApproximateIndex: nearly the best items, from the nearest lists of a catalogue instead of all items."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from lit_rec.errors import CheckpointError
from lit_rec.inference.index.best_columns import ordered
from lit_rec.inference.index.exact_search import ExactSearch
from lit_rec.inference.index.item_index import CHANGES, Found, IndexFactory, ItemIndex, Rescore
from lit_rec.inference.index.item_lists import ItemLists, Reading, needed_faiss
from lit_rec.inference.index.item_vectors import ItemVectors
from lit_rec.inference.index.search_space import Rows, SearchSpace
from lit_rec.inference.index.stored_index import StoredIndex

# Candidates are at most 1/256 of the items, or 256 items: sorting more costs about as much as comparing all items.
_SHARE, _LEAST = 256, 256
_WIDER = 4
_BUILT = ("lists", "exact_below")  # options that lists are built with
_READING = Reading()


class _Listed(NamedTuple):
    """All items, and the lists of them; without lists (None) all items are compared."""

    exact: ExactSearch
    lists: ItemLists | None


class ApproximateIndex(ItemIndex):
    """Read the lists that are nearest to a query, then sort the best of their items by exact inner products.

    A list holds items of similar direction (k-means, by faiss), with one bit per coordinate (RaBitQ; 8 bits for vectors
    narrower than 256). These bits only choose candidates. If filters leave few candidates, more are read. If those
    would be too many, as with few allowed items, the exact index is used. So the result has as many items as that of
    the exact index, and their scores are exact. Only an item in a list that was not read may be missing.

    Args:
        vectors: ``[I, D]``; used for the exact scores, without a copy if they are float32 and contiguous.
        lists: Number of lists; 0: twice the square root of the number of items. Lists are built once; an item that is
            added later goes into the nearest list.
        share: Share of the lists that a search reads: a larger share finds more, and takes longer.
        least_read: Smallest number of items in the lists that are read: in a small catalogue, the best items are
            spread over a larger share of the lists.
        exact_below: A catalogue with fewer items has no lists: all items are compared.

    Raises:
        ConfigError: If faiss is not installed.
        ValueError: If ``vectors`` is not a matrix, or an option is out of range.
        DataError: If a vector is not finite.

    Reference:
        Gao & Long 2024, RaBitQ: quantizing high-dimensional vectors with a theoretical error bound,
        https://arxiv.org/abs/2405.12497; Douze et al. 2024, The Faiss library, https://arxiv.org/abs/2401.08281.

    Example:
        >>> index = ApproximateIndex(vectors)  # doctest: +SKIP
        >>> index.search(queries, 10, seen=[[3, 5]])  # doctest: +SKIP
    """

    def __init__(
        self,
        vectors: Tensor,
        *,
        lists: int = 0,
        share: float = _READING.share,
        least_read: int = _READING.least_read,
        exact_below: int = 8_192,
    ) -> None:
        self._prepare(vectors, lists, exact_below, Reading(share, least_read))
        self._build()

    def _prepare(self, vectors: Tensor, lists: int, exact_below: int, reading: Reading) -> None:
        for name, value, least in (("lists", lists, 0), ("exact_below", exact_below, 1)):
            if value < least:
                raise ValueError(f"{name} is {value}, {least} or more is meant")
        needed_faiss()
        self._options = {"lists": lists, "exact_below": exact_below}
        self._reading = reading
        # a search reads this once, and a change of the index replaces it by a new value
        self._now = _Listed(ExactSearch.of(vectors), None)

    def _build(self) -> None:
        """Build lists of all items, if there are enough."""
        exact, options = self._now.exact, self._options
        vectors = exact.vectors
        if len(vectors) >= options["exact_below"]:
            count = min(options["lists"] or round(2 * len(vectors) ** 0.5), len(vectors))
            lists = ItemLists.of(vectors, count, self._reading).without(exact.removed)
            self._now = _Listed(exact, lists)

    def __len__(self) -> int:
        """Return the number of items that can be found."""
        return len(self._now.exact)

    @property
    def vectors(self) -> ItemVectors:
        """The vectors of all rows, also of removed items."""
        return self._now.exact.vectors

    def add_items(self, vectors: Tensor) -> range:
        """Add items after the last, each to the nearest list: see ``ItemIndex``."""
        with CHANGES:
            exact, lists = self._now
            first, exact = len(exact.vectors), exact.with_more(vectors)
            if lists is None:
                self._now = _Listed(exact, None)
                self._build()
            else:
                self._now = _Listed(exact, lists.with_items(exact.vectors, first))
            return range(first, len(exact.vectors))

    def remove_items(self, rows: Rows) -> None:
        """Remove items from the lists: see ``ItemIndex``."""
        with CHANGES:
            before, lists = self._now
            exact = before.without(rows)
            if lists is not None:
                lists = lists.without(exact.removed[~torch.isin(exact.removed, before.removed)])
            self._now = _Listed(exact, lists)

    def drop_removed(self) -> bool:
        """Free the rows of removed items: see ``ItemIndex``."""
        with CHANGES:
            exact, lists = self._now
            if lists is not None:
                lists = lists.renumbered(exact.remaining(), len(exact.vectors))
            self._now = _Listed(exact.compacted(), lists)
        return True

    def copy(self) -> Self:
        """Return an independent index that shares the vectors and lists of this one until either changes."""
        return copy(self)

    def space(
        self, queries: int, seen: Sequence[Rows] | None, allow: Rows | None, deny: Rows
    ) -> SearchSpace:
        """Return the items that may be found: see ``ItemIndex``."""
        return self._now.exact.space(queries, seen, allow, deny)

    @torch.no_grad()
    def search(
        self,
        queries: Tensor,
        k: int,
        *,
        seen: Sequence[Rows] | None = None,
        allow: Rows | None = None,
        deny: Rows = (),
        rescore: Rescore | None = None,
    ) -> Found:
        """Return nearly the k best items of each query: see ``ItemIndex``."""
        now, lists = self._now
        queries = now.checked(queries, k)
        space = now.space(len(queries), seen, allow, deny)
        rows = torch.full((len(queries), k), -1, device=queries.device)
        scores = torch.full((len(queries), k), -torch.inf, device=queries.device)
        # With one bit per coordinate, the best ten items are among the best hundred candidates, or two hundred if few
        # coordinates decide. If filters leave few of these, better items are in lists that were not read.
        waiting, count = torch.arange(len(queries)), 4 * k + 160
        most = max(_LEAST, len(now) // _SHARE)
        while lists is not None and len(waiting) and count <= most < len(now):
            # so few are allowed that perhaps none is a candidate
            if space.size * most < count * len(now):
                break
            met = lists.nearest(queries[waiting], count)
            is_open = (met >= 0) & space.may_find(met, waiting)
            enough = is_open.sum(1) >= 2 * k + 40
            done = waiting[enough]
            met = torch.where(is_open, met, 0)[enough].to(queries.device)
            exact = (
                now.products(queries[done], met)
                if rescore is None or not len(done)
                else rescore(done, met)
            )
            exact = torch.where(is_open[enough].to(queries.device), exact, -torch.inf)
            best, at = ordered(exact, met)
            scores[done], rows[done] = best[:, :k], at[:, :k]
            waiting, count = waiting[~enough], count * _WIDER
        if len(waiting):
            left = None if seen is None else [seen[b] for b in waiting.tolist()]
            found = now.find(
                queries[waiting],
                k,
                seen=left,
                allow=allow,
                deny=deny,
                rescore=None
                if rescore is None
                else lambda part, rows: rescore(waiting[part], rows),
            )
            scores[waiting], rows[waiting] = found.scores, found.rows
        return Found(rows, scores)

    def save(self, path: str | Path) -> None:
        """Write the lists and a hash of the vectors to one file, without the vectors.

        Raises:
            ConfigError: If the file cannot be written.
        """
        exact, lists = self._now
        written = None
        if lists is not None:
            parts = {"centre": lists.centre, "rotation": lists.rotation}
            written = {**parts, "lists": lists.written()}
        stored = StoredIndex(exact.vectors.key(), dict(self._options), exact.removed, written)
        stored.write(Path(path))

    @classmethod
    def load(
        cls,
        path: str | Path,
        vectors: Tensor,
        *,
        share: float = _READING.share,
        least_read: int = _READING.least_read,
    ) -> Self:
        """Read a file that ``save`` wrote.

        Args:
            path: The file.
            vectors: ``[I, D]``, the vectors that the lists were built of, also of added and removed items.
            share: As for the class.
            least_read: As for the class.

        Raises:
            CheckpointError: If the file is absent, damaged, or of other vectors.
            ConfigError: If faiss is not installed.
        """
        return cls._of(
            StoredIndex.read(Path(path)), vectors, Path(path), Reading(share, least_read)
        )

    @classmethod
    def _of(cls, stored: StoredIndex, vectors: Tensor, path: Path, reading: Reading) -> Self:
        index = cls.__new__(cls)
        index._prepare(vectors, **stored.options, reading=reading)
        stored.check_key(index.vectors.key(), path)
        exact = index._now.exact.without(stored.removed)
        index._now = _Listed(exact, stored.item_lists(path, reading))
        return index

    @classmethod
    def load_or_build(cls, path: str | Path, vectors: Tensor, **options: Any) -> Self:
        """Read the index at ``path``; if there is none of these vectors, build it and write it there.

        Args:
            path: The file, such as ``best.index`` next to ``best.ckpt``.
            vectors: ``[I, D]``.
            options: As for the class; if the stored index was built with other ``lists`` or ``exact_below`` than given
                here, it is built again.

        Raises:
            ConfigError: If faiss is not installed, or the file cannot be written.
        """
        needed_faiss()
        asked = {name: options[name] for name in _BUILT if name in options}
        try:
            stored = StoredIndex.read(Path(path))
            if asked.items() <= stored.options.items():
                search = {name: options[name] for name in options if name not in _BUILT}
                return cls._of(stored, vectors, Path(path), replace(_READING, **search))
        except CheckpointError:  # none yet, or that of another catalogue
            pass
        index = cls(vectors, **options)
        index.save(path)
        return index

    @classmethod
    def beside(cls, checkpoint: str | Path, **options: Any) -> IndexFactory:
        """Return a factory of a checkpoint's index, which is stored in a file next to it: see ``load_or_build``.

        Args:
            checkpoint: The checkpoint, such as ``best.ckpt``; the index's file is then ``best.index``.
            options: As for the class.

        Example:
            >>> path = "checkpoints/quickstart/version_0/best.ckpt"
            >>> Recommender.from_checkpoint(path, index=ApproximateIndex.beside(path))  # doctest: +SKIP
        """
        return partial(cls.load_or_build, Path(checkpoint).with_suffix(".index"), **options)
