"""ListModule: a LitRec whose ``predict`` makes lists of items for blocks of users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.batches.plan import BatchPlan, Blocks
from lit_rec.data.batches.user_collator import UserBlock
from lit_rec.errors import ConfigError
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.scores.user_scores import UserScores, keys_of
from lit_rec.inference.stored.network import kind_of
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.memory import explains_memory

_SHOWN_AT_ONCE = 1 << 16  # items that are scored at once: limits the memory alone


@dataclass(frozen=True)
class ListOptions:
    """Options of lists, as in ``Recommender.recommend``.

    Args:
        k: Largest number of items in a list.
        exclude_seen: Whether items that the user has seen are left out.
        label: Label by whose probability the list is sorted, for a model of labels; for two labels the positive one
            is the default.
        columns: Columns of the items table that each row of the result has too, such as ``("title",)``.

    Raises:
        ConfigError: If ``k`` is below 1.

    Example:
        >>> ListOptions(k=5, label="click").exclude_seen
        True
    """

    k: int = 10
    exclude_seen: bool = True
    label: str | None = None
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check k."""
        if self.k < 1:
            raise ConfigError(
                f"{self.k} is too small", where="k", rule="1 or more", remedy="ask for 10"
            )


@dataclass(frozen=True)
class Lists:
    """The lists of a block of users, best first.

    Shape:
        rows: ``[B, k]`` int64 of the catalogue, -1 if fewer than k items were left. scores: ``[B, k]`` float32,
            the shown scores.
    """

    rows: Tensor
    scores: Tensor


class ListModule(LitRec):
    """A LitRec whose ``predict`` makes lists: if ``lists`` is set, it takes a ``UserBlock`` and returns ``Lists``.

    The lists equal those of a ``Recommender`` of the same checkpoint. ``ListWriter`` asks for them and writes them.

    Example:
        ``lit-rec predict --ckpt_path checkpoints/quickstart/version_0/best.ckpt --k 10`` makes lists with it; from
        Python:

        >>> module, options = ListModule(network), ListOptions(k=10)  # doctest: +SKIP
        >>> trainer = lightning.Trainer(callbacks=[ListWriter(options)])  # doctest: +SKIP
        >>> trainer.predict(module, data, ckpt_path="best.ckpt")  # doctest: +SKIP
    """

    lists: ListOptions | None = None
    _blocks: Blocks | None = None
    _index: ExactIndex | None = None

    def configure_model(self) -> None:
        """Build the network.

        Raises:
            ConfigError: If lists are asked for, but the network has no table of item vectors.
        """
        super().configure_model()
        network = self.built()
        if self.lists is not None and kind_of(network) != "two towers":
            raise ConfigError(
                f"a {type(network).__name__} has no table of item vectors to choose from",
                where="lists of items (--k)",
                rule="lists are made by two towers",
                remedy="leave --k out to have a score of each row",
            )

    def make_lists(self, options: ListOptions | None, blocks: Blocks | None) -> None:
        """Make ``predict`` return lists; with None it scores rows.

        Args:
            options: Options of the lists.
            blocks: Returns the blocks of users that are not done yet.
        """
        self.lists, self._blocks = options, blocks

    def batch_plan(self) -> BatchPlan:
        """Return a plan with blocks of users in place of rows, if lists are made."""
        return replace(super().batch_plan(), user_blocks=self._blocks)

    def on_predict_epoch_start(self) -> None:
        """Encode the catalogue, and build its index if lists are made."""
        self._renew_tables()
        if self.lists is not None and self._tables is not None:
            self._index = ExactIndex(keys_of(self.built(), self._tables.items))

    @explains_memory
    def predict_step(self, batch: Any, batch_idx: int) -> Any:
        """Return the ``Lists`` of a block of users; without ``lists``, the predictions of LitRec."""
        if self.lists is None:
            return super().predict_step(batch, batch_idx)
        return self._lists_of(batch, self.lists)

    def _lists_of(self, block: UserBlock, asked: ListOptions) -> Lists:
        tables, index = self._tables, self._index
        if tables is None or index is None:
            raise ValueError("lists are made after on_predict_epoch_start")
        k = min(asked.k, len(index))
        if not len(block):
            none = torch.empty(0, k)
            return Lists(none.long(), none)
        batch, (_, profiles) = _by_rows(block.batch), tables.look_up(block.batch)
        network, facts = self.built(), self._known()
        take: Callable[[Tensor], Tensor] = tables.items.__getitem__

        def described() -> Tensor:
            return network.described_in(tables.items)

        users = UserScores(network, facts, batch, profiles, take, described, asked.label)
        seen = torch.split(block.seen, block.seen_count.tolist()) if asked.exclude_seen else None
        found = users.best(index, k, seen=seen)
        step = max(1, _SHOWN_AT_ONCE // k)
        parts = [slice(at, min(at + step, len(block))) for at in range(0, len(block), step)]
        shown = [users.sorting_and_shown(part, found.rows[part].clamp(min=0))[1] for part in parts]
        return Lists(found.rows, torch.cat(shown))


def _by_rows(batch: RecBatch) -> RecBatch:
    """Return the batch with rows of the catalogue as items of histories."""
    history = batch.history
    # if no user has a history, there is no item that padding could point at
    known = batch.items.catalogue_row[history.item_index[history.mask]]
    rows = torch.zeros_like(history.item_index).masked_scatter(history.mask, known)
    return replace(batch, history=replace(history, item_index=rows))
