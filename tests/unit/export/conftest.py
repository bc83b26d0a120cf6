"""Checkpoints of small encoders with random weights, one for each family and pooling; no Trainer, no command line."""

import functools
from dataclasses import replace

import polars as pl
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertTokenizerFast, PreTrainedTokenizerFast

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.texts.template import TextTemplate
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.items.id_item_encoder import IdItemEncoder
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.cross_encoder import CrossEncoder
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.pooling import AttentionPooling, ClsPooling, LastTokenPooling, MeanPooling
from lit_rec.models.users.user_encoder import MeanUserEncoder
from lit_rec.training.checkpoint.content import KEY, checkpoint_content
from lit_rec.training.lit_rec import LitRec

WORDS = ("red", "blue", "night", "day", "river", "city", "genres", ":", ".")
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZES |= {"intermediate_size": 16}
OPTIONS = {
    "bert": {**SIZES, "max_position_embeddings": 32, "vocab_size": 14},
    # positions of RoBERTa begin after the padding token's number
    "roberta": {**SIZES, "max_position_embeddings": 32, "vocab_size": 13, "pad_token_id": 1},
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 32, "vocab_size": 10},
}
POOLINGS = {
    "mean": MeanPooling,
    "cls": ClsPooling,
    "last": LastTokenPooling,
    "attention": functools.partial(AttentionPooling, hidden=5),
}


def _word_tokenizer(special, **named):
    vocabulary = {word: place for place, word in enumerate([*special, *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token=named.get("unk_token", special[0])))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    if "cls_token" in named:
        around = [(named[name], vocabulary[named[name]]) for name in ("cls_token", "sep_token")]
        single = f"{named['cls_token']} $A {named['sep_token']}"
        made.post_processor = processors.TemplateProcessing(single=single, special_tokens=around)
    return PreTrainedTokenizerFast(tokenizer_object=made, **named)


def _write_tokenizer(family, folder):
    if family == "bert":
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
        (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
        made = BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    elif family == "roberta":
        named = {"cls_token": "<s>", "pad_token": "<pad>", "sep_token": "</s>"}
        special = ["<s>", "<pad>", "</s>", "<unk>"]
        made = _word_tokenizer(special, **named, unk_token="<unk>", padding_side="left")
    else:  # no token around a text, and none to pad with
        made = _word_tokenizer(["<|endoftext|>"], eos_token="<|endoftext|>")
    made.save_pretrained(folder)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Make the same three users and nine items by each family's tokenizer."""

    @functools.cache
    def make(family):
        folder = tmp_path_factory.mktemp(family)
        _write_tokenizer(family, folder)
        titles = [" ".join(WORDS[:3][: 1 + place % 3] * (1 + place // 3)) for place in range(9)]
        genres = [None, "red", "blue city"] * 3
        ids = [f"i{place}" for place in range(9)]
        items = pl.DataFrame({"item_id": ids, "title": titles, "genres": genres})
        items.write_csv(folder / "items.csv")
        rows = [(user, item) for user in range(3) for item in range(9)]
        behaviors = {
            "user_id": [f"u{user}" for user, _ in rows],
            "item_id": [f"i{item}" for _, item in rows],
            "rating": [float(1 + (user + item) % 5) for user, item in rows],
            "timestamp": [float(100 * item + user) for user, item in rows],
        }
        pl.DataFrame(behaviors).write_csv(folder / "behaviors.csv")
        made = BehaviorDataModule(
            reader=TableReader(str(folder / "behaviors.csv"), str(folder / "items.csv")),
            encoder=str(folder),
            text=TextTemplate(["title", "genres"], labels={"genres": "genres: "}),
            max_tokens=12,
            cache_folder=str(folder / "cache"),
        )
        made.prepare_data()
        made.setup("fit")
        return made

    return make


def _moved(network):
    """Move every parameter far off its start, so that texts differ and no part is silent."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network


def _network(kind, family, pooling):
    backbone = functools.partial(ConfiguredBackbone, model_type=family, options=OPTIONS[family])
    parts = {"backbone": backbone, "pooling": POOLINGS[pooling]}
    item_encoder = functools.partial(ItemEncoder, **parts, width=8)

    def build(facts):
        torch.manual_seed(0)
        if kind == "cross":
            return _moved(CrossEncoder(facts, **parts, max_tokens=24))
        if kind == "texts":
            return _moved(TextClassifier(facts, item_encoder))
        of_items = IdItemEncoder if kind == "ids" else item_encoder
        return _moved(TwoTower(facts, of_items, MeanUserEncoder, DotHead))

    return build


@pytest.fixture(scope="session")
def trained(data, tmp_path_factory):
    """Return the path of a checkpoint, and its network's factory."""

    @functools.cache
    def make(family="bert", pooling="mean", kind="towers"):
        made, network = data(family), _network(kind, family, pooling)
        module = LitRec(network)
        module.facts = made.facts
        module.configure_model()
        backbone = module.built().backbone
        facts = replace(made.facts, backbone=backbone.config_plain() if backbone else None)
        path = tmp_path_factory.mktemp("run") / "best.ckpt"
        content = checkpoint_content(made, facts, {}, None)
        torch.save({"state_dict": module.state_dict(), KEY: content}, path)
        return path, network

    return make
