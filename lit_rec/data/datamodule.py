"""BehaviorDataModule: user behavior and item text, from files to batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import lightning
import numpy as np
import polars as pl
from torch.utils.data import DataLoader

from lit_rec.data.arrays import Int64s
from lit_rec.data.augmentation.augmentation import Augmentation
from lit_rec.data.augmentation.checked_parts import checked_parts
from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.batches.catalogue import Catalogue
from lit_rec.data.batches.collator import BatchRows, RowCollator
from lit_rec.data.batches.collators import TaskCollators
from lit_rec.data.batches.loader import RowBatches, RowGroups, RowLoader
from lit_rec.data.batches.plan import BatchPlan
from lit_rec.data.batches.training_variants import training_variants
from lit_rec.data.batches.variants import VariantCollator, Variants
from lit_rec.data.facts import Facts
from lit_rec.data.fields.field import Field
from lit_rec.data.fields.table_fields import encode_fields
from lit_rec.data.history.histories import PastHistory
from lit_rec.data.history.rule import History
from lit_rec.data.prepare import TablesWriter
from lit_rec.data.prepared import Prepared
from lit_rec.data.readers.reader import Reader
from lit_rec.data.splits.splits import Split, TimeSplit
from lit_rec.data.tables.cleaning import CleaningRecord
from lit_rec.data.targets.registry import target_rule
from lit_rec.data.targets.unlabelled import reads_unlabelled, unlabelled_rows
from lit_rec.data.texts.template import TextTemplate
from lit_rec.data.texts.token_cache import no_tokens, open_tokens, token_folder
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.data.training_facts import target_of_rows, training_facts, vocabulary_rows
from lit_rec.errors import ConfigError, option_of
from lit_rec.files.open_files import allow_open_files


class BehaviorDataModule(lightning.LightningDataModule):
    """Behaviors and items for predicting ratings, labels such as clicks, or what comes next.

    Tables are read, cleaned, split and cached once, under a hash of files and options; texts are tokenised once. A
    network is built from ``facts``.

    Args:
        reader: Reads the tables.
        encoder: Folder or hub name of the encoder; its tokenizer is used.
        text: Which columns make an item's texts.
        split: Which rows train, validate and test.
        history: Which earlier behaviors a row sees.
        task: What is predicted: the ``rating`` or the ``label`` of a behavior, or the ``next_item``, of behaviors that
            ``history.where`` counts.
        target_events: Events whose item is predicted, such as purchases, where the next item is; the other behaviors
            that count, such as views, are only in histories. By default all that count are predicted.
        labels: Names of the labels in the order wanted; of two, the second is the positive one. By default sorted,
            numbers by value.
        item_fields: Columns of the items that are numbers, categories or vectors.
        user_text: Which columns of the users make the texts of their profiles.
        user_fields: Columns of the users that are numbers, categories or vectors.
        batch_size: Rows per process and training step.
        eval_batch_size: Rows per process and evaluation step.
        max_tokens: Longest text in tokens, special tokens included; the end of a longer one is cut.
        unknown_items: What happens to a behavior whose item is not in the items table.
        duplicates: What happens to a repeated (user, item, timestamp).
        predict_part: Which rows ``predict`` scores, where it makes no lists.
        cache_folder: Where prepared data is cached, and vectors of items that an evaluation encoded.
        num_workers: Processes that collate.
        seed: Seed of the order of rows and of the histories drawn.
        augmentation: Ways to change items' texts, and histories, in training batches.

    Raises:
        ConfigError: If an option is wrong.
        DataError: If a table cannot be trusted.

    Example:
        >>> from lit_rec.data.readers.plain import TableReader
        >>> reader = TableReader("sales.csv", "items.csv")
        >>> BehaviorDataModule(reader, "folder of an encoder", TextTemplate(["title"])).history.max_length
        50
    """

    def __init__(
        self,
        reader: Reader,
        encoder: str,
        text: TextTemplate,
        split: Split | None = None,
        history: History | None = None,
        task: str = "rating",
        target_events: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        item_fields: list[Field] | None = None,
        user_text: TextTemplate | None = None,
        user_fields: list[Field] | None = None,
        batch_size: int = 512,
        eval_batch_size: int = 4096,
        max_tokens: int = 64,
        unknown_items: Literal["error", "drop"] = "error",
        duplicates: Literal["keep", "first", "last"] = "keep",
        predict_part: Literal["train", "val", "test", "all"] = "test",
        cache_folder: str = ".lit_rec_cache",
        num_workers: int = 0,
        seed: int = 0,
        augmentation: list[Augmentation] | None = None,
    ) -> None:
        super().__init__()
        for name, value, least, start in (
            ("batch_size", batch_size, 1, 512),
            ("eval_batch_size", eval_batch_size, 1, 512),
            ("num_workers", num_workers, 0, 0),
            ("seed", seed, 0, 0),
        ):
            if value < least:
                raise ConfigError(
                    f"{value} is too small",
                    where=option_of(self, name),
                    rule=f"{least} or more",
                    remedy=f"{start} is a start",
                )
        allow_open_files(num_workers)
        self.reader, self.encoder, self.text = reader, encoder, text
        self.split, self.task, self._rule = split or TimeSplit(), task, target_rule(task)
        self.target_events = self._checked_events(target_events)
        self.history = (history or PastHistory()).predicting(self.target_events)
        self.labels, self.user_text = labels, user_text
        self.item_fields, self.user_fields = item_fields or [], user_fields or []
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.max_tokens, self.unknown_items, self.duplicates = max_tokens, unknown_items, duplicates
        self.predict_part: Literal["train", "val", "test", "all"] = predict_part
        self.cache_folder, self.num_workers, self.seed = Path(cache_folder), num_workers, seed
        self.augmentation = augmentation or []
        self._text_parts, self._history_parts = checked_parts(self.augmentation, self.history)
        self._plan = BatchPlan()
        self._restored_facts: Facts | None = None
        self._restored_tokenizer: TokenizerFiles | None = None

    with_users = True  # whether rows have users who may occur again

    def restore(self, facts: Facts, tokenizer: TokenizerFiles) -> None:
        """Use the vocabularies and the tokenizer of a checkpoint instead of those of the current files.

        Args:
            facts: Facts of the checkpoint.
            tokenizer: Its tokenizer.
        """
        self._restored_facts, self._restored_tokenizer = facts, tokenizer

    def follow(self, plan: BatchPlan) -> None:
        """Make later loaders put into batches what a network needs; ``LitRec`` calls this."""
        self._plan = plan

    @cached_property
    def tokenizer_files(self) -> TokenizerFiles:
        """The tokenizer: from the checkpoint, else from ``encoder``."""
        return self._restored_tokenizer or TokenizerFiles.load(
            self.encoder, option=option_of(self, "encoder")
        )

    def prepare_data(self) -> None:
        """Read, clean, split and tokenise, as far as it is not cached."""
        prepared = Prepared.open(self._tables_folder())
        for texts in (prepared.texts, prepared.profiles.texts):
            if texts.width:
                self._tokens_folder(texts)
        if self.trainer is None or self.trainer.state.fn == "fit":
            _ = self.variants

    def setup(self, stage: str) -> None:
        """Open what ``prepare_data`` wrote, the same on every process, even if a file has changed since."""
        if self.trainer is not None:
            first = self.trainer.is_global_zero
            self.tables_key = self.trainer.strategy.broadcast(self.tables_key if first else "")
        _ = self.prepared, self.catalogue, self.profiles, self.variants if stage == "fit" else None

    @cached_property
    def prepared(self) -> Prepared:
        """The behaviors, memory-mapped."""
        return Prepared.open(self._tables_folder())

    @property
    def cleaning(self) -> CleaningRecord:
        """What was dropped from the tables when they were read."""
        return CleaningRecord.read(self._tables_folder())

    @cached_property
    def catalogue(self) -> Catalogue:
        """The items' texts as tokens, and their fields."""
        prepared, facts = self.prepared, self.facts
        folder = self._tokens_folder(prepared.texts)
        tokens = open_tokens(folder, self._fields())
        fields = encode_fields(
            facts.item_fields, prepared.items, option_of(self, "item_fields"), prepared.vectors
        )
        vocab = vocabulary_rows(facts.item_ids, prepared.items["item_id"].to_list())
        return Catalogue(*tokens, vocab, fields, folder.name)

    @cached_property
    def profiles(self) -> Catalogue | None:
        """The users' profiles, in the order of their codes; None where there are no profiles."""
        facts, users = self.facts, self.prepared.profiles
        if not facts.has_profiles:
            return None
        tokens = no_tokens(len(users.table))
        if facts.profile_texts:
            tokens = open_tokens(self._tokens_folder(users.texts), list(facts.profile_texts))
        fields = encode_fields(
            facts.user_fields, users.table, option_of(self, "user_fields"), users.vectors
        )
        vocab = vocabulary_rows(facts.user_ids, self.prepared.user_ids)
        return Catalogue(*tokens, vocab, fields)

    @cached_property
    def variants(self) -> Variants | None:
        """Variants of the training items' texts, for training batches alone; None where there are none."""
        made_by, data = (self._text_parts, self.seed), (self.prepared, self.tokenizer_files)
        places = self.max_tokens, self.cache_folder
        more = self.unlabelled_rows() if reads_unlabelled(self.trainer) else None
        return training_variants(*made_by, *data, *places, bar=self._has_bar(), more=more)

    @cached_property
    def facts(self) -> Facts:
        """What a network is built from: facts of training rows only, or those of the checkpoint where one is used."""
        if self._restored_facts is not None:
            return self._restored_facts
        return training_facts(
            self.prepared,
            self.task,
            fields=tuple(self.text.fields),
            max_tokens=self.max_tokens,
            special=self.tokenizer_files.special_tokens(),
            labels=self.labels,
            with_users=self.with_users,
            item_fields=self.item_fields,
            profile_texts=tuple(self.user_text.fields) if self.user_text else (),
            user_fields=self.user_fields,
            history_labels=self._rule.has_labels and self.history.tells_labels(self.prepared),
            where=self.history.where,
            target_events=self.target_events,
        )

    def predicted_rows(self, part: str) -> Int64s:
        """Return the rows of a part, without those that ``target_events`` leaves to histories.

        Args:
            part: ``train``, ``val``, ``test``, ``shown`` or ``all``.
        """
        rows = self.prepared.rows_of(part)
        if self.target_events is None:
            return rows
        return rows[self.history.targets.mask(self.prepared)[rows]]

    def unlabelled_rows(self) -> Int64s:
        """Return training rows without a label and, where there are no users, rows that the split leaves out."""
        return unlabelled_rows(self.prepared, with_users=self.with_users)

    def train_dataloader(self) -> RowLoader:
        """Training rows in a new order each epoch."""
        return self._loader("train", self.batch_size, self.seed)

    def val_dataloader(self) -> RowLoader:
        """Validation rows."""
        return self._loader("val", self.eval_batch_size, None)

    def test_dataloader(self) -> RowLoader:
        """Test rows."""
        return self._loader("test", self.eval_batch_size, None)

    def predict_dataloader(self) -> DataLoader[Any]:
        """Rows of ``predict_part``, or blocks of users where lists are made."""
        if self._plan.user_blocks is None:
            return self._loader(self.predict_part, self.eval_batch_size, None)
        users = self._collators().users(self._plan.user_blocks(), *self._process())
        return users.loader(self.num_workers)

    def collator(self, *, with_texts: bool) -> RowCollator:
        """Return what turns rows into batches, for use without a loader."""
        return self._collators().rows(with_texts=with_texts)

    def _collators(self) -> TaskCollators:
        known = self.prepared, self.facts, self.history, self.catalogue, self.profiles
        plan = self._plan
        return TaskCollators(*known, plan.negatives, self._history_parts, plan.nearest)

    def _loader(self, part: str, batch_size: int, seed: int | None) -> RowLoader:
        training, collators = seed is not None, self._collators()
        collator: Callable[[BatchRows], RecBatch]
        if training and self._plan.in_sequences:
            collator, rows = collators.sequences()
        else:
            collator = collators.rows(with_texts=training or not self._plan.table_at_evaluation)
            rows = self.predicted_rows(part)
        if training and reads_unlabelled(self.trainer):  # they join the batches of the others
            rows = rows[self.prepared.label[rows] >= 0]
        if training and self.variants is not None:
            collator = VariantCollator(collator, self.variants)
        rank, processes = self._process()
        sampler = RowBatches(
            rows,
            batch_size,
            seed=seed,
            rank=rank,
            processes=processes,
            groups=self._groups(rows) if training else None,
        )
        return RowLoader.of(collator, sampler, self.num_workers)

    def _groups(self, rows: Int64s) -> RowGroups | None:
        size = self._plan.rows_per_label
        if size == 1:
            return None
        label = target_of_rows(self.prepared, self.facts)[rows]
        return RowGroups(label.astype(np.int64), size)

    def _process(self) -> tuple[int, int]:
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def _fields(self) -> list[str]:
        """Return the text fields in the order that the network knows: the order in a YAML does not count."""
        fields = list(self.facts.fields)
        if set(fields) != set(self.text.fields):
            wanted = ", ".join(f"{name!r}: [COLUMN]" for name in fields)
            raise ConfigError(
                f"its fields are {', '.join(self.text.fields)}",
                where=f"{option_of(self, 'text')}.columns",
                rule=f"the fields that the model was trained with: {', '.join(fields)}",
                remedy=f"name the columns of each field: {{{wanted}}}",
            )
        return fields

    def _checked_events(self, events: Sequence[str] | None) -> Sequence[str] | None:
        if events is not None and not (self._rule.follows and events):
            raise ConfigError(
                f"{list(events)}, with task {self.task}" if events else "no event is named",
                where=option_of(self, "target_events"),
                rule="names of events, with task next_item",
                remedy=f"leave it out, or set {option_of(self, 'task')} to next_item"
                if events
                else "name one, such as purchase, or leave it out",
            )
        return events

    @cached_property
    def _tables(self) -> TablesWriter:
        cleaning, users = (self.unknown_items, self.duplicates), (self.user_text, self.user_fields)
        tables = self.reader, self.split, self.text
        return TablesWriter(*tables, *cleaning, self.item_fields, *users, self.target_events)

    @cached_property
    def tables_key(self) -> str:
        """A hash of the files and of all options that change the prepared data."""
        return self._tables.key

    def _tables_folder(self) -> Path:
        return self._tables.folder(self.cache_folder, self.tables_key)

    def _tokens_folder(self, texts: pl.DataFrame) -> Path:
        files, bar = self.tokenizer_files, self._has_bar()
        return token_folder(texts, files, self.max_tokens, self.cache_folder, bar=bar)

    def _has_bar(self) -> bool:
        return self.trainer is None or self.trainer.progress_bar_callback is not None
