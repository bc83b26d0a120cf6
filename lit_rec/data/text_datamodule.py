"""ItemTextDataModule: texts with a label or a rating, and no user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from lit_rec.data.augmentation.augmentation import Augmentation
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.fields.field import Field
from lit_rec.data.history.histories import NoHistory
from lit_rec.data.readers.reader import Reader
from lit_rec.data.splits.splits import Split
from lit_rec.data.texts.template import TextTemplate


class ItemTextDataModule(BehaviorDataModule):
    """Texts, of items or of reviews, for predicting a label or a rating from the text alone.

    Each text is the only item of its row; there are no users and no histories. Otherwise it is like
    ``BehaviorDataModule``: equal texts are tokenised once, and encoded once per batch.

    Args:
        reader: Reads the texts, such as ``LabelledTextReader``.
        encoder: Folder or hub name of the encoder; its tokenizer is used.
        text: Which columns make the text.
        split: Which rows train, validate and test: ``GivenSplit`` where the reader brings parts, else ``RandomSplit``.
        task: What is predicted: the ``label`` or the ``rating``.
        labels: Names of the labels in the order wanted; of two, the second is the positive one.
        item_fields: Other columns that are numbers, categories or vectors.
        batch_size: Texts per process and training step.
        eval_batch_size: Texts per process and evaluation step.
        max_tokens: Longest text in tokens, special tokens included; the end of a longer one is cut.
        predict_part: Which rows ``predict`` labels.
        cache_folder: Where the prepared data is cached.
        num_workers: Processes that collate.
        seed: Seed of the order of rows.
        augmentation: Ways to change texts in training batches.

    Raises:
        ConfigError: If an option is wrong.
        DataError: If a table cannot be trusted.

    Example:
        >>> from lit_rec.data.readers.labelled_texts import LabelledTextReader
        >>> from lit_rec.data.splits.splits import GivenSplit
        >>> reader = LabelledTextReader("train.csv", {"label": "category"}, test_texts="test.csv")
        >>> ItemTextDataModule(reader, "folder of an encoder", TextTemplate(["text"]), GivenSplit()).task
        'label'
    """

    with_users = False

    def __init__(
        self,
        reader: Reader,
        encoder: str,
        text: TextTemplate,
        split: Split,
        task: str = "label",
        labels: Sequence[str] | None = None,
        item_fields: list[Field] | None = None,
        batch_size: int = 64,
        eval_batch_size: int = 512,
        max_tokens: int = 64,
        predict_part: Literal["train", "val", "test", "all"] = "test",
        cache_folder: str = ".lit_rec_cache",
        num_workers: int = 0,
        seed: int = 0,
        augmentation: list[Augmentation] | None = None,
    ) -> None:
        super().__init__(
            reader,
            encoder,
            text,
            split,
            NoHistory(),
            task=task,
            labels=labels,
            item_fields=item_fields,
            batch_size=batch_size,
            eval_batch_size=eval_batch_size,
            max_tokens=max_tokens,
            predict_part=predict_part,
            cache_folder=cache_folder,
            num_workers=num_workers,
            seed=seed,
            augmentation=augmentation,
        )
