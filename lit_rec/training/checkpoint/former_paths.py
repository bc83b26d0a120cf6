"""Import paths of version 0.1.0, which checkpoints store and a YAML may name, and today's paths."""

from __future__ import annotations

import re
from typing import Any

_PATH = re.compile(r"lit_rec(\.\w+)+")
# module of version 0.1.0 -> module of today
MOVED = {
    "lit_rec.data.behavior_data": "lit_rec.data.datamodule",
    "lit_rec.data.histories": "lit_rec.data.history.histories",
    "lit_rec.data.item_text_data": "lit_rec.data.text_datamodule",
    "lit_rec.data.negatives": "lit_rec.data.batches.negatives",
    "lit_rec.data.new_item_split": "lit_rec.data.splits.new_items",
    "lit_rec.data.new_user_split": "lit_rec.data.splits.new_users",
    "lit_rec.data.splits": "lit_rec.data.splits.splits",
    "lit_rec.data.text_template": "lit_rec.data.texts.template",
    "lit_rec.data.where": "lit_rec.data.history.rule",
    "lit_rec.inference.list_module": "lit_rec.inference.lists.list_module",
    "lit_rec.models.backbone": "lit_rec.models.text.backbone",
    "lit_rec.models.candidate_attention": "lit_rec.models.users.candidate_attention",
    "lit_rec.models.causal_transformer": "lit_rec.models.users.causal_transformer",
    "lit_rec.models.cross_encoder": "lit_rec.models.networks.cross_encoder",
    "lit_rec.models.heads": "lit_rec.models.heads.value_heads",
    "lit_rec.models.id_item_encoder": "lit_rec.models.items.id_item_encoder",
    "lit_rec.models.item_encoder": "lit_rec.models.items.item_encoder",
    "lit_rec.models.neighborhood": "lit_rec.models.heads.neighborhood",
    "lit_rec.models.networks": "lit_rec.models.networks.two_tower",
    "lit_rec.models.objectives": "lit_rec.models.objectives.score",
    "lit_rec.models.occasions": "lit_rec.models.heads.same_time",
    "lit_rec.models.pooling": "lit_rec.models.text.pooling",
    "lit_rec.models.ranking_objectives": "lit_rec.models.objectives.ranking",
    "lit_rec.models.repeat_bias": "lit_rec.models.heads.repeat_bias",
    "lit_rec.models.ridge_user": "lit_rec.models.users.ridge",
    "lit_rec.models.session": "lit_rec.models.heads.same_time",
    "lit_rec.models.slot_order": "lit_rec.models.networks.slot_order",
    "lit_rec.models.text_classifier": "lit_rec.models.networks.text_classifier",
    "lit_rec.models.tuning": "lit_rec.models.text.tuning",
    "lit_rec.models.user_encoder": "lit_rec.models.users.user_encoder",
    "lit_rec.models.vector_heads": "lit_rec.models.heads.vector_heads",
    "lit_rec.training.callback_list": "lit_rec.training.callbacks.order",
    "lit_rec.training.early_stopping": "lit_rec.training.callbacks.early_stopping",
    "lit_rec.training.finite_loss": "lit_rec.training.callbacks.finite_loss",
    "lit_rec.training.hyperparameters": "lit_rec.training.callbacks.run_record",
    "lit_rec.training.predictions": "lit_rec.training.callbacks.score_writers",
    "lit_rec.training.report_writer": "lit_rec.training.callbacks.score_writers",
    "lit_rec.training.run_folder": "lit_rec.training.callbacks.run_folder",
    "lit_rec.training.tensorboard_views": "lit_rec.training.callbacks.tensorboard_views",
}


def current_paths(value: Any) -> Any:
    """Return a configuration, or a part of it, with former import paths of classes replaced by today's.

    Example:
        >>> current_paths({"class_path": "lit_rec.models.heads.DotHead", "init_args": {"rate": 0.1}})
        {'class_path': 'lit_rec.models.heads.value_heads.DotHead', 'init_args': {'rate': 0.1}}
        >>> current_paths(["lit_rec.models.ids.IdEmbedding", "lit_rec.models.heads.value_heads.DotHead"])
        ['lit_rec.models.ids.IdEmbedding', 'lit_rec.models.heads.value_heads.DotHead']
    """
    if type(value) is dict:
        return {name: current_paths(entry) for name, entry in value.items()}
    if type(value) is list:
        return [current_paths(entry) for entry in value]
    if type(value) is str and _PATH.fullmatch(value):
        module, _, name = value.rpartition(".")
        return f"{MOVED.get(module, module)}.{name}"
    return value
