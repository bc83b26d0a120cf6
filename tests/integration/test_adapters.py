"""Runs whose encoder has adapters: their checkpoints merged, exported, and loaded without peft."""

import sys

import pytest
import torch
from safetensors.torch import load_file

from lit_rec.inference.recommender import Recommender
from lit_rec.inference.stored.network import load_module

from .conftest import lit_rec
from .own_runs import configuration, part, write

pytestmark = pytest.mark.filterwarnings("default")
LORA = "lit_rec.models.text.adapters.peft_tuning.LoraTuning"
TEXTS = [{"title": "a night of love"}, {"title": "1984", "genres": "Drama"}]


def tuned(workplace, kind, *, callbacks=(), **options):
    """A configuration whose encoder has a way of tuning."""
    config = configuration(workplace, callbacks=callbacks, max_epochs=1)
    config["model"]["encoder_rate"] = 1e-2
    backbone = config["model"]["network"]["init_args"]["item_encoder"]["init_args"]["backbone"]
    backbone["init_args"]["tuning"] = part(kind, **options)
    return config


@pytest.fixture(scope="module")
def run(workplace, tmp_path_factory):
    """The folder of a run with LoRA."""
    folder = tmp_path_factory.mktemp("lora")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        torch.set_num_threads(1)
        lit_rec("fit", "-c", write(tuned(workplace, LORA, rank=2), folder / "config.yaml"))
    return folder / "runs/run/version_0"


def answers(path):
    """Scores of items for a known user, and for texts."""
    rec = Recommender.from_checkpoint(path)
    found = [*rec.recommend(user="405", k=40), *rec.recommend(TEXTS, 40)]
    return {str(one.item_id): one.score for one in found}


def test_a_slim_checkpoint_is_merged_and_needs_no_peft(run, tmp_path, monkeypatch, capsys):
    expected = answers(run / "best.ckpt")
    lit_rec("slim", run / "best.ckpt", "--output", tmp_path / "slim.ckpt")
    assert "kept apart" not in capsys.readouterr().out
    for name in [name for name in sys.modules if name.partition(".")[0] == "peft"]:
        monkeypatch.setitem(sys.modules, name, None)
    assert answers(tmp_path / "slim.ckpt") == pytest.approx(expected, abs=1e-5)
    module, content = load_module(tmp_path / "slim.ckpt")
    backbone = module.built().backbone
    assert type(backbone.tuning).__name__ == "FrozenTuning"
    assert not [name for name in backbone.state_dict() if "lora" in name or "base_layer" in name]
    # evaluation takes the stored vectors: they are known as the merged encoder's
    from lit_rec.vectors.fingerprint import fingerprint_of

    network = module.built()
    assert fingerprint_of(network, network.state_dict()) == content["catalogue"]["maker"]
    lit_rec("test", "--ckpt_path", tmp_path / "slim.ckpt")


def test_an_exported_encoder_is_plain(run, tmp_path, monkeypatch, capsys):
    from transformers import AutoModel

    module, _ = load_module(run / "best.ckpt")
    lit_rec("export-encoder", "--ckpt_path", run / "best.ckpt", "--output", tmp_path / "encoder")
    assert "vectors differ from the checkpoint's by" in capsys.readouterr().out
    assert not [n for n in load_file(tmp_path / "encoder/model.safetensors") if "base_layer" in n]
    monkeypatch.setitem(sys.modules, "peft", None)
    ids = torch.tensor([[2, 7, 9, 3]])
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        found = AutoModel.from_pretrained(tmp_path / "encoder").eval()(**given).last_hidden_state
        expected = module.eval().built().backbone.model(**given).last_hidden_state
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["PrefixTuning", "PromptTuning"])
def test_what_cannot_be_merged_is_read_from_its_checkpoint(workplace, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    few = {"limit_train_batches": 2, "limit_val_batches": 2}
    config = tuned(workplace, kind, tokens=3)
    config["trainer"] |= few
    lit_rec("fit", "-c", write(config, tmp_path / "config.yaml"))
    best = tmp_path / "runs/run/version_0/best.ckpt"
    lit_rec("test", "--ckpt_path", best, "--trainer.limit_test_batches=2")
    assert len(answers(best)) > 2


def test_a_run_that_ends_before_its_ranks_settle_says_so(workplace, tmp_path, capsys):
    stop = part("lightning.pytorch.callbacks.EarlyStopping", monitor="val/rmse", patience=9)
    stop["init_args"]["stopping_threshold"] = 9.0  # reached at the first validation
    config = tuned(workplace, "AdaLoraTuning", callbacks=[stop], rank=1, layers=1)
    config["trainer"]["max_epochs"] = 4
    lit_rec("fit", "-c", write(config, tmp_path / "config.yaml"))
    said = capsys.readouterr().out
    assert "the run ended at step 10, before its ranks settled at step 20: " in said
