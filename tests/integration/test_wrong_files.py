"""Files that cannot be read and folders that cannot be written; see ``message`` for the form of what is said."""

import errno
import json
import shutil
from pathlib import Path

import pytest

from .conftest import message, options

pytestmark = pytest.mark.filterwarnings("default")


def test_file_of_the_encoder_that_may_not_be_read(tmp_path, workplace, capsys, monkeypatch):
    """What the user reads is not the cache folder, though the cache is being built."""

    def refused(*args, **more):
        raise PermissionError(errno.EACCES, "Permission denied", "encoder/vocab.txt")

    monkeypatch.setattr("lit_rec.data.texts.tokens.TokenStore.build", refused)
    cache = f"--data.cache_folder={tmp_path}/cache"
    text = message(capsys, "fit", *options(workplace), cache)
    assert text.startswith("lit_rec: encoder/vocab.txt: ")
    assert "cache" not in text


def test_encoder_folder_without_configuration(tmp_path, workplace, capsys):
    folder = tmp_path / "encoder"
    shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", folder)
    Path(folder, "config.json").unlink()
    assert str(folder) in message(capsys, "fit", *options(workplace), f"--data.encoder={folder}")


def test_a_tokenizer_with_more_words_than_its_encoder(tmp_path, workplace, capsys):
    folder = tmp_path / "encoder"
    shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", folder)
    options_file = folder / "tokenizer_config.json"
    words = json.loads(options_file.read_text()) | {"cls_token": "[OTHER]"}
    options_file.write_text(json.dumps(words))
    for command in ("fit", "check"):
        text = message(capsys, command, *options(workplace), f"--data.encoder={folder}")
        assert "the encoder has vectors for" in text
        assert str(folder) in text


def test_disk_full(workplace, capsys, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device", "best.ckpt")

    monkeypatch.setattr("lit_rec.files.tensor_file.torch.save", full)
    text = message(capsys, "fit", *options(workplace), "--trainer.max_epochs=1")
    assert "No space left on device" in text


@pytest.mark.parametrize(
    "words",
    [
        ["test", "--ckpt_path", "LONG"],
        ["recommend", "--history", "1", "--ckpt_path", "LONG"],
        ["check", "-c", "LONG"],
        ["init", "LONG", "items.csv"],
        ["init", "behaviors.csv", "items.csv", "--output", "LONG"],
    ],
)
def test_names_that_no_system_takes(words, workplace, capsys, monkeypatch):
    monkeypatch.chdir(workplace / "my")
    said = message(capsys, *["a" * 10_000 if word == "LONG" else word for word in words])
    assert "aaaa" in said
    assert len(said) < 1_500
