"""Remedies of memory that runs out, of tokenizers of another encoder, and of strategies; see ``followed``."""

import re
import shutil
from functools import partial
from types import SimpleNamespace

import lightning
import polars as pl
import pytest
import torch
from lightning.pytorch.callbacks import (
    StochasticWeightAveraging,
)
from lightning.pytorch.strategies import FSDPStrategy
from torch import nn

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.facts import Facts
from lit_rec.data.history.histories import TrainingHistory
from lit_rec.data.readers.frames import FrameReader
from lit_rec.data.splits.splits import RandomSplit
from lit_rec.data.texts.template import TextTemplate
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.items.id_item_encoder import IdItemEncoder
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.cross_encoder import CrossEncoder
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.backbone import ConfiguredBackbone, PretrainedBackbone
from lit_rec.models.users.user_encoder import MeanUserEncoder
from lit_rec.training.first_look import check_vocabulary
from lit_rec.training.memory import explains_memory
from lit_rec.training.strategies.sharded_encoder import check_strategy
from lit_rec.training.strategies.sharding import shard_encoder
from tests.integration.remedies.followed import each_remedy_of, follow, refused

pytestmark = pytest.mark.filterwarnings("default")
BERT = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
BERT |= {"intermediate_size": 8}


def trainer(*callbacks, **options):
    return lightning.Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        callbacks=list(callbacks),
        **options,
    )


class Part(nn.Module):
    def __init__(self, max_tokens_per_chunk, recompute):
        super().__init__()
        self.max_tokens_per_chunk, self.recompute = max_tokens_per_chunk, recompute


class Module(nn.Module):
    """Its step needs as much memory as a formula says, and there are 600."""

    device = torch.device("cpu")

    def __init__(self, max_tokens_per_chunk=4, recompute=False, batch_size=64, longest=8):
        super().__init__()
        self.network = Part(max_tokens_per_chunk, recompute)
        self.longest = longest
        history = SimpleNamespace(max_length=longest)
        data = SimpleNamespace(batch_size=batch_size, eval_batch_size=batch_size, history=history)
        self._trainer = SimpleNamespace(datamodule=data)

    @explains_memory
    def step(self):
        rows = self._trainer.datamodule.batch_size * self.longest
        part = self.network
        if rows * part.max_tokens_per_chunk / (4 if part.recompute else 1) > 600:
            raise torch.OutOfMemoryError("CUDA out of memory. GPU 0 has a total")


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ({}, {"recompute": True}, "set Part.recompute to true, else"),
        ({"longest": 4}, {"max_tokens_per_chunk": 2}, "lower Part.max_tokens_per_chunk to 2, else"),
        (
            {},
            {"batch_size": 16},
            "lower BehaviorDataModule.batch_size and raise Trainer.accumulate",
        ),
        (
            {"batch_size": 1, "longest": 999, "max_tokens_per_chunk": 1},
            {"longest": 500},
            "lower BehaviorDataModule.max_tokens or History.max_length",
        ),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_memory_that_runs_out(wrong, right, says, training):
    def step(**options):
        Module(**options).train(training).step()

    if not training:
        says = re.sub(r"batch_size and raise.*", "batch_size", says).replace(
            ".batch", ".eval_batch"
        )
    if "recompute" in right and not training:
        return  # an evaluation stores no activations
    follow(partial(step, **wrong), partial(step, **wrong | right), says=says)
    assert "to 0" not in refused(partial(step, **wrong))[0].remedy


@pytest.fixture
def data(workplace, tmp_path):
    """A datamodule of a tokenizer with more tokens than the configured encoder has vectors for."""
    behaviors = pl.DataFrame({"user_id": list("ab") * 10, "item_id": list("xy") * 10})
    behaviors = behaviors.with_columns(rating=pl.Series([1.0, 5.0] * 10))
    items = pl.DataFrame({"item_id": ["x", "y"], "title": ["red", "home"]})
    encoder = shutil.copytree(
        workplace / "checkpoints/assets/all-MiniLM-L6-v2", tmp_path / "encoder"
    )
    return BehaviorDataModule(
        FrameReader(behaviors, items),
        str(encoder),
        TextTemplate(["title"]),
        RandomSplit(),
        TrainingHistory(),
        cache_folder=f"{tmp_path}/cache",
    )


