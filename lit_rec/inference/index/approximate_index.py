"""ApproximateIndex: nearly the best items, by walking a graph of the catalogue instead of comparing all of it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.inference.index.best_columns import ordered
from lit_rec.inference.index.catalogue_rows import Rows
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.item_index import Found, IndexFactory, ItemIndex, Rescore
from lit_rec.inference.index.search_space import SearchSpace
from lit_rec.inference.index.stored_graph import StoredGraph

# Walks meet one item of 256 at most, or 256 items: comparing all of a catalogue costs about as much as a longer one.
_SHARE, _LEAST = 256, 256
_WIDER = 4
_GRAPH = ("connectivity", "expansion_add")  # what a graph is built with
# of 300,000 items, walks of 128 lose one user of 180, those of 384 one of 3,000; parts of larger graphs that no walk reaches are not mended by it
_EXPANSION = 384
_SEARCH = {"expansion_search": _EXPANSION, "threads": 0}  # what it is searched with


class ApproximateIndex(ItemIndex):
    """Walk a graph that joins each item to near ones, then sort what was met by its exact inner products.

    The graph (HNSW, of usearch) holds centred vectors in half precision and only chooses candidates. Where filters leave fewer than k of them,
    more are fetched; where that would be a long walk, as with few allowed items, or of a small catalogue, the exact index answers. So a list is never shorter
    than the exact one, and its scores are right; what may be missing is an item that the walk did not meet.

    Args:
        vectors: ``[I, D]``; kept for the exact scores, not copied, where they are float32 and contiguous.
        connectivity: Edges of an item: more find more, and take more memory.
        expansion_add: Candidates while the graph is built: more make it better and the building slower.
        expansion_search: Candidates of a search, k at least: more find more, and take longer.
        threads: Threads that build and search; 0: one for each core.

    Raises:
        ConfigError: If usearch is not installed.
        ValueError: If ``vectors`` is no matrix, or an option is out of range.
        DataError: If a vector is not finite.

    Reference:
        Malkov & Yashunin 2018, Efficient and robust approximate nearest neighbor search using HNSW graphs,
        https://arxiv.org/abs/1603.09320; for inner products, Morozov & Babenko 2018, Non-metric similarity graphs for maximum inner
        product search, https://papers.nips.cc/paper/7722.

    Example:
        >>> index = ApproximateIndex(vectors)  # doctest: +SKIP
        >>> index.search(queries, 10, seen=[[3, 5]])  # doctest: +SKIP
    """

    def __init__(
        self,
        vectors: Tensor,
        *,
        connectivity: int = 32,
        expansion_add: int = 128,
        expansion_search: int = _EXPANSION,
        threads: int = 0,
    ) -> None:
        self._prepare(vectors, connectivity, expansion_add, expansion_search, threads)
        self._centre, farthest = self._exact.vectors.spread()
        # half precision ends at 65,504
        self._scale = 1 / farthest if farthest else 1.0
        self._insert(0)

    def _prepare(self, vectors: Tensor, *options: int) -> None:
        names = (*_GRAPH, *_SEARCH)
        for name, value in zip(names, options, strict=True):
            if value < (name != "threads"):
                raise ValueError(f"{name} is {value}, {int(name != 'threads')} or more is meant")
        kind = needed_usearch()
        self._exact = ExactIndex(vectors)
        self._options = dict(zip(_GRAPH, options, strict=False))
        self._threads = options[3]
        self._graph = kind(
            ndim=self._exact.vectors.width,
            metric="ip",
            dtype="f16",
            **self._options,
            expansion_search=options[2],
        )

    def _insert(self, first: int) -> None:
        """Put the items from row ``first`` on into the graph, without what they have in common: it orders no list."""
        for start, vectors in self._exact.vectors.blocks(65_536):
            rows = np.arange(max(start, first), start + len(vectors))
            if len(rows):
                moved = (vectors[rows[0] - start :] - self._centre) * self._scale
                self._graph.add(rows, moved.cpu().numpy(), threads=self._threads)

    def __len__(self) -> int:
        """Return how many items can be found."""
        return len(self._exact)

    def add_items(self, vectors: Tensor) -> range:
        """Add items after the last, and join them to the graph: see ``ItemIndex``."""
        rows = self._exact.add_items(vectors)
        self._insert(rows.start)
        return rows

    def remove_items(self, rows: Rows) -> None:
        """Take items out of the graph: see ``ItemIndex``."""
        before = self._exact.removed
        self._exact.remove_items(rows)
        gone = self._exact.removed
        self._forget(gone[~torch.isin(gone, before)])

    def _forget(self, rows: Tensor) -> None:
        for row in rows.tolist():
            self._graph.remove(row)

    def space(
        self, queries: int, seen: Sequence[Rows] | None, allow: Rows | None, deny: Rows
    ) -> SearchSpace:
        """Return what may be found: see ``ItemIndex``."""
        return self._exact.space(queries, seen, allow, deny)

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
        queries = self._exact.checked(queries, k)
        space = self._exact.space(len(queries), seen, allow, deny)
        rows = torch.full((len(queries), k), -1, device=queries.device)
        scores = torch.full((len(queries), k), -torch.inf, device=queries.device)
        waiting, count = torch.arange(len(queries)), k + k // 8 + 16
        most = max(_LEAST, len(self) // _SHARE)
        while len(waiting) and count <= most < len(self):
            if space.size * most < count * len(self):  # so few are allowed that none may be met
                break
            met = self._met(queries[waiting], count)
            is_open = (met >= 0) & space.may_find(met, waiting)
            enough = is_open.sum(1) >= k
            done = waiting[enough]
            met = torch.where(is_open, met, 0)[enough].to(queries.device)
            if rescore is None or not len(done):
                exact = self._exact.products(queries[done], met)
            else:
                exact = rescore(done, met)
            exact = torch.where(is_open[enough].to(queries.device), exact, -torch.inf)
            best, at = ordered(exact, met)
            scores[done], rows[done] = best[:, :k], at[:, :k]
            waiting, count = waiting[~enough], count * _WIDER
        if len(waiting):
            left = None if seen is None else [seen[b] for b in waiting.tolist()]
            found = self._exact.search(
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

    def _met(self, queries: Tensor, count: int) -> Tensor:
        """Return rows ``[b, count]`` that the walks met, -1 where there were fewer."""
        vectors = (queries / queries.norm(dim=1, keepdim=True).clamp(min=1e-30)).cpu().numpy()
        found = self._graph.search(vectors, count, threads=self._threads)
        rows = torch.from_numpy(np.atleast_2d(found.keys).astype(np.int64))
        # of one query there are keys alone, as many as were met
        counts = torch.as_tensor(np.array(getattr(found, "counts", [len(found)]), np.int64))
        return torch.where(torch.arange(rows.shape[1]) < counts.unsqueeze(1), rows, -1)

    def save(self, path: str | Path) -> None:
        """Write the graph to one file, with a hash of the vectors, which are not in it.

        Raises:
            ConfigError: If the file cannot be written.
        """
        written = self._graph.save()
        whole = written if isinstance(written, bytearray) else bytearray(written)
        graph = torch.frombuffer(whole, dtype=torch.uint8)
        key, removed = self._exact.vectors.key(), self._exact.removed
        moved = self._centre.cpu(), self._scale
        StoredGraph(key, dict(self._options), *moved, removed, graph).write(Path(path))

    @classmethod
    def load(
        cls,
        path: str | Path,
        vectors: Tensor,
        *,
        expansion_search: int = _EXPANSION,
        threads: int = 0,
    ) -> Self:
        """Read what ``save`` wrote.

        Args:
            path: The file.
            vectors: ``[I, D]``, those that the graph was built of: added items included, removed ones too.
            expansion_search: Candidates of a search.
            threads: Threads that search and add; 0: one for each core.

        Raises:
            CheckpointError: If the file is absent, damaged, or of other vectors.
            ConfigError: If usearch is not installed.
        """
        return cls._of(StoredGraph.read(Path(path)), vectors, str(path), expansion_search, threads)

    @classmethod
    def _of(
        cls, stored: StoredGraph, vectors: Tensor, where: str, expansion_search: int, threads: int
    ) -> Self:
        index = cls.__new__(cls)
        index._prepare(vectors, *stored.options.values(), expansion_search, threads)
        stored.check_key(index._exact.vectors.key(), where=where)
        index._centre, index._scale = stored.centre.to(vectors.device), stored.scale
        index._graph.load(stored.graph.numpy().tobytes())
        index._graph.expansion_search = expansion_search
        index._exact.remove_items(stored.removed)
        return index

    @classmethod
    def load_or_build(cls, path: str | Path, vectors: Tensor, **options: Any) -> Self:
        """Return the index of these vectors at ``path``, built and written there if there is none, or one of others.

        Args:
            path: The file, such as ``best.index`` beside ``best.ckpt``.
            vectors: ``[I, D]``.
            options: As for the class; where ``connectivity`` or ``expansion_add`` is named, a graph of another is built anew.

        Raises:
            ConfigError: If usearch is not installed, or the file cannot be written.
        """
        needed_usearch()
        asked = {name: options[name] for name in _GRAPH if name in options}
        try:
            stored = StoredGraph.read(Path(path))
            if asked.items() <= stored.options.items():
                search = {name: options[name] for name in options if name not in _GRAPH}
                return cls._of(stored, vectors, str(path), **{**_SEARCH, **search})
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


def needed_usearch() -> Any:
    """Return the graph's class.

    Raises:
        ConfigError: If usearch is not installed.
    """
    try:
        return importlib.import_module("usearch.index").Index
    except ImportError as error:
        raise ConfigError(
            f"usearch cannot be imported ({error})",
            where="ApproximateIndex",
            rule="an approximate index needs the package usearch, which lit_rec does without otherwise",
            remedy="pip install 'lit_rec[index]', or use the exact index",
        ) from error
