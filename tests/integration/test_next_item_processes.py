"""The next item on two processes: the weights and the figures are those of one.

Items of both are compared with, and gradients go into the encoder.
"""

from unittest import mock

import pytest

from . import several_commands
from .own_runs import checkpoint, difference, part, run_apart, uneven, write

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.slow]

TWO = ("--data.batch_size=4", "--trainer.devices=2", "--trainer.strategy=ddp")


@pytest.fixture(scope="module")
def runs(workplace, tmp_path_factory):
    """A folder with the run of one process (eight sequences a step) and of two (four each), and the metrics of both."""
    folder = tmp_path_factory.mktemp("next_item_processes")
    config = uneven(workplace, max_epochs=1)
    config["trainer"]["logger"]["init_args"]["save_dir"] = str(folder)
    data = config["data"]["init_args"]
    # of 30 users sequences of 8 to 13 rows, and what is left of them: batches of both kinds
    data |= {"task": "next_item", "batch_size": 8}
    data["history"]["init_args"]["max_length"] = 5
    models = "lit_rec.models"
    causal = f"{models}.causal_transformer.CausalTransformerUserEncoder"
    parts = config["model"]["network"]["init_args"]
    parts["user_encoder"] = part(causal, layers=1, dropout=0.0, max_length=5)
    parts["head"] = part(f"{models}.vector_heads.CosineHead")
    negatives = part("lit_rec.data.batches.negatives.BatchNegatives")
    objective = part(f"{models}.ranking_objectives.ItemSoftmax", negatives=negatives)
    config["model"] |= {"objective": objective, "head_rate": 1e-3, "head_decay": 0.01}
    fit = ["fit", "-c", str(write(config, folder / "config.yaml"))]
    named = [f"--trainer.logger.init_args.name={name}" for name in ("one", "two")]
    with mock.patch("sys.argv", ["lit-rec"]):
        one, _ = several_commands.run_all([[*fit, named[0]]])
    two, _ = run_apart([[*fit, named[1], *TWO]], folder, seconds=200)
    return folder, one[0], two[0]


def test_two_processes_train_what_one_does(runs):
    folder, _, _ = runs
    one, two = (checkpoint(folder / f"{name}/version_0") for name in ("one", "two"))
    assert one["global_step"] == two["global_step"] >= 6
    assert any("backbone" in name for name in one["state_dict"])
    assert difference(one, two) < 1e-5


def test_two_processes_measure_what_one_does(runs):
    _, one, two = runs
    assert {"train/loss", "val/loss", "val/ndcg@10", "val/masked_recall@10"} <= one.keys()
    assert two == pytest.approx(one, abs=1e-4)
