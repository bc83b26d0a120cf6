"""Small networks with random weights and what their checkpoints would hold: no Trainer, no command line."""

import functools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from transformers import BertTokenizerFast

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.splits.splits import RandomSplit
from lit_rec.data.text_datamodule import ItemTextDataModule
from lit_rec.data.texts.template import TextTemplate
from lit_rec.inference.recommender import Recommender
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

WORDS = ("red", "blue", "night", "day", "river", "city")
DAY = 86_400.0
TINY_BERT = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 32,
}


class FadingUserEncoder(MeanUserEncoder):
    """What was done counts half as much with each day, where its age is known: a network that looks at the time."""

    def summary(self, item_vectors, batch, level, rated):
        level = level * 0.5 ** torch.nan_to_num(batch.history.age_days)
        return super().summary(item_vectors, batch, level, rated)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Six users, 18 items with a title and genres, ratings from 1 to 5, and events."""
    folder = tmp_path_factory.mktemp("made_up")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    titles = [f"{first} {second}" for first in WORDS[:3] for second in WORDS]
    items = {
        "item_id": [f"i{place}" for place in range(len(titles))],
        "title": titles,
        "genres": [WORDS[place % 4] for place in range(len(titles))],
        "year": [1980 + place for place in range(len(titles))],
    }
    pl.DataFrame(items).write_csv(folder / "items.csv")
    rows = [(user, item) for user in range(6) for item in range(user % 3, len(titles), 3)]
    behaviors = {
        "user_id": [f"u{user}" for user, _ in rows],
        "item_id": [f"i{item}" for _, item in rows],
        "rating": [float(1 + (user + item) % 5) for user, item in rows],
        "event": ["view" if item % 2 else "buy" for _, item in rows],
        "timestamp": [DAY * (100 + item) + user for user, item in rows],
    }
    pl.DataFrame(behaviors).write_csv(folder / "behaviors.csv")
    made = BehaviorDataModule(
        reader=TableReader(str(folder / "behaviors.csv"), str(folder / "items.csv")),
        encoder=str(folder),
        text=TextTemplate({"title": ["title"], "genres": ["genres"]}),
        max_tokens=8,
        cache_folder=str(folder / "cache"),
    )
    made.prepare_data()
    made.setup("fit")
    return made


@pytest.fixture(scope="session")
def texts(data, tmp_path_factory):
    """Sixteen texts of two columns with one of three labels, and no user; a fifth column says nothing of the text."""
    folder = tmp_path_factory.mktemp("texts")
    rows = [(f"{a} {b}", c) for a in WORDS[:4] for b, c in zip(WORDS[2:], WORDS, strict=False)]
    table = {
        "title": [title for title, _ in rows],
        "genres": [genre for _, genre in rows],
        "label": [("good", "bad", "so-so")[place % 3] for place in range(len(rows))],
        "rating": [float(1 + place % 5) for place in range(len(rows))],
        "note": ["n"] * len(rows),
    }
    pl.DataFrame(table).write_csv(folder / "texts.csv")

    def make(task):
        made = ItemTextDataModule(
            LabelledTextReader(str(folder / "texts.csv")),
            encoder=data.encoder,
            text=TextTemplate({"title": ["title"], "genres": ["genres"]}),
            split=RandomSplit(),
            task=task,
            max_tokens=4,
            cache_folder=str(folder / "cache"),
        )
        made.prepare_data()
        made.setup("fit")
        return made

    return {task: make(task) for task in ("label", "rating")}


def _moved(network):
    """Move every parameter off its start, so that no part is silent."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network


def _backbone():
    options = {**TINY_BERT, "vocab_size": 5 + len(WORDS)}
    return functools.partial(ConfiguredBackbone, model_type="bert", options=options)


@pytest.fixture(scope="session")
def network():
    """The factory of a network of two towers."""

    def build(facts):
        torch.manual_seed(0)
        return _moved(
            TwoTower(
                facts,
                functools.partial(ItemEncoder, backbone=_backbone(), width=8, ids=IdEmbedding),
                functools.partial(FadingUserEncoder, ids=IdEmbedding),
                DotHead,
            )
        )

    return build


def _cross_encoder(facts):
    torch.manual_seed(0)
    return _moved(CrossEncoder(facts, _backbone(), max_tokens=24, max_tokens_per_chunk=100))


def _text_classifier(facts):
    torch.manual_seed(0)
    item_encoder = functools.partial(
        ItemEncoder, backbone=_backbone(), width=8, max_tokens_per_chunk=20
    )
    return _moved(TextClassifier(facts, item_encoder))


def _checkpoint(data, network):
    module = LitRec(network)
    module.facts = data.facts
    module.configure_model()
    module.eval()
    facts = replace(data.facts, backbone=module.built().backbone.config_plain())
    return module, checkpoint_content(data, facts, {}, None)


@pytest.fixture(scope="session")
def checkpoint(data, network):
    """A module and the content of its checkpoint; the catalogue's vectors are made on loading."""
    return _checkpoint(data, network)


@pytest.fixture(scope="session")
def cross_checkpoint(data):
    """The same of a cross-encoder."""
    return _checkpoint(data, _cross_encoder)


@pytest.fixture(scope="session")
def text_checkpoints(texts):
    """The same of classifiers of texts, by task."""

    def calibrated(data, facts):
        network = _text_classifier(facts)
        network.calibrate(*data.catalogue.take(np.arange(len(data.catalogue))))
        with torch.no_grad():
            network.head.linear.bias.zero_()  # of equal labels, the text decides
        return network

    return {
        task: _checkpoint(data, functools.partial(calibrated, data)) for task, data in texts.items()
    }


@pytest.fixture
def rec(checkpoint):
    """A Recommender of its own for each test."""
    return Recommender(*checkpoint)
