"""Remedies of encoders and of their tuning; see ``followed``."""

import json
import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import yaml
from transformers import AutoModel, BartConfig

from lit_rec.data.facts import Facts
from lit_rec.models.text.backbone import ConfiguredBackbone, PretrainedBackbone
from tests.integration.remedies.followed import each_remedy_of, follow, refused

RATING = Facts.example()
BERT = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
BERT |= {"intermediate_size": 8, "max_position_embeddings": 16}
TINY = partial(ConfiguredBackbone, model_type="bert", options=BERT)


@pytest.fixture
def encoder(tmp_path):
    """A folder with a tiny encoder."""
    TINY(RATING).model.save_pretrained(tmp_path / "encoder")
    return tmp_path / "encoder"


def read(folder):
    return PretrainedBackbone(RATING, str(folder))


def test_an_architecture_that_cannot_be_built():
    broken = partial(ConfiguredBackbone, RATING, "bort", {})
    text = refused(broken)[0].remedy.removeprefix("for example ").replace(", options", "\noptions")
    assert (
        follow(
            broken, lambda: ConfiguredBackbone(RATING, **yaml.safe_load(text)), says="for example"
        ).width
        == 64
    )


def test_texts_longer_than_an_encoder_takes():
    broken = partial(TINY, replace(RATING, max_tokens=64))
    longest = int(re.search(r"max_tokens to (\d+)", refused(broken)[0].remedy)[1])
    follow(
        broken,
        partial(TINY, replace(RATING, max_tokens=longest)),
        says="set BehaviorDataModule.max_tokens",
    )


def test_an_encoder_and_a_decoder(encoder, tmp_path):
    bart = {"vocab_size": 9, "d_model": 8, "encoder_layers": 1, "decoder_layers": 1}
    bart |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    AutoModel.from_config(BartConfig(**bart)).save_pretrained(tmp_path / "bart")
    follow(
        partial(read, tmp_path / "bart"),
        partial(read, encoder),
        says="name an encoder, such as checkpoints/",
    )
    broken = partial(ConfiguredBackbone, RATING, "bart", bart)
    name = re.search(r"such as (\w+)", refused(broken)[0].remedy)[1]
    follow(broken, partial(ConfiguredBackbone, RATING, name, BERT), says="or one of these")
    assert refused(broken)[0].where == "ConfiguredBackbone.model_type"


def changed(encoder, **entries):
    path = encoder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


@pytest.mark.parametrize(
    "way", ["use another encoder", "correct auto_map in config.json if it is not"]
)
def test_an_encoder_with_code(encoder, tmp_path, way):
    shutil.copytree(encoder, tmp_path / "another")
    changed(encoder, auto_map={"AutoModel": "own.Own"})

    def corrected():
        changed(encoder, auto_map={})
        read(encoder)

    follow(
        partial(read, encoder),
        partial(read, tmp_path / "another") if "use" in way else corrected,
        says=way,
    )


DAMAGE = {
    "copy the encoder's folder again": ("config.json", "[1]"),
    "copy the whole folder again, or name another one": ("model.safetensors", "?"),
    "copy the whole folder again": (
        "a.index.json",
        '{"weight_map": {"x": "../model.safetensors"}}',
    ),
    "merge the adapter into its encoder": ("adapter_config.json", "{}"),
}


@pytest.mark.parametrize("way", DAMAGE)
def test_a_damaged_folder(encoder, tmp_path, way):
    """What was merged is saved without the adapter's file."""
    shutil.copytree(encoder, tmp_path / "whole")
    name, content = DAMAGE[way]
    (encoder / name).write_text(content)

    def again():
        shutil.rmtree(encoder)
        shutil.copytree(tmp_path / "whole", encoder)
        read(encoder)

    follow(partial(read, encoder), again, says=way)


def test_a_folder_around_that_of_the_encoder(encoder, tmp_path):
    broken = partial(read, tmp_path)
    near = Path(refused(broken)[0].remedy.removeprefix("name "))
    follow(broken, partial(read, near), says=f"name {encoder}")
    (tmp_path / "empty").mkdir()
    follow(
        partial(read, tmp_path / "empty"),
        partial(read, encoder),
        says="name the folder that holds config.json",
    )


def test_a_path_that_leads_nowhere(encoder, tmp_path):
    follow(partial(read, f"{encoder}/a/b/c"), partial(read, encoder), says="check the path")


test_each_remedy_was_followed = each_remedy_of(
    *(f"models/text/{part}.py" for part in ("backbone", "encoder_class", "encoder_config"))
)
