"""The encoder of a run as a folder of its own, from the command line."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from lit_rec.data.batches.batch import Items
from lit_rec.inference.stored.network import load_module
from lit_rec.training.checkpoint.content import catalogue_of, facts_of

from .conftest import lit_rec, message

pytestmark = pytest.mark.filterwarnings("default")


def test_encoder_of_a_run(run_folder, tmp_path, capsys, whole):
    from sentence_transformers import SentenceTransformer

    lit_rec("export-encoder", "--ckpt_path", run_folder / "best.ckpt", "--output", "encoder")
    said = capsys.readouterr().out
    assert f"encoder: {tmp_path}/encoder\n" in said
    assert "for AutoModel and SentenceTransformer; vectors of 16, texts of 64 tokens" in said
    card = (tmp_path / "encoder/README.md").read_text()
    assert "<title>. <genres>" in card
    assert "read by `TableReader` and split by `TimeSplit`" in card
    assert (
        str(run_folder.parents[2]) not in card
    )  # nor is the folder of the pretrained encoder named
    assert "base_model" not in card

    stored = load_file(tmp_path / "encoder/model.safetensors")
    start = "network.item_encoder.backbone.model."
    trained = {n.removeprefix(start): w for n, w in whole["state_dict"].items() if start in n}
    assert stored.keys() == trained.keys()
    assert all(torch.equal(stored[name], trained[name]) for name in trained)

    # through the recommender's own projection they are the item vectors that validation saw
    module, content = load_module(run_folder / "best.ckpt")
    columns = content["catalogue"]["columns"]
    pairs = zip(columns["title"], columns["genres"], strict=True)
    texts = [f"{title}. {genres}" for title, genres in pairs]
    vectors = torch.tensor(SentenceTransformer("encoder").encode(texts))
    rows = np.arange(len(texts))
    of_item = catalogue_of(content, facts_of(content)).take(rows)[1]
    items = Items(torch.arange(len(texts)).unsqueeze(1), of_item.catalogue_row, of_item.vocab_row)
    encoder = module.eval().built().item_encoder
    with torch.no_grad():
        told = torch.ones(len(texts), dtype=torch.bool)
        projected = encoder.fields.project(vectors, told)
        found = encoder.fields(projected, items) + encoder.ids(items.vocab_row)
    torch.testing.assert_close(found, content["catalogue"]["vectors"], atol=1e-5, rtol=0)


def test_what_cannot_be_exported(run_folder, tmp_path, capsys):
    def refused(*words, path=run_folder / "best.ckpt"):
        return message(capsys, "export-encoder", "--ckpt_path", path, *words)

    (tmp_path / "held").mkdir()
    (tmp_path / "held/thesis.txt").write_text("years of work")
    assert "the folder holds thesis.txt" in refused("--output", "held")
    assert "what no export wrote: thesis.txt" in refused("--output", "held", "--overwrite")
    assert (tmp_path / "held/thesis.txt").read_text() == "years of work"
    assert "there is no such file" in refused("--output", "new", path=tmp_path / "none.ckpt")
    assert "is no name of the hub" in refused("--output", "new", "--base_model", "../encoder")
    assert "--output" in refused()
    assert [path.name for path in tmp_path.iterdir()] == ["held"]


def test_help_is_short(capsys):
    with pytest.raises(SystemExit) as stop:
        lit_rec("export-encoder", "--help")
    assert stop.value.code == 0
    assert len(capsys.readouterr().out.splitlines()) < 24
