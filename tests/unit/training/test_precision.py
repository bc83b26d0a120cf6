"""Which precisions a run may have."""

from types import SimpleNamespace

import lightning
import pytest
import torch
from torch import nn

from lit_rec.data.batches.batch import Texts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.errors import ConfigError
from lit_rec.training import precision
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.precision import PrecisionProbe, check_precision

pytestmark = pytest.mark.filterwarnings("default")


def trainer_of(named):
    return lightning.Trainer(
        accelerator="cpu", precision=named, logger=False, enable_checkpointing=False
    )


@pytest.mark.parametrize("named", [None, 32, "32", "32-true", "bf16", "bf16-mixed"])
def test_float32_and_mixed_precision(named):
    check_precision(trainer_of(named))


@pytest.mark.parametrize("named", ["64-true", "bf16-true", "16-true"])
def test_no_other_precision(named):
    with pytest.raises(ConfigError, match=rf"Trainer\.precision: '{named}' .*"):
        check_precision(trainer_of(named))


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


class Timed(nn.Linear):
    """An encoder whose pass takes as many seconds of a made-up clock as this says for bfloat16, and one for float32."""

    def __init__(self, mixed):
        super().__init__(1, 1)
        self.mixed, self.texts, self.clock = mixed, [], 0.0

    def forward(self, chunk):
        half = torch.is_autocast_enabled("cpu")
        self.texts.append(len(chunk.mask))
        self.clock += self.mixed if half else 1.0
        return super().forward(chunk.mask.float().unsqueeze(-1))


@pytest.mark.parametrize(
    ("mixed", "faster", "texts"),
    [
        (0.8, True, [2] * 4 + [9] * 8),
        (0.95, False, [2] * 4 + [9] * 8),
        (3.9, False, [2] * 4 + [9] * 8),
        (50.0, False, [2] * 4),
    ],
)
def test_bf16_that_is_imitated_is_not_timed_on_many_texts(monkeypatch, mixed, faster, texts):
    backbone = Timed(mixed)
    monkeypatch.setattr(precision, "_FEW", 2)
    monkeypatch.setattr(precision, "time", SimpleNamespace(perf_counter=lambda: backbone.clock))
    batch = SimpleNamespace(texts=Texts(torch.arange(18).int(), torch.arange(0, 19, 2)))
    trainer = SimpleNamespace(
        datamodule=SimpleNamespace(train_dataloader=lambda: [batch]),
        strategy=SimpleNamespace(broadcast=lambda value: value),
    )
    module = SimpleNamespace(
        network=SimpleNamespace(backbone=backbone),
        device=torch.device("cpu"),
        facts=SimpleNamespace(special=SpecialTokens((1,), (2,), 0)),
        zero_grad=backbone.zero_grad,
    )
    assert PrecisionProbe()._probe(trainer, module) == faster
    assert backbone.texts == texts
    assert backbone.weight.grad is None
