"""A pass from the border gives what one from the first layer gives, for each family; lower layers are not called."""

import pytest
import torch
from torch import nn

from lit_rec.models.text.backbone import Backbone, ConfiguredBackbone
from lit_rec.models.text.lower_layers import LowerLayers
from lit_rec.models.text.tuning import FrozenTuning, FullTuning, TopLayersTuning, encoder_layers
from tests.unit.models.text.test_backbone import DROPOUTS, FAMILIES, T5, TEXTS, whole

OF_ATTENTION = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")
DEPTH = ("num_hidden_layers", "n_layers", "n_layer")
# a layer of words' neighbours after the first layer
CONVOLVED = ("deberta-v2", {**FAMILIES[2][1], "conv_kernel_size": 3, "conv_act": "gelu"}, ())
# layers of T5 read a bias that its first layer makes
CUT = [family for family in FAMILIES if family[0] != "t5"]
families = pytest.mark.parametrize(("model_type", "options", "top"), [*CUT, CONVOLVED])


def built(facts, model_type, options, tuning, layers=4, **more):
    torch.manual_seed(0)
    deep = {name: layers if name in DEPTH else value for name, value in options.items()}
    return ConfiguredBackbone(facts, model_type, deep | more, tuning)


def noise_in_padding(states, chunk):
    return torch.where(chunk.mask.unsqueeze(-1), states, torch.randn_like(states))


@families
@pytest.mark.parametrize("trained", [1, 2, 3])
def test_a_pass_from_the_border(facts, model_type, options, top, trained):
    backbone = built(facts, model_type, options, TopLayersTuning(trained)).eval()
    assert backbone.has_border
    chunk = whole(facts.special)
    states = backbone.border_states(chunk)
    assert states.shape == (3, 5, 16)
    called = []
    for place, layer in enumerate(encoder_layers(backbone.model)):
        layer.register_forward_hook(lambda layer, *call, place=place: called.append(place))
    found = backbone(chunk, states=noise_in_padding(states, chunk))[chunk.mask]
    torch.testing.assert_close(found, backbone(chunk)[chunk.mask], rtol=1e-6, atol=1e-6)
    assert not any(vars(layer).get("forward") for layer in encoder_layers(backbone.model))
    for layer in encoder_layers(backbone.model):
        layer._forward_hooks.clear()
    states.requires_grad_(True)
    backbone(chunk, states=states).sum().backward()
    assert states.grad.abs().sum() > 0


def test_a_family_whose_layers_read_more_has_no_border(facts):
    assert not built(facts, "t5", T5 | {"num_layers": 4}, TopLayersTuning(2)).has_border


@families
def test_layers_below_the_border_compute_nothing(facts, model_type, options, top):
    backbone = built(facts, model_type, options, TopLayersTuning(2)).eval()
    chunk = whole(facts.special)
    states = backbone.border_states(chunk)
    with torch.no_grad():
        for layer in encoder_layers(backbone.model)[:2]:
            for parameter in layer.parameters():
                parameter.fill_(torch.nan)
    assert torch.isfinite(backbone(chunk, states=states)).all()
    assert backbone(chunk).isnan().any()


@families
def test_gradients_of_the_trained_layers(facts, model_type, options, top):
    silent = options | dict.fromkeys([*DROPOUTS, *OF_ATTENTION], 0.0)
    backbone = built(facts, model_type, silent, TopLayersTuning(2)).train()
    chunk, found = whole(facts.special), []
    for states in (None, backbone.border_states(chunk)):
        backbone.zero_grad()
        backbone(chunk, states=states)[chunk.mask].square().sum().backward()
        found.append({n: p.grad for n, p in backbone.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    assert found[0]
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name], rtol=1e-5, atol=1e-5)


@families
def test_states_are_those_of_evaluation_in_single_precision(facts, model_type, options, top):
    noisy = options | dict.fromkeys(DROPOUTS, 0.5)
    backbone = built(facts, model_type, noisy, TopLayersTuning(2)).train()
    chunk = whole(facts.special)
    first = backbone.border_states(chunk)
    with torch.autocast("cpu", torch.bfloat16):
        again = backbone.border_states(chunk)
    assert again.dtype == torch.float32
    assert torch.equal(first, again)
    assert not first.requires_grad
    assert backbone.training
    assert not torch.equal(backbone(chunk, states=first), backbone(chunk, states=first))


@families
def test_a_frozen_encoder_has_its_border_at_the_end(facts, model_type, options, top):
    backbone = built(facts, model_type, options, FrozenTuning())
    chunk = whole(facts.special)
    assert backbone.has_border
    states = backbone.border_states(chunk)
    assert torch.equal(states, backbone(chunk))
    assert backbone(chunk, states=states) is states


def test_where_the_lowest_layer_is_trained_there_is_no_border(facts):
    _, options, _ = FAMILIES[0]
    assert not built(facts, "bert", options, FullTuning()).has_border
    assert not built(facts, "bert", options, TopLayersTuning(4)).has_border


class Skipping(nn.Module):
    """Its last layer sees the words beside what the layer below gives."""

    class config:  # noqa: N801 (as transformers calls it)
        hidden_size = 4

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(10, 4)
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

    def forward(self, input_ids, attention_mask):
        first = self.layers[0](self.words(input_ids))
        hidden = self.layers[2](self.layers[1](first) + first)
        self.last_hidden_state = hidden
        return self


def test_an_encoder_that_cannot_begin_in_its_middle(facts):
    """Its second layer's input goes around that layer: what replaces the layers passes on something else."""
    backbone = Backbone(Skipping(), TopLayersTuning(1))
    assert not backbone.has_border
    assert torch.isfinite(backbone(next(TEXTS.chunks(100, facts.special)))).all()


def test_lower_layers_that_are_not_called():
    with pytest.raises(ValueError, match="did not call"):
        LowerLayers([nn.Identity()]).output(lambda: None)


def test_layers_are_themselves_again_after_an_error():
    layer = nn.Linear(2, 2)

    def fail():
        with LowerLayers([layer]).replaced(torch.ones(1, 2)):
            assert layer(torch.zeros(1, 2)).tolist() == [[1.0, 1.0]]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert "forward" not in vars(layer)
    assert not layer._forward_hooks
