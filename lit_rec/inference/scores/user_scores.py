"""UserScores: scores of a catalogue's items for some users, and the best items of each user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import Candidates, RecBatch, Target, Users
from lit_rec.data.facts import Facts
from lit_rec.inference.index.best_columns import ordered
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.item_index import Found, ItemIndex, Rescore
from lit_rec.inference.index.scored_search import search_by_scores
from lit_rec.inference.index.search_space import Rows
from lit_rec.models.networks.network import Network
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.row_blocks import slots_of
from lit_rec.tasks.registry import task_of

_NUMBERS = 1 << 21  # numbers of item vectors that a head gets at once


class UserScores:
    """Scores of a catalogue's items for some users; if they are inner products, an index finds the best.

    Args:
        network: Two towers, in evaluation mode.
        facts: Facts of its data.
        batch: The users; ``item_index`` of their histories holds rows for ``take``, and candidates are ignored.
        profiles: Vectors ``[M, D]`` of the users' profiles, if the network reads profiles.
        take: Returns the item vectors ``[n, D]`` of increasing rows ``[n]``.
        described: Returns what represents the catalogue's items ``[I, D']``: see ``ItemNeighbors``.
        label: The label whose probability is asked for.
    """

    def __init__(
        self,
        network: Network,
        facts: Facts,
        batch: RecBatch,
        profiles: Tensor | None,
        take: Callable[[Tensor], Tensor],
        described: Callable[[], Tensor],
        label: str | None,
    ) -> None:
        self._network, self._facts, self._label = network, facts, label
        self._described = described
        self._batch, self._profiles, self._take = batch, profiles, take
        none = batch.history.item_index[:1, :0]
        self._users = self._encoded(*self._table(slice(0, len(batch)), none))

    def best(
        self,
        index: ItemIndex,
        k: int,
        *,
        seen: Sequence[Rows] | None = None,
        allow: Rows | None = None,
        deny: Rows = (),
    ) -> Found:
        """Return the k best items of each user; ``scores`` are the sort keys.

        Args:
            index: An index of the catalogue's ``keys_of``.
            k: Number of items.
            seen: Rows that are left out, for each user.
            allow: Only these rows.
            deny: Not these rows.

        Raises:
            ValueError: If scores are not inner products, and the index is not exact.
        """
        queries = self._queries()
        if queries is not None:
            return self._by_products(index, queries, k, seen, allow, deny)
        if not isinstance(index, ExactIndex):
            raise ValueError(f"{type(index).__name__} cannot be used where every item is scored")
        users, device = len(self._batch), index.vectors.device
        space = index.space(users, seen, allow, deny)
        at_once = max(1, _NUMBERS // index.vectors.width)
        return search_by_scores(self._sorting, space, users, k, at_once=at_once, device=device)

    def _by_products(
        self,
        index: ItemIndex,
        queries: Tensor,
        k: int,
        seen: Sequence[Rows] | None,
        allow: Rows | None,
        deny: Rows,
    ) -> Found:
        """Search by inner products, and score items separately to whose scores repeats or neighbors add."""
        had, near = self._repeat_rows(), self._neighbor_rows()
        if had is None and near is None:
            return index.search(
                queries, k, seen=seen, allow=allow, deny=deny, rescore=self._sorting
            )
        users = torch.arange(len(queries))
        space, others = index.space(len(users), seen, allow, deny), []
        if had is not None:
            # repeats may also take away, so that products would find these items too early
            had = had.masked_fill(~space.may_find(had, users), -1)
            seen = [
                torch.cat([torch.as_tensor(rows, dtype=torch.int64).cpu(), mine[mine >= 0]])
                for rows, mine in zip(seen or [()] * len(had), had, strict=True)
            ]
            others.append(had)
        rescore: Rescore | None = self._sorting
        if near is not None:
            # neighbors only add: an item that they say nothing of is among the best by products, or not at all
            others.append(near.masked_fill(~space.may_find(near, users), -1))
            rescore = None
        found = index.search(queries, k, seen=seen, allow=allow, deny=deny, rescore=rescore)
        if near is None and not (others[0] >= 0).any():
            return found
        device = found.scores.device
        rows = _distinct(torch.cat([found.rows.cpu(), *others], 1)).to(device)
        step = max(_NUMBERS // max(rows.shape[1] * queries.shape[1], 1), 1)
        parts = [slice(at, min(at + step, len(rows))) for at in range(0, len(rows), step)]
        scores = torch.cat([self._sorting(part, rows[part].clamp(min=0)) for part in parts])
        scores, rows = ordered(scores.to(device).masked_fill(rows < 0, -torch.inf), rows)
        return Found(rows[:, :k], scores[:, :k])

    def _repeat_rows(self) -> Tensor | None:
        """Return the rows of each user's history ``[B, H]`` on the CPU, -1 elsewhere; None: repeats add nothing."""
        network, history = self._network, self._batch.history
        if not isinstance(network, TwoTower) or network.repeats is None:
            return None
        return _distinct(history.item_index.masked_fill(~history.mask, -1).cpu())

    def _neighbor_rows(self) -> Tensor | None:
        """Return the rows to which neighbors add ``[B, n]`` on the CPU, -1 elsewhere; None: there are no neighbors."""
        network, history = self._network, self._batch.history
        if not isinstance(network, TwoTower) or network.neighbors is None:
            return None
        distinct, place = torch.unique(history.item_index, return_inverse=True)
        of_catalogue = self._described()
        of_history = network.described_in(self._take(distinct))
        # the history's items lie behind the catalogue's, because some may not be in it
        items = len(of_catalogue)
        table = torch.cat([of_catalogue, of_history.to(of_catalogue.device)])
        said = network.neighbors.of(table, replace(history, item_index=items + place))
        step, found = max(_NUMBERS // max(items, 1), 1), []
        for start in range(0, len(place), step):
            reached = said.of_all(slice(start, start + step))[:, :items] > 0
            found += [row.nonzero()[:, 0].cpu() for row in reached]
        return nn.utils.rnn.pad_sequence(found, batch_first=True, padding_value=-1)

    @property
    def by_products(self) -> bool:
        """Whether lists are sorted by inner products of vectors."""
        return self._queries() is not None

    def sorting_and_shown(self, part: slice | Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return sort keys and shown scores of rows for some users, ``[b, c]`` each.

        The rows are ``[b, c]``, or ``[1, c]`` if all users have the same.
        """
        table, batch = self._table(part, rows)
        # if users depend on the candidate, they are encoded together with candidates
        users = self._users[part] if self._users.dim() == 2 else self._encoded(table, batch)
        scores = self._network.score(users, table, batch)
        facts, gives = self._facts, self._network.gives
        return task_of(facts).sorting_and_shown(scores, facts, gives, self._label)

    def _sorting(self, part: slice | Tensor, rows: Tensor) -> Tensor:
        return self.sorting_and_shown(part, rows)[0]

    def _queries(self) -> Tensor | None:
        """Return queries ``[B, D]``: lists are sorted by their inner products with keys. None: by other scores."""
        if not isinstance(self._network, TwoTower) or self._users.dim() != 2:
            return None
        queries = self._network.queries(self._users)
        falls = task_of(self._facts).falls_with_scores(self._label, self._facts)
        return -queries if queries is not None and falls else queries

    def _table(self, part: slice | Tensor, rows: Tensor) -> tuple[Tensor, RecBatch]:
        """Return the vectors of all items in some users' histories and ``rows``, each once, and a batch of these users.

        The batch's indices point into these vectors.
        """
        batch, history = self._batch, slots_of(self._batch.history, part)
        slots = history.item_index
        together = torch.cat([slots.flatten(), rows.flatten().to(slots.device)])
        distinct, place = torch.unique(together, return_inverse=True)
        asked = place[slots.numel() :].view(rows.shape).expand(len(slots), -1)
        given, ones = batch.users.profiles, torch.ones_like(asked, dtype=torch.bool)
        some = replace(
            batch,
            users=Users(
                batch.users.vocab_row[part],
                None if given is None else replace(given, index=given.index[part]),
            ),
            history=replace(history, item_index=place[: slots.numel()].view(slots.shape)),
            candidates=Candidates(asked, ones),
            target=Target(torch.zeros_like(asked), ~ones),
            row=batch.row[part],
            impression=batch.impression[part],
        )
        return self._take(distinct), some

    def _encoded(self, table: Tensor, batch: RecBatch) -> Tensor:
        return self._network.encode_users(table, batch, self._profiles)


def _distinct(rows: Tensor) -> Tensor:
    """Return each row once for each user ``[B, n]``, -1 in the place of the others."""
    rows = rows.sort(dim=1).values
    rows[:, 1:][rows[:, 1:] == rows[:, :-1]] = -1
    return rows


def keys_of(network: Network, vectors: Tensor) -> Tensor:
    """Return the keys of item vectors ``[I, D]`` for an index: lists are sorted by products of queries and keys."""
    return network.keys(vectors) if isinstance(network, TwoTower) else vectors
