"""Runs of a few steps on made-up texts of three words, whose label is the first: some have labels, most have none."""

import functools
from dataclasses import replace

import lightning
import numpy as np
import polars as pl

from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.splits.few_labels import FewLabelsSplit
from lit_rec.data.splits.splits import GivenSplit
from lit_rec.data.text_datamodule import ItemTextDataModule
from lit_rec.data.texts.template import TextTemplate
from lit_rec.models.heads.value_heads import LinearHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.training.lit_rec import LitRec
from tests.unit.training.test_lit_rec import WORDS, trainer_of

LABELS = WORDS[:3]


def write_texts(path, unlabelled=lambda row: False):
    """Write 108 texts, of which every sixth validates."""
    texts = [f"{a} {b} {c}" for a in LABELS for b in WORDS for c in WORDS]
    pl.DataFrame(
        {
            "text": texts,
            "label": [None if unlabelled(n) else t.split()[0] for n, t in enumerate(texts)],
            "split": ["val" if n % 6 == 5 else "train" for n in range(len(texts))],
        }
    ).write_csv(path)
    return path


def few(folder, cache, *, texts=None, rows_per_label=4, **options):
    """The data: 12 rows train, 78 are left out; of a file with unlabelled rows, all train."""
    split = GivenSplit() if texts else FewLabelsSplit(rows_per_label)
    path = texts or write_texts(cache / "few.csv")
    return ItemTextDataModule(
        LabelledTextReader(str(path)),
        str(folder),
        TextTemplate(["text"]),
        split,
        max_tokens=8,
        cache_folder=str(cache / "cache"),
        **{"batch_size": 8, **options},
    )


def without_labels(data):
    """The same data, with other labels for the rows that are left out."""
    left_out = data.prepared.part == 3
    label = np.where(left_out, (data.prepared.label + 1) % 3, data.prepared.label)
    assert (label != data.prepared.label).sum() == left_out.sum() > 50
    data.prepared = replace(data.prepared, label=label.astype(np.int32))
    return data


def module_of(folder, *, dropout=0.1, tuning=None, head=None, **options):
    """A LitRec with a small network."""

    def build(facts):
        backbone = functools.partial(
            PretrainedBackbone, name=str(folder), dropout=dropout, tuning=tuning
        )
        items = functools.partial(ItemEncoder, backbone=backbone, width=8)
        return TextClassifier(facts, items, functools.partial(LinearHead, **(head or {})))

    return LitRec(build, **{"encoder_rate": 1e-3, "head_rate": 1e-2, **options})


def run(folder, data, *guards, steps=6, ckpt_path=None, trainer=None, **options):
    """Run some steps, and return the module and its Trainer."""
    lightning.seed_everything(0, verbose=False)
    module = module_of(folder, **options)
    more = {"max_steps": steps, "limit_val_batches": 0} | (trainer or {})
    made = trainer_of(data.cache_folder.parent, callbacks=list(guards), **more)
    made.fit(module, datamodule=data, ckpt_path=ckpt_path)
    return module, made
