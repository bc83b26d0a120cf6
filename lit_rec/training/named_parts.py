"""Every part that a YAML may name without its path: importing this module is enough."""

from __future__ import annotations

import lit_rec.data.fields.category
import lit_rec.data.fields.number
import lit_rec.data.fields.vector
import lit_rec.data.item_text_data
import lit_rec.data.negatives
import lit_rec.data.new_item_split
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
import lit_rec.data.splits
import lit_rec.models.candidate_attention
import lit_rec.models.causal_transformer
import lit_rec.models.cross_encoder
import lit_rec.models.heads
import lit_rec.models.id_item_encoder
import lit_rec.models.item_encoder
import lit_rec.models.networks
import lit_rec.models.objectives
import lit_rec.models.occasions
import lit_rec.models.pooling
import lit_rec.models.ranking_objectives
import lit_rec.models.ridge_user
import lit_rec.models.session
import lit_rec.models.text_classifier
import lit_rec.models.user_encoder
import lit_rec.models.vector_heads
import lit_rec.training.run_folder
import lit_rec.training.schedules  # noqa: F401
