"""Answers without Lightning, and without the encoder until a text comes, are the same as with them."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lit_rec.errors import CheckpointError
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.stored.late_backbone import LateBackbone
from lit_rec.inference.stored.model import StoredModel
from lit_rec.inference.stored.network import load_for_answers, load_module

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("default")
TEXT = {"title": "a night of love", "genres": "Drama"}
NEW = [{"item_id": "new", "title": "red river", "genres": "Drama"}]
IMPORTED = """
import sys
from lit_rec.cli.main import main
main(["recommend", "--ckpt_path", sys.argv[1], "--user", "405", "--json"])
large = {"lightning", "torchmetrics", "transformers", "scipy", "sklearn", "torch._dynamo"}
print("large:", sorted(large & {*sys.modules}))
"""


@pytest.fixture(scope="module")
def both(run_folder):
    """A Recommender of the whole module, and one of the network alone."""
    path = run_folder / "best.ckpt"
    lean = Recommender.from_checkpoint(path)
    assert isinstance(lean._module, StoredModel)
    assert isinstance(lean._module.network.backbone, LateBackbone)
    return Recommender(*load_module(path), str(path)), lean


def test_the_same_answers(both):
    whole, lean = both
    assert not lean._module.network.backbone._found, "nothing asked for the encoder yet"
    for user in ("405", "7"):
        assert whole.recommend(user=user, k=40) == lean.recommend(user=user, k=40)
        assert whole.similar("50", 40) == lean.similar("50", 40)
        assert whole.score(["50"], ["181"], user=user) == lean.score(["50"], ["181"], user=user)
    assert not lean._module.network.backbone._found, "nor do answers by ids"


def test_the_same_answers_about_texts(both):
    whole, lean = both
    for history in ([TEXT], ["50", TEXT]):
        assert whole.recommend(history, 40) == lean.recommend(history, 40)
    assert lean._module.network.backbone._found
    for rec in both:
        rec.add_items(NEW)
    assert whole.recommend(["50"], 41) == lean.recommend(["50"], 41)


def test_a_copy_before_the_first_text_and_after_it(run_folder):
    rec = Recommender.from_checkpoint(run_folder / "best.ckpt")
    twin = copy.deepcopy(rec)
    expected = rec.recommend([TEXT], 5)
    assert twin.recommend([TEXT], 5) == expected
    assert copy.deepcopy(rec).recommend([TEXT], 5) == expected


def test_other_checkpoints_are_built_with_lightning(run_folder, tmp_path):
    """Where vectors have to be made, or something is unusual, nothing changes."""
    whole = torch.load(run_folder / "best.ckpt", weights_only=True)
    whole["lit_rec"]["catalogue"]["vectors"] = None
    torch.save(whole, tmp_path / "bare.ckpt")
    module, _ = load_for_answers(tmp_path / "bare.ckpt")
    assert isinstance(module, StoredModel)
    assert not isinstance(module.network.backbone, LateBackbone)
    whole["lit_rec"]["config"]["model"]["optimizer"] = {"class_path": "canary.Boom"}
    torch.save(whole, tmp_path / "strange.ckpt")
    with pytest.raises(CheckpointError, match="canary"):
        load_for_answers(tmp_path / "strange.ckpt")


def test_encoder_weights_that_do_not_fit_are_refused_with_the_first_text(run_folder, tmp_path):
    whole = torch.load(run_folder / "best.ckpt", weights_only=True)
    name = next(
        n for n in whole["state_dict"] if "backbone" in n and n.endswith("LayerNorm.weight")
    )
    del whole["state_dict"][name]
    torch.save(whole, tmp_path / "broken.ckpt")
    rec = Recommender.from_checkpoint(tmp_path / "broken.ckpt")
    assert len(rec.recommend(user="405")) == 10
    with pytest.raises(CheckpointError, match=r"its weights are not those of its network"):
        rec.recommend([TEXT])


def test_lightning_and_the_encoder_are_not_imported(run_folder):
    words = [sys.executable, "-c", IMPORTED, str(run_folder / "best.ckpt")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("large: []\n")
