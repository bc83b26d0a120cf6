import pytest
from torch import nn

from lit_rec.errors import ConfigError
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.tuning import (
    FrozenTuning,
    FullTuning,
    TopLayersTuning,
    Tuning,
)


def trained(model):
    return {name for name, p in model.named_parameters() if p.requires_grad}


def test_full_tuning_trains_what_was_frozen():
    model = nn.Linear(2, 2).requires_grad_(False)
    FullTuning().apply(model)
    assert trained(model) == {"weight", "bias"}


def test_frozen_tuning_trains_nothing():
    model = nn.Linear(2, 2)
    FrozenTuning().apply(model)
    assert not trained(model)


@pytest.mark.parametrize("layers", [0, -1, 3])
def test_number_of_layers_that_the_encoder_lacks(facts, tiny_bert, layers):
    with pytest.raises(ConfigError, match=f"{layers} layers of an encoder that has 2"):
        ConfiguredBackbone(facts, "bert", tiny_bert, TopLayersTuning(layers))


def test_all_layers_leave_the_embeddings_frozen(facts, tiny_bert):
    backbone = ConfiguredBackbone(facts, "bert", tiny_bert, TopLayersTuning(2))
    assert {name.split(".")[0] for name in trained(backbone.model)} == {"encoder"}


def test_a_choice_of_ones_own_keeps_dropout_where_anything_is_trained(facts, tiny_bert):
    class BiasTuning(Tuning):
        def apply(self, model):
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(name.endswith("bias"))

    backbone = ConfiguredBackbone(facts, "bert", tiny_bert, BiasTuning()).train()
    assert all(module.training for module in backbone.modules())


def test_word_vectors_may_stay_while_all_else_is_trained(facts, tiny_bert):
    backbone = ConfiguredBackbone(facts, "bert", tiny_bert, FullTuning(freeze_embeddings=True))
    names = {
        name for name, _ in backbone.model.named_parameters() if not name.startswith("pooler.")
    }
    assert names - trained(backbone.model) == {"embeddings.word_embeddings.weight"}
    # read again from the encoder's folder by a checkpoint of what was trained
    assert backbone.kept_weights() == {
        "model.embeddings.word_embeddings.weight": "embeddings.word_embeddings.weight"
    }
    assert backbone.train().model.embeddings.dropout.training
