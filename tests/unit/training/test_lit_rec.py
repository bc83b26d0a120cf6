"""LitRec in a Trainer, on made-up behaviors and a random encoder, without a command line."""

import functools

import lightning
import polars as pl
import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError
from lit_rec.inference.stored.network import load_module
from lit_rec.models.heads.value_heads import DotHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.models.users.user_encoder import MeanUserEncoder
from lit_rec.training.checkpoint.content import KEY
from lit_rec.training.lit_rec import LitRec

pytestmark = pytest.mark.filterwarnings("default")

WORDS = ("red", "blue", "night", "day", "river", "city")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tables and an encoder; users like what is red."""
    path = tmp_path_factory.mktemp("made_up")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (path / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    BertTokenizerFast(vocab=str(path / "vocab.txt")).save_pretrained(path)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    BertModel(
        BertConfig(vocab_size=len(vocabulary), intermediate_size=32, **sizes)
    ).save_pretrained(path)
    titles = [f"{first} {second}" for first in WORDS for second in WORDS]
    items = pl.DataFrame({"item_id": [f"i{n}" for n in range(len(titles))], "title": titles})
    items.write_csv(path / "items.csv")
    rows = [(user, item) for user in range(8) for item in range(user % 3, len(titles), 3)]
    pl.DataFrame(
        {
            "user_id": [f"u{user}" for user, _ in rows],
            "item_id": [f"i{item}" for _, item in rows],
            "rating": [5.0 if "red" in titles[item] else 1.0 for _, item in rows],
            "timestamp": [1_000_000.0 + 60 * item + user for user, item in rows],
        }
    ).write_csv(path / "behaviors.csv")
    return path


def network(folder):
    """The factory of a small network."""

    def build(facts):
        backbone = functools.partial(PretrainedBackbone, name=str(folder))
        return TwoTower(
            facts,
            item_encoder=functools.partial(ItemEncoder, backbone=backbone, width=8),
            user_encoder=MeanUserEncoder,
            head=DotHead,
        )

    return build


def data_of(folder, cache):
    return BehaviorDataModule(
        reader=TableReader(str(folder / "behaviors.csv"), str(folder / "items.csv")),
        encoder=str(folder),
        text=TextTemplate(["title"]),
        batch_size=16,
        max_tokens=8,
        cache_folder=str(cache),
    )


def trainer_of(tmp_path, **more):
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    options = {
        "accelerator": "cpu",
        "default_root_dir": tmp_path,
        "num_sanity_val_steps": 0,
        "use_distributed_sampler": False,
        "enable_checkpointing": False,
    }
    return lightning.Trainer(**quiet, **(options | more))


@pytest.fixture(scope="module")
def fitted(folder, tmp_path_factory):
    """A trainer after twenty epochs, with its module and data, and a checkpoint."""
    tmp_path = tmp_path_factory.mktemp("fitted")
    lightning.seed_everything(0, verbose=False)
    module = LitRec(network(folder), encoder_rate=1e-3, head_rate=1e-2)
    data = data_of(folder, tmp_path / "cache")
    trainer = trainer_of(tmp_path, max_epochs=20)
    trainer.fit(module, datamodule=data)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    return trainer, module, tmp_path / "last.ckpt"


def test_loss_falls_below_that_of_the_mean(fitted):
    trainer = fitted[0]
    rating = trainer.datamodule.prepared.rating
    variance = float(rating[trainer.datamodule.prepared.rows_of("train")].var())
    assert float(trainer.callback_metrics["train/loss"]) < 0.5 * variance


def test_gradients_reach_the_encoder(fitted, folder):
    _, module, _ = fitted
    before = BertModel.from_pretrained(folder).state_dict()
    after = module.built().backbone.model.state_dict()
    name = "encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(before[name], after[name])


def test_a_run_in_python_is_loaded_with_its_factory(fitted, folder):
    _, module, path = fitted
    content = torch.load(path, weights_only=True)[KEY]
    assert content["config"] is None
    assert content["history_length"] == 50
    loaded, _ = load_module(path, network(folder))
    one, two = module.built().state_dict(), loaded.built().state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_vectors_of_older_weights_are_not_saved(folder, tmp_path):
    module = LitRec(network(folder))
    trainer = trainer_of(tmp_path, max_epochs=1, limit_val_batches=0)
    trainer.fit(module, datamodule=data_of(folder, tmp_path / "cache"))
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    content = torch.load(tmp_path / "last.ckpt", weights_only=True)[KEY]
    assert content["catalogue"]["vectors"] is None


def full(*_):
    """A layer for which there is no memory."""
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has 1 GiB")


@pytest.mark.parametrize("stage", ["fit", "validate", "test", "predict"])
def test_out_of_memory_names_the_options(stage, folder, tmp_path):
    module, data = LitRec(network(folder)), data_of(folder, tmp_path / "cache")
    trainer = trainer_of(tmp_path, max_epochs=1)
    with pytest.raises(ConfigError, match=r"Tried to allocate 2\.00 GiB") as found:
        getattr(trainer, stage)(_with_encoder(module, full), datamodule=data)
    assert isinstance(found.value.__cause__, torch.OutOfMemoryError)
    assert trainer.state.status == "interrupted"
    chunk = "ItemEncoder.max_tokens_per_chunk"
    assert f"{chunk} is 8192" in str(found.value)
    assert f"lower {chunk} to 4096" in str(found.value)
    rows = (
        "BehaviorDataModule.batch_size is 16"
        if stage == "fit"
        else "BehaviorDataModule.eval_batch_size is 4096"
    )
    assert rows in str(found.value)


def _with_encoder(module, hook):
    """A module whose encoder does ``hook`` whenever it is used in the Trainer."""
    configure = module.configure_model

    def configure_model():
        new = module.network is None
        configure()
        if new:
            module.built().backbone.register_forward_hook(hook)
            # what looks at the encoder before training is not in the way
            module.built().calibrate = lambda texts, items: None

    module.configure_model = configure_model
    return module


@pytest.mark.parametrize("where", ["backward", "optimizer"])
def test_out_of_memory_elsewhere_in_a_training_step(where, folder, tmp_path):
    class FullOptimizer(torch.optim.SGD):
        def step(self, closure=None):
            closure()
            full()

    def wait_for_gradient(backbone, given, found):
        found.register_hook(full)

    if where == "optimizer":
        module = LitRec(network(folder), optimizer=functools.partial(FullOptimizer, lr=0.1))
    else:
        module = LitRec(network(folder))
        module = _with_encoder(module, wait_for_gradient)
    trainer = trainer_of(tmp_path, max_epochs=1)
    with pytest.raises(ConfigError, match="recompute is False") as found:
        trainer.fit(module, datamodule=data_of(folder, tmp_path / "cache"))
    assert "accumulate_grad_batches" in found.value.remedy


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_that_is_full(folder, tmp_path):
    def fill(backbone, given, found):
        torch.empty(2**50, device=found.device)

    module, data = LitRec(network(folder)), data_of(folder, tmp_path / "cache")
    trainer = trainer_of(tmp_path, max_epochs=1, accelerator="gpu", devices=1)
    with pytest.raises(ConfigError, match="out of memory while training") as found:
        trainer.fit(_with_encoder(module, fill), datamodule=data)
    assert isinstance(found.value.__cause__, torch.OutOfMemoryError)
    assert found.value.where.startswith("cuda")


@pytest.mark.parametrize("name", ["encoder_rate", "head_rate", "encoder_decay", "head_decay"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_rate_or_decay_is_a_finite_number_from_zero(name, value):
    with pytest.raises(ConfigError, match=f"LitRec.{name}: {value}"):
        LitRec(lambda facts: None, **{name: value})


def test_a_network_is_built_before_it_is_used():
    with pytest.raises(ValueError, match="configure_model"):
        LitRec(lambda facts: None).built()
