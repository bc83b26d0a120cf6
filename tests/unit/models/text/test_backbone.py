from dataclasses import replace

import pytest
import torch

from lit_rec.data.batches.batch import Texts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.errors import ConfigError
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.text.backbone import ConfiguredBackbone, PretrainedBackbone
from lit_rec.models.text.tuning import FrozenTuning, TopLayersTuning, encoder_layers

SIZES = {"vocab_size": 40, "max_position_embeddings": 32}
KIN = SIZES | {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
RELATIVE = {
    "relative_attention": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_buckets": 8,
    "norm_rel_ebd": "layer_norm",
}
ENDS = {"pad_token_id": 0, "cls_token_id": 1, "bos_token_id": 1}
ENDS |= {"sep_token_id": 2, "eos_token_id": 2}
DISTIL = SIZES | {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 16}
GPT = {"vocab_size": 40, "n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}
T5 = {"vocab_size": 40, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 2, "num_heads": 2}
# model type, options, what of it the top layer alone leaves trained
FAMILIES = [
    ("bert", KIN, ("encoder.layer.1.",)),
    ("roberta", KIN | {"pad_token_id": 0}, ("encoder.layer.1.",)),
    ("deberta-v2", KIN | RELATIVE, ("encoder.layer.1.",)),
    ("modernbert", KIN | ENDS, ("layers.1.", "final_norm.")),
    ("distilbert", DISTIL, ("transformer.layer.1.",)),
    ("gpt2", GPT | {"bos_token_id": 1, "eos_token_id": 2}, ("h.1.", "ln_f.")),
    ("t5", T5, ("encoder.block.1.", "encoder.final_layer_norm.")),
]
DROPOUTS = ("hidden_dropout_prob", "embedding_dropout", "mlp_dropout", "dropout", "dropout_rate")
DROPOUTS += ("embd_pdrop", "resid_pdrop")
families = pytest.mark.parametrize(("model_type", "options", "top"), FAMILIES)
TEXTS = Texts(torch.tensor([5, 6, 7, 8, 9]).int(), torch.tensor([0, 0, 2, 5]))
BARE = SpecialTokens((), (), 0)


def whole(special):
    return next(TEXTS.chunks(1000, special))


def gradients(backbone, special):
    backbone(whole(special)).square().sum().backward()
    return {n for n, p in backbone.model.named_parameters() if p.grad is not None}


@families
def test_family_gives_token_vectors(facts, model_type, options, top):
    backbone = ConfiguredBackbone(facts, model_type, options).eval()
    vectors = backbone(whole(facts.special))
    assert vectors.shape == (3, 5, backbone.width) == (3, 5, 16)
    assert vectors.dtype == torch.float32
    assert torch.isfinite(vectors).all()


@families
def test_family_ignores_padding(facts, model_type, options, top):
    backbone = ConfiguredBackbone(facts, model_type, options).eval()
    together = backbone(whole(facts.special))
    for chunk in TEXTS.chunks(1, facts.special):
        alone = backbone(chunk)[0]
        row = together[int(chunk.text_index)][: len(alone)]
        torch.testing.assert_close(alone, row, rtol=0, atol=1e-5)


@families
def test_family_learns_from_words_looked_up_once(facts, model_type, options, top):
    """All families call their lookup of words with numbers, and none asks it for anything else."""
    torch.manual_seed(0)
    backbone = ConfiguredBackbone(facts, model_type, options).eval()
    chunk, found = whole(facts.special), []
    for words in (None, backbone.words(torch.tensor([*range(10), 5, 0]))):
        backbone.zero_grad()
        vectors = backbone(chunk, words=words)
        vectors.square().mul(torch.arange(16.0)).sum().backward()
        grads = {n: p.grad for n, p in backbone.model.named_parameters() if p.grad is not None}
        found.append((vectors[chunk.mask], grads))
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-4)


@families
def test_top_layer_alone_is_trained(facts, model_type, options, top):
    backbone = ConfiguredBackbone(facts, model_type, options, TopLayersTuning(1))
    parameters = dict(backbone.model.named_parameters())
    trained = {name for name, p in parameters.items() if p.requires_grad}
    assert trained == {name for name in parameters if name.startswith(top)}
    assert trained
    assert gradients(backbone, facts.special) == trained


@families
def test_every_parameter_trained_in_full_has_a_gradient(facts, model_type, options, top):
    backbone = ConfiguredBackbone(facts, model_type, options)
    trained = {n for n, p in backbone.model.named_parameters() if p.requires_grad}
    assert gradients(backbone, facts.special) == trained
    assert not {
        n for n in set(dict(backbone.model.named_parameters())) - trained if "pooler" not in n
    }


@families
def test_frozen_encoder_has_no_gradient_and_no_dropout(facts, model_type, options, top):
    backbone = ConfiguredBackbone(facts, model_type, options, FrozenTuning()).train()
    assert backbone.training
    assert not any(module.training for module in backbone.model.modules())
    one, two = backbone(whole(facts.special)), backbone(whole(facts.special))
    assert not one.requires_grad
    assert torch.equal(one, two)


@families
def test_partly_frozen_encoder_has_dropout_in_its_trained_layers_alone(
    facts, model_type, options, top
):
    """Lower layers give one output for one text; their output may be cached."""
    noisy = options | dict.fromkeys(DROPOUTS, 0.5)
    backbone = ConfiguredBackbone(facts, model_type, noisy, TopLayersTuning(1)).train()
    first, last = encoder_layers(backbone.model)
    inputs = []
    first.register_forward_hook(lambda *call: inputs.append(call[2]))
    outputs = [backbone(whole(facts.special)) for _ in range(2)]
    one, two = (found[0] if isinstance(found, tuple) else found for found in inputs)
    assert torch.equal(one, two)
    assert not torch.equal(*outputs)
    assert all(module.training for module in last.modules())
    assert not any(module.training for module in backbone.eval().modules())


@families
def test_trained_encoder_has_dropout_in_training_alone(facts, model_type, options, top):
    backbone = ConfiguredBackbone(facts, model_type, options | dict.fromkeys(DROPOUTS, 0.5))
    assert not torch.equal(backbone(whole(facts.special)), backbone(whole(facts.special)))
    backbone.eval()
    assert torch.equal(backbone(whole(facts.special)), backbone(whole(facts.special)))


@families
def test_family_is_rebuilt_from_its_plain_configuration(facts, model_type, options, top):
    first = ConfiguredBackbone(facts, model_type, options).eval()
    known = replace(facts, backbone=first.config_plain())
    again = ConfiguredBackbone(known, "another", {"hidden_size": 99}).eval()
    again.load_state_dict(first.state_dict())
    assert torch.equal(again(whole(facts.special)), first(whole(facts.special)))
    assert again.config_plain() == first.config_plain()


@families
@pytest.mark.parametrize("budget", [1, 1000])
def test_empty_text_without_special_tokens_is_zero(facts, model_type, options, top, budget):
    """Alone in a chunk it has no place at all, beside others it is padding only."""
    bare = replace(facts, special=BARE)
    encoder = ItemEncoder(
        bare,
        lambda facts: ConfiguredBackbone(facts, model_type, options),
        max_tokens_per_chunk=budget,
    )
    vectors = encoder.eval().encode_texts(TEXTS)
    assert vectors[0].tolist() == [0.0] * 16
    assert vectors[1:].any(1).all()
    vectors.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters() if p.grad is not None)


