"""Which precisions a run may have."""

import lightning
import pytest

from lit_rec.errors import ConfigError
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.precision import check_precision

pytestmark = pytest.mark.filterwarnings("default")


def trainer_of(precision):
    return lightning.Trainer(
        accelerator="cpu", precision=precision, logger=False, enable_checkpointing=False
    )


@pytest.mark.parametrize("precision", [None, 32, "32", "32-true", "bf16", "bf16-mixed"])
def test_float32_and_mixed_precision(precision):
    check_precision(trainer_of(precision))


@pytest.mark.parametrize("precision", ["64-true", "bf16-true", "16-true"])
def test_no_other_precision(precision):
    with pytest.raises(ConfigError, match=rf"trainer\.precision: '{precision}' .*"):
        check_precision(trainer_of(precision))


def test_a_run_in_python_is_told_too():
    module = LitRec(lambda facts: None)
    module.trainer = trainer_of(64)
    with pytest.raises(ConfigError, match="'64-true'"):
        module.setup("fit")
