"""Items are encoded once, whichever command asks: validate, test, predict or a Recommender."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
import torch

from lit_rec.inference.recommender import Recommender
from lit_rec.inference.stored.network import load_module
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.text.backbone import Backbone
from lit_rec.training.checkpoint.content import catalogue_of, facts_of

from .conftest import lit_rec
from .own_runs import vectors_of, without_vectors

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def encoded(monkeypatch, caplog):
    """Run a command and return how many items it encoded, and what it says of them."""
    forward, items = ItemEncoder.forward, []

    def count(self, texts, given):
        items.append(len(given.vocab_row))
        return forward(self, texts, given)

    monkeypatch.setattr(ItemEncoder, "forward", count)

    def run(command, *words):
        items.clear()
        caplog.clear()
        command(*words)
        told = re.findall(r"item vectors: (\d+) items, (\d+) found, (\d+) encoded", caplog.text)
        return sum(items), [tuple(map(int, line)) for line in told]

    return run


def test_the_first_test_after_fit_encodes_nothing(run_folder, encoded, tmp_path):
    cache = f"--data.cache_folder={tmp_path}/cache"
    for command in ("predict", "test"):
        assert not (tmp_path / "cache/vectors").exists()
        found = encoded(lit_rec, command, "--ckpt_path", run_folder / "best.ckpt", cache)
        assert found == (0, [(40, 40, 0)])


def test_texts_of_the_baselines_are_encoded_by_the_first_test(
    run_folder, workplace, tmp_path, monkeypatch, caplog
):
    """The second reads no text at all and reports the same numbers; of other texts, those are read."""
    forward, texts = Backbone.forward, []
    monkeypatch.setattr(
        Backbone,
        "forward",
        lambda self, chunk, **more: texts.append(len(chunk.mask)) or forward(self, chunk, **more),
    )
    shutil.copy(run_folder / "best.ckpt", tmp_path)
    table = pl.read_csv(workplace / "my/items.csv", infer_schema=False)
    table[7, "title"] = "night of the unread"
    table.write_csv(tmp_path / "changed.csv")
    words = ["test", "--ckpt_path", tmp_path / "best.ckpt", f"--data.cache_folder={tmp_path}/cache"]
    reports, encoded = [], []
    for more in ([], [], [f"--data.reader.items={tmp_path}/changed.csv"]):
        texts.clear()
        caplog.clear()
        lit_rec(*words, *more)
        [told] = re.findall(r"frozen text vectors: (\d+) texts, (\d+) found", caplog.text)
        encoded.append((sum(texts), int(told[0]) - int(told[1])))
        reports.append(json.loads((tmp_path / "report.json").read_text())["rows"])
    assert reports[0] == reports[1]
    assert encoded[0][0] == encoded[0][1] > 1
    # of the changed item, the model reads its text too
    assert encoded[1:] == [(0, 0), (2, 1)]


def test_what_one_command_encodes_the_others_find(run_folder, workplace, encoded, tmp_path):
    cache = str(tmp_path / "cache")
    best = run_folder / "best.ckpt"
    bare = without_vectors(best, tmp_path / "bare.ckpt", cache_folder=cache)
    assert encoded(lit_rec, "validate", "--ckpt_path", bare) == (40, [(40, 0, 40)])
    for command in ("test", "predict"):
        assert encoded(lit_rec, command, "--ckpt_path", bare) == (0, [(40, 40, 0)])
    assert encoded(Recommender.from_checkpoint, bare) == (0, [(40, 40, 0)])

    module, content = load_module(bare)
    plain = module.item_table(catalogue_of(content, facts_of(content)))
    assert torch.equal(vectors_of(Recommender.from_checkpoint(bare)), plain)

    table = pl.read_csv(workplace / "my/items.csv", infer_schema=False)
    new = table.head(3).with_columns(
        item_id=pl.Series(["n1", "n2", "n3"]), title=pl.lit("a new one")
    )
    pl.concat([new, table]).write_csv(tmp_path / "grown.csv")
    changed = table.with_columns(
        title=pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("night")).otherwise("title")
    )
    changed.write_csv(tmp_path / "changed.csv")
    grown = f"--data.reader.items={tmp_path}/grown.csv"
    assert encoded(lit_rec, "validate", "--ckpt_path", bare, grown) == (3, [(43, 40, 3)])
    # of a checkpoint's vectors as of those on disk
    other = [f"--data.reader.items={tmp_path}/changed.csv", f"--data.cache_folder={tmp_path}/other"]
    for count in (1, 0):
        found = encoded(lit_rec, "validate", "--ckpt_path", best, *other)
        assert found == (count, [(40, 40 - count, count)])

    # the folder that the checkpoint names is no cache: the one next to it was used, and where that is not, there is
    # none
    assert not Path(cache).exists()
    shutil.rmtree(tmp_path / ".lit_rec_cache")
    assert encoded(Recommender.from_checkpoint, bare) == (40, [])
    assert not (tmp_path / ".lit_rec_cache").exists()


def test_vectors_of_other_weights_are_not_taken(run_folder, encoded, tmp_path):
    """Not even a checkpoint's own, where somebody changed its weights and nothing else."""
    content = torch.load(run_folder / "best.ckpt", weights_only=True)
    weight = content["state_dict"]["network.item_encoder.ids.embedding.weight"]
    weight[3, 0] = torch.nextafter(weight[3, 0], torch.tensor(9.0))
    torch.save(content, tmp_path / "other.ckpt")
    words = ("validate", "--ckpt_path", tmp_path / "other.ckpt")
    cache = f"--data.cache_folder={tmp_path}/cache"
    assert [encoded(lit_rec, *words, cache)[0] for _ in range(2)] == [40, 0]
