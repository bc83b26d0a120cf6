"""Imports every class that a YAML may name without its path."""

from __future__ import annotations

import lit_rec.data.batches.negatives
import lit_rec.data.datamodule
import lit_rec.data.fields.category
import lit_rec.data.fields.number
import lit_rec.data.fields.vector
import lit_rec.data.history.histories
import lit_rec.data.history.rule
import lit_rec.data.readers.amazon
import lit_rec.data.readers.amazon_ratings
import lit_rec.data.readers.labelled_texts
import lit_rec.data.readers.mind
import lit_rec.data.readers.movielens
import lit_rec.data.readers.movielens_1m
import lit_rec.data.readers.movielens_csv
import lit_rec.data.readers.plain
import lit_rec.data.readers.recbole
import lit_rec.data.readers.recbole_sequences
import lit_rec.data.splits.new_items
import lit_rec.data.splits.new_users
import lit_rec.data.splits.splits
import lit_rec.data.text_datamodule
import lit_rec.data.texts.template
import lit_rec.models.heads.neighborhood
import lit_rec.models.heads.repeat_bias
import lit_rec.models.heads.same_time
import lit_rec.models.heads.value_heads
import lit_rec.models.heads.vector_heads
import lit_rec.models.ids
import lit_rec.models.items.id_item_encoder
import lit_rec.models.items.item_encoder
import lit_rec.models.networks.cross_encoder
import lit_rec.models.networks.slot_order
import lit_rec.models.networks.text_classifier
import lit_rec.models.networks.two_tower
import lit_rec.models.objectives.ranking
import lit_rec.models.objectives.score
import lit_rec.models.text.backbone
import lit_rec.models.text.pooling
import lit_rec.models.text.tuning
import lit_rec.models.users.candidate_attention
import lit_rec.models.users.causal_transformer
import lit_rec.models.users.ridge
import lit_rec.models.users.user_encoder
import lit_rec.training.callbacks.behavior_weights
import lit_rec.training.callbacks.early_stopping
import lit_rec.training.callbacks.finite_loss
import lit_rec.training.callbacks.order
import lit_rec.training.callbacks.run_folder
import lit_rec.training.precision
import lit_rec.training.schedules  # noqa: F401
