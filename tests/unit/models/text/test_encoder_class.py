"""Encoder-decoders: T5 and its kin give their encoder half, others are refused."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModel, BartConfig, T5Config, T5EncoderModel

from lit_rec.data.batches.batch import TextChunk
from lit_rec.errors import ConfigError
from lit_rec.models.text.backbone import ConfiguredBackbone, PretrainedBackbone

T5 = {"vocab_size": 40, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 2, "num_heads": 2}
BART = {"vocab_size": 40, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1}
BART |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "max_position_embeddings": 64}
IDS = torch.tensor([[5, 6, 1], [7, 1, 0]])
CHUNK = TextChunk(IDS, IDS != 0, torch.arange(2))


@pytest.mark.parametrize("half", [False, True])
def test_t5_gives_its_encoder_half(facts, tmp_path, half):
    torch.manual_seed(0)
    whole = (T5EncoderModel if half else AutoModel.from_config)(T5Config(**T5)).eval()
    whole.save_pretrained(tmp_path)
    backbone = PretrainedBackbone(facts, str(tmp_path)).eval()
    assert not any("decoder" in name for name in backbone.state_dict())
    stack = whole.encoder
    expected = stack(input_ids=IDS, attention_mask=CHUNK.mask.long()).last_hidden_state
    torch.testing.assert_close(backbone(CHUNK), expected)


def test_t5_is_built_again_from_its_configuration(facts, tmp_path):
    AutoModel.from_config(T5Config(**T5)).save_pretrained(tmp_path)
    backbone = PretrainedBackbone(facts, str(tmp_path)).eval()
    stored = replace(facts, backbone=backbone.config_plain())
    again = PretrainedBackbone(stored, "nowhere").eval()
    again.load_state_dict(backbone.state_dict())
    torch.testing.assert_close(again(CHUNK), backbone(CHUNK))


def test_other_encoder_decoders_are_refused(facts, tmp_path):
    AutoModel.from_config(BartConfig(**BART)).save_pretrained(tmp_path)
    for build in (
        lambda: PretrainedBackbone(facts, str(tmp_path)),
        lambda: ConfiguredBackbone(facts, "bart", BART),
    ):
        with pytest.raises(ConfigError, match=r"'bart' is an encoder-decoder(.|\n)*t5, mt5, umt5"):
            build()
    assert ConfiguredBackbone(facts, "mt5", T5).width == 16
