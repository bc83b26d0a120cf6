"""A tiny catalogue and networks with random weights, for the attack by threads.

It uses no Trainer, which saves the seconds of a fit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import torch
from transformers import BertTokenizerFast

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.splits import RandomSplit
from lit_rec.data.text_datamodule import ItemTextDataModule
from lit_rec.data.texts.template import TextTemplate
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.cross_encoder import CrossEncoder
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.users.user_encoder import MeanUserEncoder
from lit_rec.training.checkpoint.content import checkpoint_content
from lit_rec.training.lit_rec import LitRec

WORDS = ("red", "blue", "night", "day", "river", "city", "love", "war", "star", "home")
ITEMS, USERS, MAX_TOKENS = 100, 12, 6
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

# A module, built, and the content of its checkpoint.
Loaded = tuple[LitRec, dict[str, Any]]


def title(number: int) -> str:
    """Return a text of two to five words; some are longer than ``MAX_TOKENS``."""
    places = [number // 10**step % 10 for step in range(2 + number % 4)]
    return " ".join(WORDS[place] for place in places)


def encoder(folder: Path) -> Path:
    """Write the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join([*_SPECIAL, *WORDS]) + "\n")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def towers_and_cross_encoder(
    folder: Path, seed: int
) -> tuple[Callable[[], Loaded], Callable[[], Loaded]]:
    """Return a function that makes two towers and one that makes a cross-encoder, over the same made-up ratings.

    Each call makes the same one.
    """
    items = {
        "item_id": [f"i{item}" for item in range(ITEMS)],
        "title": [title(7 * item) for item in range(ITEMS)],
        "year": [1950 + item % 50 for item in range(ITEMS)],
    }
    pairs = [(user, item) for user in range(USERS) for item in range(user % 3, ITEMS, 3)]
    behaviors = {
        "user_id": [f"u{user}" for user, _ in pairs],
        "item_id": [f"i{item}" for _, item in pairs],
        "rating": [float(1 + (user + item) % 5) for user, item in pairs],
        "timestamp": [float(100 * item + user) for user, item in pairs],
    }
    tokenizer = encoder(folder / "encoder")
    pl.DataFrame(items).write_csv(folder / "items.csv")
    pl.DataFrame(behaviors).write_csv(folder / "behaviors.csv")
    data = BehaviorDataModule(
        reader=TableReader(str(folder / "behaviors.csv"), str(folder / "items.csv")),
        encoder=str(tokenizer),
        text=TextTemplate(["title"]),
        max_tokens=MAX_TOKENS,
        cache_folder=str(folder / "cache"),
    )
    data.prepare_data()
    data.setup("fit")
    item_encoder = functools.partial(ItemEncoder, backbone=_backbone(), width=8, ids=IdEmbedding)

    def towers(facts: Any) -> TwoTower:
        return TwoTower(facts, item_encoder, MeanUserEncoder, DotHead)

    def cross(facts: Any) -> CrossEncoder:
        return CrossEncoder(facts, _backbone(), max_tokens=24)

    return lambda: _loaded(data, towers, seed), lambda: _loaded(data, cross, seed)


def classifier(folder: Path, seed: int) -> Callable[[], Loaded]:
    """Return a function that makes a classifier of texts; each call makes the same one."""
    texts = [title(number) for number in range(60)]
    labels = [("good", "bad", "so-so")[number % 3] for number in range(60)]
    tokenizer = encoder(folder / "encoder")
    pl.DataFrame({"title": texts, "label": labels}).unique("title", maintain_order=True).write_csv(
        folder / "texts.csv"
    )
    data = ItemTextDataModule(
        LabelledTextReader(str(folder / "texts.csv")),
        encoder=str(tokenizer),
        text=TextTemplate(["title"]),
        split=RandomSplit(),
        task="label",
        max_tokens=MAX_TOKENS,
        cache_folder=str(folder / "text_cache"),
    )
    data.prepare_data()
    data.setup("fit")
    item_encoder = functools.partial(ItemEncoder, backbone=_backbone(), width=8)
    return lambda: _loaded(data, lambda facts: TextClassifier(facts, item_encoder), seed)


def _backbone() -> Any:
    options = {
        "vocab_size": len(_SPECIAL) + len(WORDS),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 32,
    }
    return functools.partial(ConfiguredBackbone, model_type="bert", options=options)


def _loaded(data: Any, network: Callable[[Any], torch.nn.Module], seed: int) -> Loaded:
    torch.manual_seed(seed)
    module = LitRec(network)  # type: ignore[arg-type]
    module.facts = data.facts
    module.configure_model()
    with torch.no_grad():  # away from the initial values, so that every part has an effect
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    facts = replace(data.facts, backbone=module.built().backbone.config_plain())  # type: ignore[union-attr]
    return module.eval(), checkpoint_content(data, facts, {}, None)
