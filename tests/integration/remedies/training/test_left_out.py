"""Remedies of checkpoints that hold only what was trained; see ``followed``."""

import shutil

import pytest
from safetensors.torch import load_file, save_file

from tests.integration.conftest import lit_rec
from tests.integration.own_runs import write
from tests.integration.remedies.followed import each_remedy_of, follow
from tests.integration.test_adapters import tuned

pytestmark = pytest.mark.filterwarnings("default")


def adapters_only(workplace, kind="LoraTuning", **options):
    """A configuration whose checkpoints hold only what is trained."""
    config = tuned(workplace, kind, **options)
    config["trainer"]["callbacks"][0]["init_args"]["adapters_only"] = True
    return config


def backbone_of(config):
    """The backbone in a configuration."""
    return config["model"]["network"]["init_args"]["item_encoder"]["init_args"]["backbone"]


def checked(config, tmp_path, *words):
    """Check a configuration."""
    lit_rec("check", "-c", write(config, tmp_path / "config.yaml"), *words)


def test_an_encoder_that_is_trained_whole(workplace, tmp_path):
    follow(
        lambda: checked(adapters_only(workplace, "FullTuning"), tmp_path),
        lambda: checked(adapters_only(workplace, "LoraTuning"), tmp_path),
        says=".tuning to LoraTuning",
    )


def test_an_encoder_of_no_folder(workplace, tmp_path):
    config = adapters_only(workplace)
    tiny = backbone_of(config)["init_args"]["tuning"]
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    sizes |= {"intermediate_size": 16, "vocab_size": 30522}
    options = {"model_type": "bert", "options": sizes, "tuning": tiny}
    made = {"class_path": "ConfiguredBackbone", "init_args": options}
    config["model"]["network"]["init_args"]["item_encoder"]["init_args"]["backbone"] = made
    follow(
        lambda: checked(config, tmp_path),
        lambda: checked(adapters_only(workplace), tmp_path),
        says="to the folder, or leave ",
    )


def test_a_folder_that_gives_other_weights_each_time(workplace, tmp_path):
    """Some are missing in its file, and made up when it is read."""
    folder = tmp_path / "encoder"
    shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", folder)
    held = load_file(folder / "model.safetensors")
    save_file(
        {name: weight for name, weight in held.items() if "layer.0.output.dense" not in name},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    config = adapters_only(workplace)
    backbone_of(config)["init_args"]["name"] = str(folder)

    def with_all():
        save_file(held, folder / "model.safetensors", {"format": "pt"})
        checked(config, tmp_path)

    follow(lambda: checked(config, tmp_path), with_all, says="a folder that save_pretrained wrote")


def test_an_encoder_that_is_elsewhere(workplace, tmp_path):
    folder, moved = tmp_path / "encoder", tmp_path / "moved"
    shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", folder)
    config = adapters_only(workplace, rank=1, layers=1)
    backbone_of(config)["init_args"]["name"] = str(folder)
    lit_rec("fit", "-c", write(config, tmp_path / "config.yaml"))
    best = tmp_path / "runs/run/version_0/best.ckpt"
    shutil.move(folder, moved)
    words = ("recommend", "--ckpt_path", best, "--user", "405", "--k", "3")
    follow(lambda: lit_rec(*words), lambda: lit_rec(*words, "--base", moved), says="--base FOLDER")


test_each_remedy_was_followed = each_remedy_of("training/checkpoint/base_weights.py")
