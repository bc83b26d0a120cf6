"""Encoders that were cut to the words of some texts: transformers reads these as before."""

import json

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from lit_rec.errors import ConfigError
from lit_rec.export.pruning.pruned_encoder import STAMP, prune_encoder

from . import encoders

KINDS = ("Unigram", "WordPiece", "BPE")


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    """The folder of an encoder by kind of tokenizer, that of its cut form, and what was said of it."""
    found = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp(kind)
        whole = encoders.write(kind, folder / "whole")
        found[kind] = whole, prune_encoder(whole, encoders.TEXTS, folder / "cut")
    return found


def vectors(folder, text):
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    read = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        found = model.eval()(input_ids=read["input_ids"]).last_hidden_state[0]
    return tokenizer.convert_ids_to_tokens(read["input_ids"][0]), found


@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_the_data_keep_tokens_and_vectors(pruned, kind):
    whole, made = pruned[kind]
    for text in encoders.TEXTS:
        (names, before), (cut_names, after) = vectors(whole, text), vectors(made.folder, text)
        assert cut_names == names
        assert (after - before).abs().max() < 1e-6
    assert made.difference < 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_gone_and_their_rows_too(pruned, kind):
    whole, made = pruned[kind]
    before, after = (AutoModel.from_pretrained(folder) for folder in (whole, made.folder))
    tokenizer = AutoTokenizer.from_pretrained(made.folder)
    assert made.pieces[1] == len(tokenizer) == after.get_input_embeddings().num_embeddings
    assert after.config.vocab_size == made.pieces[1] < made.pieces[0]
    assert made.parameters == (before.num_parameters(), after.num_parameters())
    assert json.loads((made.folder / STAMP).read_text())["texts"] == len(set(encoders.TEXTS))
    assert after.config.pad_token_id == tokenizer.pad_token_id == 1
    assert (tokenizer.mask_token_id, tokenizer.unk_token_id) == (
        tokenizer.convert_tokens_to_ids("<mask>"),
        tokenizer.convert_tokens_to_ids("<unk>"),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_other_texts_are_read_in_smaller_pieces(pruned, kind):
    whole, made = pruned[kind]
    whole, cut = AutoTokenizer.from_pretrained(whole), AutoTokenizer.from_pretrained(made.folder)
    for text in encoders.OTHER:
        before, after = whole(text)["input_ids"], cut(text)["input_ids"]
        assert len(after) >= len(before)
        assert after.count(cut.unk_token_id) <= before.count(whole.unk_token_id)
    lengths = [sum(map(len, t(encoders.SENTENCES)["input_ids"])) for t in (whole, cut)]
    assert lengths[1] > lengths[0]


def test_common_pieces_stay(pruned, tmp_path):
    whole, made = pruned["WordPiece"]
    tokenizer = AutoTokenizer.from_pretrained(whole)
    more = prune_encoder(whole, encoders.TEXTS, tmp_path / "more", common=140)
    kept = AutoTokenizer.from_pretrained(more.folder).get_vocab()
    assert {*tokenizer.convert_ids_to_tokens(range(140))} <= kept.keys()
    assert more.pieces[1] > made.pieces[1]


def test_a_word_unknown_as_a_whole_stays_unknown(tmp_path):
    # `ab` is found first, then nothing fits: without `ab`, `a` and `##b#` would fit
    whole = encoders.write("WordPiece", tmp_path / "whole")
    path = tmp_path / "whole/tokenizer.json"
    content = json.loads(path.read_text())
    vocab = content["model"]["vocab"]
    for piece in ("xyz", "##zq"):
        vocab[piece] = len(vocab)
    for letter in ("x", "##y"):
        vocab.setdefault(letter, len(vocab))
    assert not {"##q", "xy"} & vocab.keys()
    path.write_text(json.dumps(content))
    before = AutoTokenizer.from_pretrained(whole)
    assert before.tokenize("xyzq") == ["<unk>"]
    made = prune_encoder(whole, ["xyzq", "the azq"], tmp_path / "cut")
    assert AutoTokenizer.from_pretrained(made.folder).tokenize("xyzq") == ["<unk>"]


def test_half_precision_stays(tmp_path):
    whole = encoders.write("Unigram", tmp_path / "whole")
    AutoModel.from_pretrained(whole).half().save_pretrained(whole)
    made = prune_encoder(whole, encoders.TEXTS, tmp_path / "cut")
    rows = [
        AutoModel.from_pretrained(folder).get_input_embeddings() for folder in (whole, made.folder)
    ]
    assert rows[1].weight.dtype == torch.float16
    names = [AutoTokenizer.from_pretrained(folder).get_vocab() for folder in (whole, made.folder)]
    for name, at in names[1].items():
        assert torch.equal(rows[1].weight[at], rows[0].weight[names[0][name]])


def test_what_sentence_transformers_reads_comes_along(tmp_path):
    whole = encoders.write("Unigram", tmp_path / "whole")
    (tmp_path / "whole/1_Pooling").mkdir()
    (tmp_path / "whole/1_Pooling/config.json").write_text("{}")
    (tmp_path / "whole/modules.json").write_text("[]")
    made = prune_encoder(whole, encoders.TEXTS, tmp_path / "cut")
    assert (made.folder / "1_Pooling/config.json").read_text() == "{}"
    assert (made.folder / "modules.json").read_text() == "[]"


def test_an_earlier_pruning_is_replaced_where_asked(tmp_path):
    whole = encoders.write("Unigram", tmp_path / "whole")
    prune_encoder(whole, encoders.TEXTS[:2], tmp_path / "cut")
    with pytest.raises(ConfigError, match="--overwrite"):
        prune_encoder(whole, encoders.TEXTS, tmp_path / "cut")
    assert prune_encoder(whole, encoders.TEXTS, tmp_path / "cut", overwrite=True).texts == 6
    with pytest.raises(ConfigError, match="no export wrote"):
        prune_encoder(whole, encoders.TEXTS, whole, overwrite=True)
