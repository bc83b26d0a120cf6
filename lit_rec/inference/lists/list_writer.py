"""ListWriter: write recommendations.parquet, the best items of every user, in the data's order of users."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import polars as pl
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import rank_zero_info

from lit_rec.data.batches.user_collator import UserBlock
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.prepared import Prepared
from lit_rec.data.tables.column_values import shown_columns
from lit_rec.errors import ConfigError
from lit_rec.files.cache import hash_of, options_of
from lit_rec.inference.lists.list_module import ListModule, ListOptions, Lists
from lit_rec.inference.lists.parts import ListParts
from lit_rec.training.callbacks.run_folder import run_folder
from lit_rec.vectors.fingerprint import weights_hash

_FORMAT = 1  # raise when the content of blocks changes


class ListWriter(Callback):
    """Make ``predict`` of a ``ListModule`` return lists, and write them from one or several processes.

    The columns are user_id, rank, item_id and score, and those of the items table that are asked for. Users are divided
    into blocks of ``data.eval_batch_size``, for any number of processes. Finished blocks are stored in a folder next to
    the result until all are done, so that a killed run resumes where it stopped.

    Args:
        options: Options of the lists.

    Example:
        ``lit-rec predict --ckpt_path checkpoints/quickstart/version_0/best.ckpt --k 10`` writes
        recommendations.parquet next to best.ckpt.

        >>> pl.read_parquet("checkpoints/quickstart/version_0/recommendations.parquet").columns  # doctest: +SKIP
        ['user_id', 'rank', 'item_id', 'score']
    """

    def __init__(self, options: ListOptions) -> None:
        self._options = options
        self._claimed: ListParts | None = None

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Make the data yield blocks of users, and the module make their lists.

        Raises:
            ConfigError: If the data has no users.
        """
        if stage != "predict":
            return
        data = trainer.datamodule  # type: ignore[attr-defined]
        if not isinstance(data, BehaviorDataModule) or not data.with_users:
            raise ConfigError(
                f"{type(data).__name__} has no users to make lists for",
                where="lists of items (--k)",
                rule="a list for each user of a BehaviorDataModule",
                remedy="leave --k out to have a score of each row",
            )
        pl_module.make_lists(self._options, partial(self._waiting, trainer, pl_module, data))
        # lists are written to files, and would fill the memory
        trainer.predict_loop.return_predictions = False

    def teardown(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Restore data and module, and release the result."""
        if stage == "predict":
            pl_module.make_lists(None, None)
            if pl_module.network is not None:
                trainer.datamodule.follow(pl_module.batch_plan())  # type: ignore[attr-defined]
            self._release()

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: Any, exception: BaseException
    ) -> None:
        """Release the result, so that other commands can write it."""
        self._release()

    def _release(self) -> None:
        if self._claimed is not None:
            self._claimed.release()

    def on_predict_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: Any,
        outputs: Lists,
        batch: UserBlock,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Write a block."""
        if batch.number >= 0:
            prepared = trainer.datamodule.prepared  # type: ignore[attr-defined]
            self._parts.write(batch.number, _frame(prepared, batch.users, outputs, self._options))

    def on_predict_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        """When all processes are done, join the blocks on the first."""
        trainer.strategy.barrier("lists are made")
        if not trainer.is_global_zero:
            return
        done = len(self._parts.found())
        if done < len(self._blocks):  # an option of the Trainer stopped it early
            rank_zero_info(
                f"{done:,} of {len(self._blocks):,} blocks of users are done; run the same command again for the rest"
            )
            return
        rows = self._parts.join(len(self._blocks))
        users = len(trainer.datamodule.prepared.user_ids)  # type: ignore[attr-defined]
        rank_zero_info(f"{rows:,} recommendations to {users:,} users: {self._result}")

    def _waiting(
        self, trainer: lightning.Trainer, module: ListModule, data: BehaviorDataModule
    ) -> list[tuple[int, range]]:
        """Return the blocks that are not done, after the module has loaded its weights; every process calls this."""
        size, users = data.eval_batch_size, len(data.prepared.user_ids)
        starts = range(0, users, size)
        self._blocks = [range(at, min(at + size, users)) for at in starts]
        self._result = Path(run_folder(trainer), "recommendations.parquet")
        self._parts = self._claimed = ListParts(self._result, _key(module, data, self._options))
        found = _found(self._parts) if trainer.is_global_zero else set()
        # processes that looked separately could find different blocks
        found = trainer.strategy.broadcast(found)
        if isinstance(found, ConfigError):  # all stop: otherwise the others would wait forever
            raise found
        rank_zero_info(f"{len(found):,} of {len(self._blocks):,} blocks of users were found done")
        return [block for block in enumerate(self._blocks) if block[0] not in found]


def _found(parts: ListParts) -> set[int] | ConfigError:
    """Claim the result for this command, and return the blocks that are done, or the error if another has it."""
    try:
        parts.claim()
    except ConfigError as error:
        return error
    return parts.found()


def _key(module: ListModule, data: BehaviorDataModule, options: ListOptions) -> str:
    """Return the fingerprint of the lists; every process calls this."""
    return hash_of(
        {
            "format": _FORMAT,
            "options": vars(options),
            "weights": weights_hash(module.state_dict()),
            "network": (module.run_config or {}).get("model"),
            "facts": {**data.facts.to_plain(), "backbone": None},
            "data": [data.tables_key, data.catalogue.name, options_of(data.history)],
            "users": data.eval_batch_size,
        }
    )


def _frame(prepared: Prepared, users: range, lists: Lists, options: ListOptions) -> pl.DataFrame:
    """Return a row for each item of each list."""
    rows, scores = lists.rows.cpu().numpy(), lists.scores.cpu().numpy()
    user, place = np.nonzero(rows >= 0)
    ids = pl.Series("user_id", prepared.user_ids[users.start : users.stop], dtype=pl.String)
    items = prepared.items[rows[user, place]]
    shown = {
        name: pl.Series(values, dtype=pl.String)
        for name, values in shown_columns(items, options.columns).items()
    }
    return pl.DataFrame(
        {
            "user_id": ids.gather(user),
            "rank": place + 1,
            "item_id": items["item_id"],
            "score": scores[user, place],
            **shown,
        }
    )