# how many learned positions each family has for real tokens; none: relative or rotary ones, without an end
LONGEST = {"bert": 32, "roberta": 31, "distilbert": 32, "gpt2": 32, "modernbert": None}


@families
def test_longest_text_that_a_family_takes(facts, model_type, options, top):
    options = options | ({"position_biased_input": False} if model_type == "deberta-v2" else {})
    longest = LONGEST.get(model_type)
    fitting = replace(facts, max_tokens=longest or 100)
    backbone = ConfiguredBackbone(fitting, model_type, options).eval()
    texts = Texts(torch.full((fitting.max_tokens,), 5).int(), torch.tensor([0, fitting.max_tokens]))
    chunk = next(texts.chunks(1, BARE))
    assert torch.isfinite(backbone(chunk)).all()
    if longest:
        with pytest.raises(ConfigError, match=f"up to {longest + 1} tokens .* takes {longest}"):
            ConfiguredBackbone(replace(facts, max_tokens=longest + 1), model_type, options)


@families
def test_attention_is_fused_where_the_family_has_it(facts, model_type, options, top):
    backbone = ConfiguredBackbone(facts, model_type, options)
    again = ConfiguredBackbone(
        replace(facts, backbone=backbone.config_plain()), model_type, options
    )
    wanted = "eager" if model_type == "deberta-v2" else "sdpa"
    assert backbone.config._attn_implementation == wanted
    assert again.config._attn_implementation == wanted


@pytest.mark.parametrize(
    ("model_type", "options", "seen"),
    [
        ("no-such-encoder", {}, "no-such-encoder"),
        ("bert", {"hidden_size": 15, "num_attention_heads": 4}, "15"),
        ("bert", {"hidden_size": "wide"}, "wide"),
        ("bert", {"hidden_act": "no-such-act"}, "no-such-act"),
    ],
)
def test_what_cannot_be_configured_is_named_in_a_few_lines(facts, model_type, options, seen):
    with pytest.raises(ConfigError, match=seen) as caught:
        ConfiguredBackbone(facts, model_type, options)
    assert model_type in caught.value.problem
    assert len(str(caught.value)) < 700


@families
def test_dropout_inside_an_encoder_can_be_chosen(tmp_path, facts, model_type, options, top):
    ConfiguredBackbone(facts, model_type, options).model.save_pretrained(tmp_path)
    texts = whole(facts.special)
    for dropout in (0.0, 0.5):
        read = PretrainedBackbone(facts, str(tmp_path), dropout=dropout).train()
        assert torch.equal(read(texts), read(texts)) == (dropout == 0.0)
        again = PretrainedBackbone(replace(facts, backbone=read.config_plain()), "gone").train()
        assert torch.equal(again(texts), again(texts)) == (dropout == 0.0)
    with pytest.raises(ConfigError, match="50 cannot be used"):
        PretrainedBackbone(facts, str(tmp_path), dropout=50)
