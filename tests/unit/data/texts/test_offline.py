"""Without a network, the error about a name of the hub says so, and what to pass."""

import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import AutoTokenizer

from lit_rec.data.facts import Facts
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.errors import ConfigError
from lit_rec.models.text.backbone import PretrainedBackbone

READERS = {
    "tokenizer": lambda: TokenizerFiles.load("some/encoder", option="data.encoder"),
    "weights": lambda: PretrainedBackbone(Facts.example(), "some/encoder"),
}


@pytest.mark.parametrize("name", READERS)
def test_offline_by_a_setting(name, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        ConfigError,
        match=r"offline \(HF_HUB_OFFLINE is set\)(.|\n)*a folder(.|\n)*unset HF_HUB_OFFLINE",
    ):
        READERS[name]()


def test_no_network(monkeypatch):
    def unreachable(name, **options):
        raise OSError("no connection") from LocalEntryNotFoundError("not in the cache")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", unreachable)
    with pytest.raises(
        ConfigError, match=r"huggingface\.co cannot be reached(.|\n)*where there is a network"
    ):
        READERS["tokenizer"]()
