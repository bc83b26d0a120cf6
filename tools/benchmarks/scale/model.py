"""The data module and networks of tools/benchmark scale: random encoders, so that there is nothing to download."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.texts.template import TextTemplate
from lit_rec.models.heads.value_heads import RegressionHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.users.user_encoder import UserEncoder
from lit_rec.training.lit_rec import LitRec

_SMALL = {
    "vocab_size": 5_005,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 32,
}
_MINILM = {
    "vocab_size": 30_522,
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1_536,
    "max_position_embeddings": 512,
}
_ENCODERS: dict[str, dict[str, Any]] = {"small": _SMALL, "minilm": _MINILM}
_WIDTHS = {"small": 32, "minilm": 64}


def made_up_data(folder: Path, ending: str, batch_size: int) -> BehaviorDataModule:
    """Return the data module of a folder that ``write_tables`` filled."""
    return BehaviorDataModule(
        TableReader(str(folder / f"behaviors.{ending}"), str(folder / f"items.{ending}")),
        encoder=str(folder / "tokenizer"),
        text=TextTemplate(["title"]),
        batch_size=batch_size,
        max_tokens=16,
        cache_folder=str(folder / "cache"),
    )


def two_tower(encoder: str, user_encoder: type[UserEncoder]) -> LitRec:
    """Return a two-tower model whose chunks are computed again in the backward pass.

    Args:
        encoder: ``small``, two layers of width 32, or ``minilm``, of the size of all-MiniLM-L6-v2.
        user_encoder: Class that sums the behaviors.
    """
    backbone = partial(ConfiguredBackbone, model_type="bert", options=_ENCODERS[encoder])
    item_encoder = partial(
        ItemEncoder,
        backbone=backbone,
        width=_WIDTHS[encoder],
        max_tokens_per_chunk=2_048,
        recompute=True,
    )
    network = partial(
        TwoTower, item_encoder=item_encoder, user_encoder=user_encoder, head=RegressionHead
    )
    return LitRec(network)
