"""Each way of tuning on each family of encoders: what is trained, that it learns, that it is stored whole."""

import copy
import io

import pytest
import torch

from lit_rec.errors import ConfigError
from lit_rec.models.text.adapters.biases_and_norms import BitFitTuning, LayerNormTuning
from lit_rec.models.text.adapters.bottleneck import BottleneckTuning
from lit_rec.models.text.adapters.layer_parts import layer_parts
from lit_rec.models.text.adapters.peft_tuning import IA3Tuning, LoraTuning, PeftTuning
from lit_rec.models.text.adapters.prefix import PrefixTuning
from lit_rec.models.text.adapters.prompt_tuning import PromptTuning
from lit_rec.models.text.tuning import FrozenTuning, encoder_layers, last_norms
from lit_rec.training.checkpoint.network import StoredShapes

from .families import FAMILIES, backbone, chunk, encoder, learned, vectors

TUNINGS = {
    "lora": lambda layers: LoraTuning(2, layers=layers),
    "dora": lambda layers: LoraTuning(2, layers=layers, dora=True),
    "ia3": IA3Tuning,
    "loha": lambda layers: PeftTuning("loha", {"r": 2}, layers=layers),
    "bias": BitFitTuning,
    "norm": LayerNormTuning,
    "bottleneck": lambda layers: BottleneckTuning(2, layers=layers),
    "houlsby": lambda layers: BottleneckTuning(2, "houlsby", layers),
    "prefix": lambda layers: PrefixTuning(3, layers=layers),
    "prefix network": lambda layers: PrefixTuning(3, hidden=4, layers=layers),
    "prompt": lambda layers: PromptTuning(3),
    "prompt network": lambda layers: PromptTuning(3, hidden=4),
}
# the first pass of others gives what the encoder gives
ELSEWHERE = {"prefix", "prefix network", "prompt", "prompt network"}
# no biases at all; GPT-2's linear maps are stored transposed
REFUSED = {("modernbert", "bias"), ("t5", "bias"), ("gpt2", "loha")}
# their attention is no function that can be exchanged, or has a bias for each pair of tokens
REFUSED |= {(f, t) for f in ("deberta-v2", "mpnet", "t5") for t in ("prefix", "prefix network")}
# their other forms are tried where layers differ most
FORMS = {"dora", "loha", "houlsby", "prefix network", "prompt network"}
FEW = ("bert", "deberta-v2", "gpt2", "modernbert")
PAIRS = [
    (f, t)
    for f in FAMILIES
    for t in TUNINGS
    if (f, t) not in REFUSED and (f in FEW or t not in FORMS)
]

PARTS = {
    "bert": ("attention.self.query", "attention.output.dense", "output.dense", 2),
    "roberta": ("attention.self.query", "attention.output.dense", "output.dense", 2),
    "distilbert": ("attention.q_lin", "attention.out_lin", "ffn.lin2", 2),
    "deberta-v2": ("attention.self.query_proj", "attention.output.dense", "output.dense", 2),
    "modernbert": ("attn.Wqkv", "attn.Wo", "mlp.Wo", 1),
    "mpnet": ("attention.attn.q", "attention.attn.o", "output.dense", 2),
    "gpt2": ("attn.c_attn", "attn.c_proj", "mlp.c_proj", 1),
    "qwen2": ("self_attn.q_proj", "self_attn.o_proj", "mlp.down_proj", 2),
    "t5": ("layer.0.SelfAttention.q", "layer.0.SelfAttention.o", "layer.1.DenseReluDense.wo", 2),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_parts_of_a_layer(family):
    parts = layer_parts(encoder_layers(encoder(family))[0])
    first, of_attention, of_all, keys_and_values = PARTS[family]
    assert (parts.attention[0], parts.attention[-1], parts.feed_forward[-1]) == (
        first,
        of_attention,
        of_all,
    )
    assert len(parts.keys_and_values) == keys_and_values


@pytest.mark.parametrize(("family", "tuning"), PAIRS)
def test_what_is_trained_lies_in_the_layers_and_learns(family, tuning):
    plain = vectors(backbone(family, FrozenTuning()))
    tuned = backbone(family, TUNINGS[tuning](None))
    if tuning not in ELSEWHERE:
        torch.testing.assert_close(vectors(tuned), plain)
    inside = {
        id(p)
        for part in (encoder_layers(tuned.model), *last_norms(tuned.model))
        for p in part.parameters()
    }
    trained = [p for p in tuned.parameters() if p.requires_grad]
    assert trained
    if not tuning.startswith("prompt"):
        assert {id(p) for p in trained} <= inside
    before, after = learned(tuned)
    assert after < before - 1e-5


@pytest.mark.parametrize(("family", "tuning"), PAIRS)
def test_it_is_built_again_from_the_shapes_of_a_checkpoint(family, tuning):
    stored = backbone(family, TUNINGS[tuning](None)).state_dict()
    shapes = {name: tuple(weight.shape) for name, weight in stored.items()}
    built = StoredShapes(shapes, "run.ckpt").build(lambda: backbone(family, TUNINGS[tuning](None)))
    assert {name: tuple(weight.shape) for name, weight in built.state_dict().items()} == shapes


# a linear map of its own kind, a fused one, and the most used family
@pytest.mark.parametrize(
    ("family", "tuning"), [pair for pair in PAIRS if pair[0] in ("gpt2", "modernbert", "bert")]
)
def test_a_stored_state_and_a_copy_are_whole(family, tuning):
    tuned = backbone(family, TUNINGS[tuning](None))
    learned(tuned, steps=2)
    expected = vectors(tuned)
    file = io.BytesIO()
    torch.save(tuned.state_dict(), file)
    file.seek(0)
    again = backbone(family, TUNINGS[tuning](None))
    again.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(vectors(again), expected)
    copied = copy.deepcopy(tuned)
    learned(tuned, steps=1)
    assert torch.equal(vectors(copied), expected)


BORDERS = [(f, t) for f, t in PAIRS if f != "t5" and not t.startswith("prompt")]


# the position bias of T5's first layer reaches each layer
@pytest.mark.parametrize(("family", "tuning"), BORDERS)
def test_in_the_top_layer_alone_a_pass_begins_below_it(family, tuning):
    tuned = backbone(family, TUNINGS[tuning](1))
    learned(tuned, steps=2)
    assert tuned.has_border
    states = tuned.border_states(chunk())
    again = tuned(chunk(), states=states)[chunk().mask]
    torch.testing.assert_close(again, vectors(tuned), rtol=1e-4, atol=1e-5)
    below, top = encoder_layers(tuned.train().model)[:-1], encoder_layers(tuned.model)[-1]
    assert top.training
    assert not any(layer.training for layer in below), "dropout of what is frozen is off"


@pytest.mark.parametrize(("family", "tuning"), sorted(REFUSED))
def test_what_does_not_go_together_is_refused(family, tuning):
    with pytest.raises(ConfigError, match=r"no biases|refuses GPT2Model|takes no prefix"):
        backbone(family, TUNINGS[tuning](None))
