"""Remedies of ways of tuning; see ``followed``."""

import re
import sys
from functools import partial

import peft
import pytest
from torch import nn

from lit_rec.data.facts import Facts
from lit_rec.models.text.adapters.adalora import AdaLoraTuning
from lit_rec.models.text.adapters.biases_and_norms import BitFitTuning, LayerNormTuning
from lit_rec.models.text.adapters.bottleneck import BottleneckTuning
from lit_rec.models.text.adapters.peft_tuning import LoraTuning, PeftTuning
from lit_rec.models.text.adapters.prefix import PrefixTuning
from lit_rec.models.text.adapters.prompt_tuning import PromptTuning
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.models.text.tuning import FrozenTuning, FullTuning, TopLayersTuning, encoder_layers
from tests.integration.remedies.followed import each_remedy_of, follow, refused
from tests.unit.models.text.adapters.families import backbone, encoder

TUNINGS = {
    "FullTuning": FullTuning,
    "FrozenTuning": FrozenTuning,
    "TopLayersTuning": partial(TopLayersTuning, 1),
    "BitFitTuning": BitFitTuning,
    "LayerNormTuning": LayerNormTuning,
    "LoraTuning": partial(LoraTuning, 2),
    "BottleneckTuning": partial(BottleneckTuning, 2),
    "PromptTuning": partial(PromptTuning, 2),
}


def follow_each(broken, tune):
    """Follow each way of tuning that a remedy names."""
    named = re.findall(r"\w+Tuning", refused(broken)[0].remedy)
    assert named
    for name in named:
        follow(broken, partial(tune, TUNINGS[name]()), says=name)


@pytest.mark.parametrize(
    ("family", "wrong"),
    [
        ("t5", BitFitTuning()),
        ("bert", TopLayersTuning(4)),
        ("gpt2", PeftTuning("loha", {"r": 2})),
        ("t5", PrefixTuning(2)),
        ("mpnet", PrefixTuning(2)),
        ("deberta-v2", PrefixTuning(2)),
    ],
)
def test_what_a_family_does_not_take(family, wrong):
    tune = partial(backbone, family)
    follow_each(partial(tune, wrong), tune)


def odd_encoder(layer):
    """An encoder with one layer of no known kind."""
    made = nn.Module()
    made.encoder = nn.Module()
    made.encoder.layer = nn.ModuleList([layer])
    return made


def test_layers_of_an_unknown_structure():
    def tune(way):
        way.apply(nn.Linear(2, 2))

    follow_each(partial(encoder_layers, nn.Linear(2, 2)), tune)


def test_a_layer_of_an_unknown_structure():
    def tune(way):
        way.apply(odd_encoder(nn.Sequential(nn.Linear(2, 2))))

    follow_each(partial(tune, BottleneckTuning(2)), tune)


def test_an_option_that_is_not_the_users():
    broken = partial(PeftTuning, "lora", {"target_modules": ["query"]})
    right = partial(PeftTuning, "lora", {"r": 2}, targets="attention", layers=1)
    follow(broken, right, says="leave it out; targets and layers say where it is put")
    backbone("bert", right())


def test_options_that_a_method_does_not_have():
    broken = partial(backbone, "bert", PeftTuning("lora", {"rank": 2}))
    follow(broken, partial(backbone, "bert", PeftTuning("lora", {"r": 2})), says="correct the op")


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("lorra", "did you mean 'lora'"),
        ("x", "name one of these, such as lora, loha or ia3"),
        ("adaption_prompt", "name another method, such as lora, loha or ia3"),
    ],
)
def test_a_method_that_does_not_go(method, says):
    def tuned(name):
        return backbone("bert", PeftTuning(name))

    for name in re.findall(r"\b(?:lora|loha|ia3)\b", refused(partial(tuned, method))[0].remedy):
        follow(partial(tuned, method), partial(tuned, name), says=says)


def test_peft_that_is_not_installed(monkeypatch):
    def broken():
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "peft", None)
            backbone("bert", LoraTuning(2))

    follow(broken, partial(backbone, "bert", LoraTuning(2)), says="pip install peft")


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_an_adapter_merged_into_its_encoder(tmp_path):
    adapted = peft.get_peft_model(encoder("bert"), peft.LoraConfig(target_modules=["query"]))
    adapted.save_pretrained(tmp_path / "adapter")

    def read(folder):
        return PretrainedBackbone(Facts.example(), str(tmp_path / folder))

    def merged():
        adapted.merge_and_unload().save_pretrained(tmp_path / "merged")
        return read("merged")

    follow(partial(read, "adapter"), merged, says="merge_and_unload of peft) and save that")


def test_no_step_to_choose_ranks_in():
    says = "leave both out for their defaults"
    follow(partial(AdaLoraTuning, begin=0.6, settle=0.4), AdaLoraTuning, says=says)


def test_ranks_of_a_divided_encoder():
    tuning = AdaLoraTuning(1)
    model = backbone("bert", tuning).model
    values = next(parameter for name, parameter in model.named_parameters() if "lora_E" in name)

    def of_one_process():
        del values.device_mesh
        tuning.begin_training(model, 10)

    values.device_mesh = None  # as a divided weight has one
    broken = partial(tuning.begin_training, model, 10)
    other = partial(LoraTuning(1).begin_training, model, 10)
    follow(broken, other, says="or use LoraTuning")
    follow(broken, of_one_process, says="set Trainer.strategy to ddp")


def test_averages_of_another_tuning():
    def begun(rank):
        tuning = AdaLoraTuning(rank)
        tuning.begin_training(backbone("bert", tuning).model, 10)
        return tuning

    one, other = begun(1), begun(3)
    follow(
        lambda: one.restore_training(other.training_state()),
        lambda: other.restore_training(other.training_state()),
        says="a last.ckpt that `lit-rec fit` wrote with this tuning",
    )


test_each_remedy_was_followed = each_remedy_of("models/text/adapters", "models/text/tuning.py")
