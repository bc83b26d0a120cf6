"""Tokenizers that others bring: no file outside a folder is written, and no code is run."""

import json

import pytest
from transformers import BertTokenizerFast

from lit_rec.data.texts.tokenizer_files import NAMES, TokenizerFiles
from lit_rec.errors import CheckpointError, ConfigError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "heat", "##ed", "story", "toy"]
TEXTS = ["heated toy", "", "what a story"]
CONFIG = "tokenizer_config.json"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("\n".join(WORDS))
    return BertTokenizerFast(str(path))


@pytest.fixture
def folder(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


def changed(folder, **more):
    path = folder / CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | more))


def test_files_round_trip(tokenizer, folder):
    files = TokenizerFiles.of(tokenizer)
    assert set(files.files) <= NAMES
    assert files.open()(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]
    loaded = TokenizerFiles.load(str(folder), option="data.encoder")
    assert loaded.open()(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]
    assert TokenizerFiles.of(tokenizer).key == files.key
    assert TokenizerFiles({**files.files, "vocab.txt": b"x"}).key != files.key


def test_no_tokenizer_there(tmp_path):
    with pytest.raises(ConfigError, match=rf"data\.encoder: .*'{tmp_path}'"):
        TokenizerFiles.load(str(tmp_path), option="data.encoder")


@pytest.mark.parametrize(
    "name", ["../outside", "/outside", "more/tokenizer.json", "config.json", "x.py", ".", ""]
)
def test_a_file_of_another_name_is_not_written(tokenizer, tmp_path, name):
    name = f"{tmp_path}{name}" if name.startswith("/") else name
    files = TokenizerFiles({**TokenizerFiles.of(tokenizer).files, name: b"x"})
    with pytest.raises(CheckpointError) as found:
        files.open()
    shown = name[:60] or "''"
    assert f"{shown}: a file of that name" in str(found.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"tokenizer.json": "{}"}, "tokenizer.json: a str"),
        ({"tokenizer.json": b"{"}, "cannot be opened"),
        ({"tokenizer.json": b"[]"}, "cannot be opened"),
        ({"tokenizer.json": b'{"version": "1.0"}'}, "cannot be opened"),
        ({CONFIG: b"[1]"}, "a list"),
        ({CONFIG: b"\xff"}, "UnicodeDecodeError"),
        ({CONFIG: b"[" * 100_000}, "RecursionError"),
        ({CONFIG: b'{"auto_map": {"AutoTokenizer": ["x.Y", null]}}'}, "auto_map"),
        ({CONFIG: b'{"tokenizer_class": "a.b.C"}'}, "tokenizer_class: 'a.b.C'"),
        ({CONFIG: b'{"tokenizer_class": ["C"]}'}, "tokenizer_class"),
        ({CONFIG: b'{"init_inputs": ["/etc/hostname"]}'}, "init_inputs"),
        ({}, "cannot be opened"),
    ],
)
def test_files_that_are_no_tokenizer(files, said, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("it asked a question"))
    with pytest.raises(CheckpointError) as found:
        TokenizerFiles(files).open()
    assert said in str(found.value)


def test_files_that_fill_the_memory(monkeypatch):
    monkeypatch.setattr("lit_rec.data.texts.tokenizer_files._MOST_BYTES", 10)
    with pytest.raises(CheckpointError, match="files of 11 bytes"):
        TokenizerFiles({"vocab.txt": b"x" * 11}).open()


def test_code_that_comes_with_a_tokenizer_is_not_run(folder, tmp_path, monkeypatch):
    ran = tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\nclass Own: pass\n")
    changed(folder, auto_map={"AutoTokenizer": ["own.Own", None]}, tokenizer_class="Own")
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("it asked a question"))
    with pytest.raises(ConfigError, match="auto_map") as found:
        TokenizerFiles.load(str(folder), option="data.encoder")
    assert str(folder) in str(found.value)
    assert not ran.exists()


def test_a_file_elsewhere_is_not_read(folder, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    changed(folder, vocab_file=str(tmp_path / "secret.txt"))
    with pytest.raises(ConfigError, match="vocab_file"):
        TokenizerFiles.load(str(folder), option="data.encoder")


def test_where_a_tokenizer_was_saved_says_nothing_here(tokenizer, folder):
    changed(folder, special_tokens_map_file="/home/nobody/.cache/special_tokens_map.json")
    loaded = TokenizerFiles.load(str(folder), option="data.encoder")
    assert loaded.open()(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]


def test_an_option_that_is_looked_at_when_a_text_comes(tokenizer, folder):
    changed(folder, model_max_length="../x")
    with pytest.raises(ConfigError, match=r"no tokenizer can be read .*TypeError"):
        TokenizerFiles.load(str(folder), option="data.encoder")
    files = TokenizerFiles.of(tokenizer).files
    with pytest.raises(CheckpointError, match=r"cannot be opened .*TypeError"):
        TokenizerFiles({**files, CONFIG: (folder / CONFIG).read_bytes()}).open()
