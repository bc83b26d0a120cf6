"""export_encoder: against the checkpoint's own vectors, transformers by hand, and sentence-transformers."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoTokenizer

from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.export.encoder import export_encoder
from lit_rec.export.transformers_files import write_transformers
from lit_rec.inference.stored.network import load_module
from lit_rec.training.checkpoint.content import catalogue_of, facts_of

# some libraries warn when they are imported, or of their own calls
pytestmark = pytest.mark.filterwarnings("default")

# a text longer than 12 tokens, one that is cut within a word pair, one of a single token, an unknown word
TEXTS = ["red blue", "night " * 40, "day", "a stranger. in red", "city : river . night day red"]
CASES = [("bert", "mean"), ("bert", "cls"), ("roberta", "mean"), ("gpt2", "last"), ("gpt2", "mean")]


@pytest.fixture
def exported(trained, tmp_path, monkeypatch):
    """Export into ``encoder`` of the working folder."""
    monkeypatch.chdir(tmp_path)

    def export(*which, **options):
        path, network = trained(*which)
        return export_encoder(path, "encoder", network=network, **options)

    return export


def checkpoint_vectors(path, network):
    """Return the text vectors of the catalogue's items, as the item encoder has them."""
    module, content = load_module(path, network)
    encoder = module.eval().built().item_encoder
    texts, items = catalogue_of(content, facts_of(content)).take(np.arange(9))
    with torch.no_grad():
        return encoder.encode_texts(texts)[items.text_index[:, 0]].numpy()


def by_hand(pooling, texts):
    """Return vectors of texts, each alone, pooled by plain indexing."""
    tokenizer, model = (
        AutoTokenizer.from_pretrained("encoder"),
        AutoModel.from_pretrained("encoder"),
    )
    vectors = []
    for text in texts:
        batch = tokenizer(text, truncation=True, return_tensors="pt")
        assert batch["input_ids"].shape[1] <= 12
        with torch.no_grad():
            tokens = model(**batch).last_hidden_state[0].numpy()
        vectors.append({"mean": tokens.mean(0), "cls": tokens[0], "last": tokens[-1]}[pooling])
    return np.stack(vectors)


def item_texts(data):
    """Return the texts of the made-up items, written by hand."""
    return [
        title + ("" if genres is None else f". genres: {genres}")
        for title, genres in zip(
            *(data.prepared.items[c] for c in ("title", "genres")), strict=True
        )
    ]


@pytest.mark.parametrize(("family", "pooling"), CASES)
def test_all_give_the_vectors_of_the_checkpoint(family, pooling, exported, trained, data):
    from sentence_transformers import SentenceTransformer

    made = exported(family, pooling)
    assert made.folder == Path("encoder").absolute()
    assert made.without is None
    assert (made.width, made.max_tokens) == (16, 12)
    assert made.difference < 1e-5
    texts = item_texts(data(family))
    expected = checkpoint_vectors(*trained(family, pooling))
    encoder = SentenceTransformer("encoder")
    assert encoder.max_seq_length == 12
    assert np.abs(expected).max() > 0.1
    assert np.ptp(expected, axis=0).max() > 0.1  # texts differ
    np.testing.assert_allclose(encoder.encode(texts), expected, atol=1e-5)
    np.testing.assert_allclose(by_hand(pooling, texts), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS), by_hand(pooling, TEXTS), atol=1e-5)


