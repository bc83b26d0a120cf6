"""ApproximateIndex: nearly the best items, from the nearest lists of a catalogue instead of from all of it."""

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

# Candidates are one item of 256 at most, or 256 items: comparing all of a catalogue costs about as much as sorting
# more.
_SHARE, _LEAST = 256, 256
_WIDER = 4
_BUILT = ("lists", "exact_below")  # what lists are built with
_READING = Reading()


class _Listed(NamedTuple):
    """All items, and those of them that stand in lists; None: all of them are compared."""

    exact: ExactSearch
    lists: ItemLists | None


class ApproximateIndex(ItemIndex):
    """Read the lists of items that come nearest to a query, then sort the best of them by their exact inner products.

    Items of similar direction stand in one list (k-means, by faiss), each as one bit a coordinate (RaBitQ; 8 of vectors
    narrower than 256), which only choose candidates. Where filters leave few of them, more are taken; where those would
    be many, as with few allowed items, the exact index answers. So what is found is never fewer than the exact index
    finds, and its scores are right; what may be missing is an item in a list that was not read.

    Args:
        vectors: ``[I, D]``; kept for the exact scores, not copied, where they are float32 and contiguous.
        lists: Lists of items; 0: twice the root of the number of items. They are those of the items that are there when
            they are built; items that are added go into the nearest.
        share: Share of the lists that a search reads: more finds more, and takes longer.
        least_read: Items whose lists are read, however small the share: of few items, the best lie in more of the
            lists.
        exact_below: A catalogue of fewer items has no lists: all of them are compared.

    Raises:
        ConfigError: If faiss is not installed.
        ValueError: If ``vectors`` is no matrix, or an option is out of range.
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
        # whoever searches reads this once, and whoever changes the index puts another value here
        self._now = _Listed(ExactSearch.of(vectors), None)

    def _build(self) -> None:
        """Make lists of all items there are, if they are many enough."""
        exact, options = self._now.exact, self._options
        vectors = exact.vectors
        if len(vectors) >= options["exact_below"]:
            count = min(options["lists"] or round(2 * len(vectors) ** 0.5), len(vectors))
            lists = ItemLists.of(vectors, count, self._reading).without(exact.removed)
            self._now = _Listed(exact, lists)

    def __len__(self) -> int:
        """Return how many items can be found."""
        return len(self._now.exact)

    @property
    def vectors(self) -> ItemVectors:
        """The vectors of all rows, those of removed items too."""
        return self._now.exact.vectors

    def add_items(self, vectors: Tensor) -> range:
        """Add items after the last, each into the list that is nearest: see ``ItemIndex``."""
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
        """Take items out of the lists: see ``ItemIndex``."""
        with CHANGES:
            before, lists = self._now
            exact = before.without(rows)
            if lists is not None:
                lists = lists.without(exact.removed[~torch.isin(exact.removed, before.removed)])
            self._now = _Listed(exact, lists)

    def drop_removed(self) -> bool:
        """Give the rows of removed items back: see ``ItemIndex``."""
        with CHANGES:
            exact, lists = self._now
            if lists is not None:
                lists = lists.renumbered(exact.kept(), len(exact.vectors))
            self._now = _Listed(exact.of_kept(), lists)
        return True

    def copy(self) -> Self:
        """Return an index that changes apart from this one, and shares its vectors and lists."""
        return copy(self)

    def space(
        self, queries: int, seen: Sequence[Rows] | None, allow: Rows | None, deny: Rows
    ) -> SearchSpace:
        """Return what may be found: see ``ItemIndex``."""
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
        """Return k of the best items of each query, nearly always the best: see ``ItemIndex``."""
        now, lists = self._now
        queries = now.checked(queries, k)
        space = now.space(len(queries), seen, allow, deny)
        rows = torch.full((len(queries), k), -1, device=queries.device)
        scores = torch.full((len(queries), k), -torch.inf, device=queries.device)
        # One bit a coordinate has the best ten among its best hundred, and where few coordinates decide among two
        # hundred. Where filters leave few of those, better ones are in lists that were not read.
        waiting, count = torch.arange(len(queries)), 4 * k + 160
        most = max(_LEAST, len(now) // _SHARE)
        while lists is not None and len(waiting) and count <= most < len(now):
            if space.size * most < count * len(now):  # so few are allowed that none may be met
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
        """Write the lists to one file, with a hash of the vectors, which are not in it.

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
        """Read what ``save`` wrote.

        Args:
            path: The file.
            vectors: ``[I, D]``, those that the lists were built of: added items included, removed ones too.
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
        """Return the index of these vectors at ``path``, built and written there if there is none, or one of others.

        Args:
            path: The file, such as ``best.index`` beside ``best.ckpt``.
            vectors: ``[I, D]``.
            options: As for the class; where ``lists`` or ``exact_below`` is named, an index built with another is built
                anew.

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
        except CheckpointError:  # none yet, or of another catalogue
            pass
        index = cls(vectors, **options)
        index.save(path)
        return index

    @classmethod
    def beside(cls, checkpoint: str | Path, **options: Any) -> IndexFactory:
        """Return what makes the index of a checkpoint's catalogue, kept in a file beside it: see ``load_or_build``.

        Args:
            checkpoint: The checkpoint, such as ``best.ckpt``; the file is ``best.index`` then.
            options: As for the class.

        Example:
            >>> path = "checkpoints/quickstart/version_0/best.ckpt"
            >>> Recommender.from_checkpoint(path, index=ApproximateIndex.beside(path))  # doctest: +SKIP
        """
        return partial(cls.load_or_build, Path(checkpoint).with_suffix(".index"), **options)
