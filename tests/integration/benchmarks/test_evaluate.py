"""tools/benchmark speed evaluate, on a made-up archive and a tiny encoder."""

from unittest import mock

import pytest

from lit_rec.models.items.item_encoder import ItemEncoder
from tools.benchmarks.speed import evaluate

from .conftest import ROOT

pytestmark = pytest.mark.filterwarnings("default")


def test_both_sides_evaluate_the_test_rows(archive, workplace, tmp_path, monkeypatch):
    (tmp_path / "checkpoints").symlink_to(workplace / "checkpoints")
    monkeypatch.chdir(tmp_path)
    config = str(ROOT / "configs/movielens_u1.yaml")
    monkeypatch.setattr(evaluate, "_DATA", {"films": (config, "ml-100k", 1)})
    monkeypatch.setattr(evaluate, "_ROWS", 20)  # all of u1.test, so that nothing is scaled
    encoded = []
    encode = ItemEncoder.encode_texts

    def spied(self, texts):
        encoded.append(len(texts))
        return encode(self, texts)

    with mock.patch.object(ItemEncoder, "encode_texts", spied):
        ours, theirs, ratio = evaluate.measure(archive, quick=True)
    # two users of u1.test have no training row, so each of their rows is an occurrence of its own item alone
    assert theirs["metric"] == "every occurrence, seconds for 20"
    assert ours["metric"] == "lit_rec, seconds for 20 rows and 10 items"
    assert encoded == [2 * 20], "title and genres of each"
    assert ratio["value"] == pytest.approx(theirs["value"] / ours["value"])
    assert not list(tmp_path.glob("*.ckpt"))
