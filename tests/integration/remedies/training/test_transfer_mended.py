"""Remedies of `--model.start_from`: encoders, adapters and tokenizers that differ."""

import json
import shutil

import pytest

from lit_rec.models.text.adapters.bottleneck import BottleneckTuning
from tests.integration.conftest import lit_rec
from tests.integration.own_runs import write
from tests.integration.remedies.followed import each_remedy_of, follow
from tests.integration.test_adapters import tuned
from tests.unit.training.transfer.test_taken import FIRST, backbone, taken, two_tower

from .test_left_out import adapters_only, backbone_of

pytestmark = pytest.mark.filterwarnings("default")


def begun(config, folder):
    """The checkpoint of a run without an epoch."""
    lit_rec("fit", "-c", write(config, folder / "begun.yaml"), "--trainer.max_epochs=0")
    return folder / "runs/run/version_0/best.ckpt"


def checked(config, tmp_path, path):
    lit_rec("check", "-c", write(config, tmp_path / "config.yaml"), "--model.start_from", path)


def test_adapters_are_merged(workplace, tmp_path, capsys):
    """Of a checkpoint that holds the adapters alone."""
    path = begun(adapters_only(workplace, rank=1, layers=1), tmp_path)
    plain = tuned(workplace, "FullTuning")

    def slim():
        lit_rec("slim", path)
        capsys.readouterr()
        checked(plain, tmp_path, path.with_suffix(".slim.ckpt"))
        assert "item_encoder.backbone (" in capsys.readouterr().out

    follow(
        lambda: checked(plain, tmp_path, path), slim, says="merge its adapters with `lit-rec slim`"
    )
    checked(adapters_only(workplace, rank=1, layers=1), tmp_path, path)  # as they are
    assert "not taken: item_encoder.backbone" not in capsys.readouterr().out


def test_other_encoders():
    """A tuning that the new run has not, and an encoder of other sizes."""
    plain, adapted = two_tower(FIRST), two_tower(FIRST, encoder=backbone(BottleneckTuning()))
    again = two_tower(FIRST, encoder=backbone(BottleneckTuning()))
    follow(
        lambda: taken(plain, FIRST, adapted, FIRST),
        lambda: taken(again, FIRST, adapted, FIRST),
        says=".tuning to that of the checkpoint",
    )
    larger = two_tower(FIRST, encoder=backbone(num_hidden_layers=2))
    follow(
        lambda: taken(larger, FIRST, plain, FIRST),
        lambda: taken(two_tower(FIRST), FIRST, plain, FIRST),
        says="name the folder of its encoder for ",
    )


def test_another_tokenizer(workplace, run_folder, tmp_path):
    folder = tmp_path / "encoder"
    shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", folder)
    path = run_folder / "best.ckpt"

    def with_entries(file, **changed):
        held = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**held, **changed}))
        config = tuned(workplace, "FullTuning")
        backbone_of(config)["init_args"]["name"] = str(folder)
        config["data"]["init_args"]["encoder"] = str(folder)
        checked(config, tmp_path, path)

    # how it cuts and pads says nothing of its words
    with_entries("tokenizer_config.json", model_max_length=77)
    follow(
        lambda: with_entries("tokenizer_config.json", do_lower_case=False),
        lambda: checked(tuned(workplace, "FullTuning"), tmp_path, path),
        says="name the folder of the checkpoint's encoder for ",
    )


test_each_remedy_was_followed = each_remedy_of("training/transfer")
