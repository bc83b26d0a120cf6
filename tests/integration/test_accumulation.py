"""Accumulated micro-batches are one batch: the same rows, and every target counts alike."""

import pytest

from .conftest import lit_rec
from .own_runs import checkpoint, difference, logged, part, uneven, write

pytestmark = pytest.mark.filterwarnings("default")
# a penalty of weights, and values that are chosen after the steps 1, 2 and 3 of 6
ADALORA = part("AdaLoraTuning", rank=1, begin=0.0, settle=0.5, every=1)


@pytest.mark.parametrize("tuning", [None, ADALORA], ids=["all is trained", "adalora"])
def test_four_micro_batches_are_one_batch(workplace, tmp_path, tuning):
    """Rows without a rating make their targets unequal, and the epoch's last step has fewer of them."""
    # clipping would hide a gradient that is too small or too large as a whole
    config = uneven(workplace, max_epochs=1, gradient_clip_val=None)
    if tuning is not None:
        backbone = config["model"]["network"]["init_args"]["item_encoder"]["init_args"]["backbone"]
        backbone["init_args"]["tuning"] = tuning
        # steps as large as gradients: AdamW would hide their size
        config["model"] |= {"optimizer": part("torch.optim.SGD"), "encoder_rate": 1e-2}
    path = write(config, tmp_path / "config.yaml")
    runs = []
    for size, times in ((64, 1), (16, 4)):
        words = (f"--data.batch_size={size}", f"--trainer.accumulate_grad_batches={times}")
        lit_rec("fit", "-c", path, *words, f"--trainer.logger.init_args.name={times}")
        runs.append(tmp_path / f"runs/{times}/version_0")
    one, other = map(checkpoint, runs)
    assert one["global_step"] == other["global_step"] == 6
    assert difference(one, other) < 1e-6
    values = logged(runs[0])
    ends = {key: value for key, value in logged(runs[1]).items() if key[0] != "train/loss_step"}
    assert ends == pytest.approx({key: values[key] for key in ends}, rel=1e-5)
    assert {name for name, _ in ends} == {"train/loss", "val/loss", "val/rmse", "val/mae"}
