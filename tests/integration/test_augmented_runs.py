"""Runs with changed texts and histories: their checkpoints answer without what made the changes."""

import pytest
import torch

from lit_rec.inference.recommender import Recommender
from tests.unit.data.augmentation.test_back_translation import save

from .conftest import lit_rec
from .own_runs import checkpoint, configuration, difference, part, write

pytestmark = pytest.mark.filterwarnings("default")
PARTS = {
    "texts": ["DropWords", "SwapWords", "MaskWords"],
    "histories": ["CropBehaviors", "MaskBehaviors", "ReorderBehaviors"],
}


@pytest.fixture
def sources(tmp_path, workplace):
    """A thesaurus and two translation models."""
    titles = (workplace / "my/items.csv").read_text().split()
    words = sorted({word.strip(',."()') for word in titles if word.strip(',."()').isalpha()})
    (tmp_path / "synonyms.txt").write_text("\n".join(f"{word}: film" for word in words))
    return [save(tmp_path / name, seed) for seed, name in enumerate(("there", "back"))]


def test_a_checkpoint_needs_no_source_of_variants(sources, workplace, tmp_path):
    there, back = ({"folder": folder} for folder in sources)
    config = configuration(workplace, max_epochs=1, limit_train_batches=2)
    plain = lit_rec_fit(config, tmp_path, "plain")
    config["data"]["init_args"]["augmentation"] = [
        part("Synonyms", rate=0.1, file=str(tmp_path / "synonyms.txt")),
        part("BackTranslation", rate=0.1, copies=1, there=there, back=back),
        *(part(name, rate=0.25) for name in PARTS["texts"]),
        *(part(name, rate=0.3) for name in PARTS["histories"]),
    ]
    changed = lit_rec_fit(config, tmp_path, "changed")
    assert difference(checkpoint(plain), checkpoint(changed)) > 0
    one, other = (checkpoint(run)["lit_rec"]["catalogue"] for run in (plain, changed))
    for name in ("tokens", "offsets", "text_of_item"):
        assert torch.equal(one[name], other[name])
    (tmp_path / "synonyms.txt").unlink()
    for folder in sources:
        for file in (tmp_path / folder).iterdir():
            file.unlink()
    lit_rec("test", "--ckpt_path", changed / "last.ckpt")
    assert Recommender.from_checkpoint(changed / "last.ckpt").recommend(history=[], k=3)


def lit_rec_fit(config, tmp_path, name):
    config["trainer"]["logger"]["init_args"]["name"] = name
    lit_rec("fit", "-c", write(config, tmp_path / f"{name}.yaml"))
    return tmp_path / f"runs/{name}/version_0"
