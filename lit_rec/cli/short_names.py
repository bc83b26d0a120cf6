"""Imports every class that a YAML may name without its path."""

from __future__ import annotations

import importlib
import pkgutil

import lit_rec.data.batches.negatives
import lit_rec.data.datamodule
import lit_rec.data.fields.category
import lit_rec.data.fields.number
import lit_rec.data.fields.vector
import lit_rec.data.history.histories
import lit_rec.data.history.rule
import lit_rec.data.splits.few_labels
import lit_rec.data.splits.new_items
import lit_rec.data.splits.new_users
import lit_rec.data.splits.splits
import lit_rec.data.text_datamodule
import lit_rec.data.texts.template
import lit_rec.models.ids
import lit_rec.models.items.id_item_encoder
import lit_rec.models.items.item_encoder
import lit_rec.models.networks.cross_encoder
import lit_rec.models.networks.slot_order
import lit_rec.models.networks.text_classifier
import lit_rec.models.networks.two_tower
import lit_rec.models.starts.gaussian_process
import lit_rec.models.text.backbone
import lit_rec.models.text.pooling
import lit_rec.models.text.tuning
import lit_rec.training.callbacks.behavior_weights
import lit_rec.training.callbacks.early_stopping
import lit_rec.training.callbacks.finite_loss
import lit_rec.training.callbacks.order
import lit_rec.training.callbacks.refit_head
import lit_rec.training.callbacks.run_folder
import lit_rec.training.precision
import lit_rec.training.schedules  # noqa: F401

# every file of these folders: a part that is added there needs no line here
FOLDERS = (
    "lit_rec.data.augmentation",
    "lit_rec.data.readers",
    "lit_rec.models.heads",
    "lit_rec.models.objectives",
    "lit_rec.models.pretraining",
    "lit_rec.models.text.adapters",
    "lit_rec.models.users",
    "lit_rec.training.guards",
    "lit_rec.training.self_training",
)

for _folder in FOLDERS:
    for _file in pkgutil.iter_modules(importlib.import_module(_folder).__path__):
        importlib.import_module(f"{_folder}.{_file.name}")
