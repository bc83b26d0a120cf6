import numpy as np
import polars as pl
import pytest
from transformers import BertTokenizerFast

from lit_rec.data.texts.token_cache import open_tokens, token_folder
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.data.texts.tokens import TokenStore, special_tokens

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "heat", "##ed", "story", "toy"]
TEXTS = ["heated toy", "", "toy toy toy toy toy story", "what a story"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("\n".join(WORDS))
    made = BertTokenizerFast(str(path))
    assert made.convert_tokens_to_ids("toy") == 9, "the vocabulary was not read"
    return made


def test_store_equals_the_tokenizer(tokenizer, monkeypatch):
    monkeypatch.setattr("lit_rec.data.texts.tokens._BLOCK", 3)
    done = []
    store = TokenStore.build(TEXTS, tokenizer, 6, progress=done.append)
    assert done == [3, 4]
    assert store.tokens.dtype == np.int32
    special = special_tokens(tokenizer)
    assert (special.prefix, special.suffix, special.pad) == ((2,), (3,), 0)
    for place, text in enumerate(TEXTS):
        ids = store.tokens[store.offsets[place] : store.offsets[place + 1]].tolist()
        expected = tokenizer(text, truncation=True, max_length=6)["input_ids"]
        assert [2, *ids, 3] == expected


def test_take_equals_a_loop(tokenizer):
    store = TokenStore.build(TEXTS, tokenizer, 64)
    chosen = np.array([3, 1, 1, 0])
    part = store.take(chosen)
    for place, text in enumerate(chosen):
        expected = store.tokens[store.offsets[text] : store.offsets[text + 1]]
        assert np.array_equal(part.tokens[part.offsets[place] : part.offsets[place + 1]], expected)
    assert len(store.take(np.empty(0, np.int64)).tokens) == 0


@pytest.mark.parametrize("texts", [TEXTS, [""], []])
def test_saved_store_is_the_same(tokenizer, tmp_path, texts):
    store = TokenStore.build(texts, tokenizer, 64)
    store.save(tmp_path)
    opened = TokenStore.open(tmp_path)
    assert np.array_equal(opened.tokens, store.tokens)
    assert np.array_equal(opened.offsets, store.offsets)
    assert isinstance(opened.tokens, np.memmap)


def test_cached_texts_of_fields_with_other_names(tokenizer, tmp_path):
    """Tables with equal texts are cached each under its own names, in its own order."""
    files = TokenizerFiles.of(tokenizer)
    for first, second in (("name", "about"), ("about", "name")):
        texts = pl.DataFrame({first: ["heated toy"], second: ["what a story"]})
        folder = token_folder(texts, files, 64, tmp_path, bar=False)
        store, of_item = open_tokens(folder, ["name", "about"])
        tokens = store.take(of_item[0, :1]).tokens.tolist()
        wanted = tokenizer(texts["name"][0], add_special_tokens=False)["input_ids"]
        assert tokens == wanted