@pytest.mark.parametrize(("family", "pooling"), [*CASES[:2], CASES[3], ("bert", "attention")])
def test_the_model_card_runs(family, pooling, exported, trained, data):
    exported(family, pooling)
    card = Path("encoder/README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    blocks = [block for block in blocks if "text_template.json" not in block]
    assert len(blocks) == (1 if pooling == "attention" else 2)
    texts = item_texts(data(family))
    expected = checkpoint_vectors(*trained(family, pooling))
    for block in blocks:
        code, count = re.subn(r"^texts = .*$", f"texts = {texts!r}", block, flags=re.MULTILINE)
        assert count == 1
        found = {}
        exec(code, found)
        np.testing.assert_allclose(np.asarray(found["vectors"]), expected, atol=1e-5)


def test_pooling_that_sentence_transformers_does_not_know(exported):
    made = exported("bert", "attention")
    assert made.without == "sentence-transformers has no AttentionPooling"
    names = {path.name for path in made.folder.iterdir()}
    assert not names & {"modules.json", "1_Pooling", "sentence_bert_config.json"}
    assert {"config.json", "model.safetensors", "pooling.safetensors", "tokenizer.json"} <= names
    card = (made.folder / "README.md").read_text()
    assert "library_name: transformers\n" in card
    assert "sentence-transformers has no AttentionPooling." in card


def test_encoder_of_pairs_is_for_transformers_alone(exported, trained):
    made = exported("bert", "mean", "cross")
    assert "reads history and candidate as one text" in made.without
    assert made.max_tokens == 24
    assert not (made.folder / "modules.json").exists()
    assert "start of further training" in (made.folder / "README.md").read_text()
    weights = load_module(*trained("bert", "mean", "cross"))[0].built().backbone.model.state_dict()
    stored = load_file(made.folder / "model.safetensors")
    assert stored.keys() == weights.keys()
    assert all(torch.equal(stored[name], weights[name]) for name in weights)
    assert {weight.dtype for weight in stored.values()} == {torch.float32}


def test_encoder_of_a_text_classifier(exported, trained, data):
    exported("bert", "cls", "texts")
    expected = checkpoint_vectors(*trained("bert", "cls", "texts"))
    np.testing.assert_allclose(by_hand("cls", item_texts(data("bert"))), expected, atol=1e-5)


def test_network_without_an_encoder(exported, tmp_path):
    with pytest.raises(ConfigError, match="its TwoTower reads no text"):
        exported("bert", "mean", "ids")
    assert list(tmp_path.iterdir()) == []


def test_template_is_there_again(exported, data):
    exported()
    template = TextTemplate(**json.loads(Path("encoder/text_template.json").read_text()))
    rendered = template.render(data("bert").prepared.items)
    assert rendered["text"].to_list() == item_texts(data("bert"))


def test_no_file_names_a_folder_of_this_machine(exported, tmp_path, data):
    made = exported()
    for path in made.folder.rglob("*.*"):
        text = path.read_bytes()
        assert str(tmp_path).encode() not in text, path
        assert data("bert").encoder.encode() not in text, path
    config = json.loads((made.folder / "tokenizer_config.json").read_text())
    assert config["model_max_length"] == 12
    assert not {"max_length", "name_or_path", "is_local"} & config.keys()
    assert json.loads((made.folder / "tokenizer.json").read_text())["truncation"] is None


def test_folder_that_is_there(exported, trained, tmp_path):
    folder = tmp_path / "encoder"
    folder.mkdir()
    exported()  # an empty one is filled
    with pytest.raises(ConfigError, match=r"holds .*README.md") as refused:
        exported()
    assert "overwrite=True" in refused.value.remedy
    first = (folder / "model.safetensors").read_bytes()
    assert exported("gpt2", "last", overwrite=True).folder == folder
    assert (folder / "model.safetensors").read_bytes() != first
    assert "GPT2Model" in (folder / "README.md").read_text()
    (folder / "my notes.txt").write_text("kept")
    with pytest.raises(ConfigError, match=r"holds what no export wrote: my notes\.txt"):
        exported(overwrite=True)
    (folder / "my notes.txt").unlink()
    (folder / "text_template.json").unlink()  # as in a folder of another's encoder
    with pytest.raises(ConfigError, match=r"holds what no export wrote: .*config\.json"):
        exported(overwrite=True)
    path, network = trained()
    with pytest.raises(ConfigError, match="this is a file"):
        export_encoder(path, folder / "README.md", network=network)
    assert [path.name for path in tmp_path.iterdir()] == ["encoder"]


def test_what_is_written_wrong_is_not_put_in_place(exported, tmp_path, monkeypatch):
    def other_weights(encoder, folder):
        write_transformers(encoder, folder)
        with torch.no_grad():
            encoder.model.get_input_embeddings().weight.neg_()

    monkeypatch.setattr("lit_rec.export.encoder.write_transformers", other_weights)
    with pytest.raises(CheckpointError, match=r"makes other vectors .* when it is loaded again"):
        exported()

    def other_tokens(encoder, folder):
        write_transformers(encoder, folder)
        path = folder / "tokenizer.json"
        path.write_text(path.read_text().replace('"night": 7', '"night": 8'))

    monkeypatch.setattr("lit_rec.export.encoder.write_transformers", other_tokens)
    with pytest.raises(CheckpointError, match="makes other tokens"):
        exported()
    assert list(tmp_path.iterdir()) == []


def test_base_model_has_a_name(exported):
    with pytest.raises(ConfigError, match="'/my/encoder' is no name of the hub"):
        exported(base_model="/my/encoder")
    exported(base_model="sentence-transformers/all-MiniLM-L6-v2")
    card = Path("encoder/README.md").read_text()
    assert (
        "The text encoder (BertModel, which began as `sentence-transformers/all-MiniLM-L6-v2`)"
        in card
    )
    assert "for the task `rating`" in card
    assert "- ratings: 1 to 5" in card
    assert '\nbase_model: "sentence-transformers/all-MiniLM-L6-v2"\n' in card
