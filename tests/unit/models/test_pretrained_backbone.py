"""An encoder read from a folder, and folders that hold none."""

import shutil
from dataclasses import replace

import pytest
import torch
from transformers import AutoModel

from lit_rec.data.batches.batch import Texts
from lit_rec.errors import ConfigError
from lit_rec.models.text.backbone import ConfiguredBackbone, PretrainedBackbone
from lit_rec.models.text.tuning import TopLayersTuning

TEXTS = Texts(torch.tensor([5, 6, 7, 8, 9]).int(), torch.tensor([0, 0, 2, 5]))


def whole(special):
    return next(TEXTS.chunks(1000, special))


@pytest.fixture
def saved(tmp_path, facts, tiny_bert):
    folder = tmp_path / "encoder"
    backbone = ConfiguredBackbone(facts, "bert", tiny_bert).eval()
    backbone.model.save_pretrained(folder)
    return folder, backbone


def test_pretrained_encoder_has_the_weights_of_its_folder(saved, facts):
    folder, first = saved
    read = PretrainedBackbone(facts, str(folder)).eval()
    assert torch.equal(read(whole(facts.special)), first(whole(facts.special)))


def test_pretrained_encoder_begins_in_training_mode(saved, facts):
    read = PretrainedBackbone(facts, str(saved[0]))
    assert all(module.training for module in read.modules())


def test_pretrained_encoder_is_rebuilt_without_its_folder(saved, facts):
    folder, _ = saved
    read = PretrainedBackbone(facts, str(folder), TopLayersTuning(1)).eval()
    state, plain = read.state_dict(), read.config_plain()
    shutil.rmtree(folder)
    again = PretrainedBackbone(replace(facts, backbone=plain), str(folder), TopLayersTuning(1))
    again.load_state_dict(state)
    again.eval()
    assert torch.equal(again(whole(facts.special)), read(whole(facts.special)))
    assert [p.requires_grad for p in again.parameters()] == [
        p.requires_grad for p in read.parameters()
    ]


def test_half_precision_weights_are_trained_in_single_precision(saved, facts):
    folder, _ = saved
    AutoModel.from_pretrained(folder).half().save_pretrained(folder)
    read = PretrainedBackbone(facts, str(folder))
    assert {p.dtype for p in read.parameters()} == {torch.float32}
    again = PretrainedBackbone(replace(facts, backbone=read.config_plain()), "gone")
    assert {p.dtype for p in again.parameters()} == {torch.float32}


def test_missing_folder_is_named(tmp_path, facts):
    missing = tmp_path / "nowhere"
    with pytest.raises(ConfigError, match=str(missing)):
        PretrainedBackbone(facts, str(missing))


def test_folder_without_config_shows_what_it_holds(tmp_path, facts):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(
        ConfigError, match=r"has no config.json; it holds \['notes.txt'\]"
    ) as caught:
        PretrainedBackbone(facts, str(tmp_path))
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("config.json", '{"model_type": "no-such-encoder"}', "no-such-encoder"),
        ("config.json", "{", "config.json"),
        ("model.safetensors", "damaged", "Safetensor"),
    ],
)
def test_damaged_folder_is_named_with_the_reason(saved, facts, name, content, seen):
    folder, _ = saved
    (folder / name).write_text(content)
    with pytest.raises(ConfigError, match=seen) as caught:
        PretrainedBackbone(facts, str(folder))
    assert str(folder) in str(caught.value)


def test_folder_without_weights_is_named(saved, facts):
    folder, _ = saved
    (folder / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=str(folder)):
        PretrainedBackbone(facts, str(folder))


def test_longer_texts_than_a_pretrained_encoder_takes_are_refused(saved, facts):
    with pytest.raises(ConfigError, match="33 tokens") as caught:
        PretrainedBackbone(replace(facts, max_tokens=33), str(saved[0]))
    assert caught.value.where == "BehaviorDataModule.max_tokens"
