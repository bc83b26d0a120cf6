"""Which precisions a run may have."""

import lightning
import pytest

from lit_rec.errors import ConfigError
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.precision import PrecisionProbe, check_precision

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


def test_a_resumed_run_keeps_what_was_chosen(monkeypatch):
    probed = []
    monkeypatch.setattr(PrecisionProbe, "_probe", lambda *given: bool(probed.append(given)) or True)
    module, first, second = LitRec(lambda facts: None), PrecisionProbe(), PrecisionProbe()
    first.on_fit_start(trainer_of(None), module)
    second.load_state_dict(first.state_dict())
    trainer = trainer_of(None)
    second.on_fit_start(trainer, module)
    assert len(probed) == 1
    assert trainer.strategy.precision_plugin.precision == "bf16-mixed"