def test_a_tokenizer_of_another_encoder(data, tmp_path):
    def checked(backbone):
        check_vocabulary(TextClassifier(data.facts, partial(ItemEncoder, backbone=backbone)), data)

    tiny = ConfiguredBackbone(data.facts, "bert", BERT)
    tiny.model.save_pretrained(tmp_path / "other")
    follow(
        partial(checked, partial(PretrainedBackbone, name=str(tmp_path / "other"))),
        partial(checked, partial(PretrainedBackbone, name=data.encoder)),
        says="name the same folder for BehaviorDataModule.encoder and the backbone",
    )
    configured = partial(ConfiguredBackbone, model_type="bert")
    broken = partial(checked, partial(configured, options=BERT))
    size = int(re.search(r"to (\d+) or more", refused(broken)[0].remedy)[1])
    right = partial(checked, partial(configured, options=BERT | {"vocab_size": size}))
    follow(broken, right, says="set vocab_size of ConfiguredBackbone.options to")


@pytest.mark.parametrize("right", ["ddp", "sharded_encoder"])
def test_weights_divided_in_another_way(right):
    def checked(strategy):
        check_strategy(SimpleNamespace(strategy=strategy, precision="32-true", callbacks=[]))

    follow(
        lambda: checked(FSDPStrategy()),
        lambda: checked(trainer(strategy=right, devices=1).strategy),
        says="take ddp where the encoder fits, else sharded_encoder",
    )


def sharded(*callbacks, strategy="sharded_encoder", **options):
    check_strategy(trainer(*callbacks, strategy=strategy, devices=1, **options))


def test_a_scaled_loss_of_a_divided_encoder():
    broken = SimpleNamespace(
        strategy=trainer(strategy="sharded_encoder", devices=1).strategy, precision="16-mixed"
    )
    right = partial(sharded, precision="bf16-mixed")
    follow(partial(check_strategy, broken), right, says="set Trainer.precision to bf16-mixed")


@pytest.mark.parametrize("way", ["leave it out", "or take ddp"])
def test_averaged_weights_of_a_divided_encoder(way):
    average = StochasticWeightAveraging(0.1)
    right = partial(sharded, average, strategy="ddp") if "ddp" in way else sharded
    follow(partial(sharded, average), right, says=way)


def backbone_with_a_scalar(facts):
    made = ConfiguredBackbone(facts, "bert", BERT)
    made.temperature = nn.Parameter(torch.tensor(1.0))
    return made


FACTS = Facts.example()
UNDIVIDED = {
    "encodes each batch": partial(
        CrossEncoder, FACTS, partial(ConfiguredBackbone, model_type="bert", options=BERT)
    ),
    "without texts": partial(TwoTower, FACTS, IdItemEncoder, MeanUserEncoder, DotHead),
    "a single number": partial(
        TwoTower,
        FACTS,
        partial(ItemEncoder, backbone=backbone_with_a_scalar),
        MeanUserEncoder,
        DotHead,
    ),
}


@pytest.mark.parametrize("case", UNDIVIDED)
def test_encoders_that_cannot_be_divided(case):
    """With ddp nothing is divided."""
    network = UNDIVIDED[case]()
    broken = partial(shard_encoder, network, None, torch.device("cpu"))
    follow(broken, partial(sharded, strategy="ddp"), says="take ddp")
    for option in re.findall(r"max_tokens_per_chunk|recompute", refused(broken)[0].remedy):
        assert any(hasattr(part, option) for part in network.modules())


test_each_remedy_was_followed = each_remedy_of(
    "training/strategies", "training/first_look.py", "training/memory.py"
)
