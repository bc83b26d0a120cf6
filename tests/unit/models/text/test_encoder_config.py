"""Folders of encoders that others bring: no code is run, nothing elsewhere is read, nothing impossible is built."""

import json
import pickle
import time

import pytest
import torch

from lit_rec.errors import ConfigError
from lit_rec.models.text.backbone import ConfiguredBackbone, PretrainedBackbone
from lit_rec.models.text.encoder_config import encoder_problem

SECONDS = 20.0


@pytest.fixture
def folder(tmp_path, facts, tiny_bert, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("it asked a question"))
    ConfiguredBackbone(facts, "bert", tiny_bert).model.save_pretrained(tmp_path / "encoder")
    return tmp_path / "encoder"


def configure(folder, **more):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | more))


def refused(folder, facts):
    start = time.perf_counter()
    with pytest.raises(ConfigError) as found:
        PretrainedBackbone(facts, str(folder))
    assert time.perf_counter() - start < SECONDS
    assert str(folder) in str(found.value)
    assert len(str(found.value).splitlines()) <= 8
    return str(found.value)


class Runs:
    """Its pickle creates a file where it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("name", ["num_attention_heads", "vocab_size", "intermediate_size"])
def test_a_size_below_zero(folder, facts, name):
    configure(folder, **{name: -1})
    assert f"holds {name}: -1" in refused(folder, facts)


def test_code_that_comes_with_an_encoder_is_not_run(folder, facts, tmp_path):
    ran = tmp_path / "ran"
    (folder / "own.py").write_text(
        f"open({str(ran)!r}, 'w')\nclass Config: pass\nclass Own: pass\n"
    )
    own = {"AutoConfig": "own.Config", "AutoModel": "own.Own"}
    configure(folder, auto_map=own, model_type="own")
    assert "auto_map" in refused(folder, facts)
    assert not ran.exists()


def test_pickled_weights_run_no_code(folder, facts, tmp_path):
    ran = tmp_path / "ran"
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Runs(ran)))
    refused(folder, facts)
    torch.save({"x": Runs(ran)}, folder / "pytorch_model.bin")
    refused(folder, facts)
    assert not ran.exists()


def test_pickled_weights_are_read(folder, facts):
    read = PretrainedBackbone(facts, str(folder))
    (folder / "model.safetensors").unlink()
    torch.save(read.model.state_dict(), folder / "pytorch_model.bin")
    again = PretrainedBackbone(facts, str(folder))
    for one, other in zip(read.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_an_adapter_of_another_encoder_is_named(folder, facts):
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "who/knows"}')
    assert "adapter_config.json" in refused(folder, facts)


def test_weights_in_another_folder_are_not_read(folder, facts):
    (folder / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": {"x": "../model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "'../model.safetensors'" in refused(folder, facts)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"hidden_size": 10**9}, "TooLargeError"),
        ({"hidden_size": 10**6, "vocab_size": 10**6}, "TooLargeError"),
        ({"vocab_size": 10**9}, "TooLargeError"),
        ({"intermediate_size": 10**9}, "TooLargeError"),
        ({"hidden_size": 10**15}, "hidden_size: 1000000000000000"),
        ({"num_hidden_layers": 10**9}, "at most 1,000 layers"),
        ({"num_labels": 10**9}, "num_labels"),
        ({"hidden_size": "wide"}, "hidden_size"),
        ({"hidden_size": -4}, "no size below 0"),
        ({"num_attention_heads": 0}, "no encoder can be read"),
        ({"quantization_config": {"quant_method": "gptq"}}, "quantization_config"),
        ({"attn_implementation": "who/kernel"}, "'who/kernel'"),
        ({"model_type": ["bert"]}, "model_type"),
        ({"model_type": "no-such"}, "no-such"),
        ({"text_config": {"auto_map": {"AutoModel": "a.B"}}}, "text_config.auto_map"),
    ],
)
def test_what_a_configuration_may_not_ask_for(folder, facts, more, said):
    configure(folder, **more)
    assert said in refused(folder, facts)


@pytest.mark.parametrize("content", [b"[1]", b"", b"\xff", b"3", b"[" * 100_000, b'{"a": 1}'])
def test_a_configuration_that_is_none(folder, facts, content):
    (folder / "config.json").write_bytes(content)
    refused(folder, facts)


def test_a_right_configuration_has_no_problem(folder):
    assert encoder_problem(json.loads((folder / "config.json").read_text())) is None
