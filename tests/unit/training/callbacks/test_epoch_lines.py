"""EpochLines: what its lines say."""

import re
from types import SimpleNamespace

import pytest
import torch

from lit_rec.progress import epoch_line, metric_lines
from lit_rec.tasks.registry import all_tasks
from lit_rec.training.callbacks.epoch_lines import EpochLines, deciding_metric
from lit_rec.training.callbacks.order import with_screen
from lit_rec.training.callbacks.parts_summary import parameters_of_parts


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.target.name)
def test_a_line_has_at_most_five_figures_in_80_columns_for_every_task(task):
    for name in task.deciding:
        figures = {"loss": "0.9123", f"val/{name}": "0.0921", "rate": "1.0e-03"}
        line = epoch_line("10/100", figures, "1:02:03")
        assert len(line) <= 80
        assert len(line.split("  ")) <= 5
        assert line.startswith(f"epoch 10/100  loss 0.9123  val/{name} 0.0921  rate 1.0e-03")


def test_what_does_not_fit_is_left_out():
    figures = {"loss": "0.9123", "val/" + "x" * 60: "0.1", "rate": "1.0e-03"}
    assert (
        epoch_line("1/2", figures, "0:00:07")
        == "epoch 1/2  loss 0.9123  rate 1.0e-03  left 0:00:07"
    )


class Run(SimpleNamespace):
    """As much of a Trainer as a line needs: 5 steps an epoch, of 10 seconds each."""

    def __init__(self, **more):
        found = {"global_step": 0, "max_epochs": 2, "current_epoch": 0, "checkpoint_callbacks": []}
        found |= {"estimated_stepping_batches": 10, "callback_metrics": {}, "loggers": []}
        rates = [{"lr": 2e-5}, {"lr": torch.tensor(1e-2)}]
        found["optimizers"] = [SimpleNamespace(param_groups=rates)]
        super().__init__(**found | more)


def line_of(trainer, monkeypatch, capsys, *, validated=True):
    bar, module = EpochLines(), SimpleNamespace(facts=None)
    seconds = iter([100.0, 150.0])
    monkeypatch.setattr(
        "lit_rec.training.callbacks.epoch_lines.time.monotonic", lambda: next(seconds)
    )
    bar.on_train_start(trainer, module)
    bar.on_train_batch_start(trainer, module, None, 4)
    if validated:
        trainer.state = SimpleNamespace(fn="fit")
        bar.on_validation_end(trainer, module)
    trainer.global_step += 5
    for group in trainer.optimizers[0].param_groups:
        group["lr"] = 0.0  # the schedule has moved on
    bar.on_train_epoch_end(trainer, module)
    return capsys.readouterr().out.rstrip()


MONITORED = {
    "callback_metrics": {"train/loss": torch.tensor(0.91234), "val/auc": torch.tensor(0.70001)},
    "checkpoint_callbacks": [SimpleNamespace(monitor="val/auc")],
}


def test_the_rate_is_of_the_last_step_and_the_rest_of_the_run_is_foreseen(monkeypatch, capsys):
    line = line_of(Run(**MONITORED), monkeypatch, capsys)
    assert line == "epoch 1/2  loss 0.9123  val/auc 0.7000  rate 1.0e-02  left 0:00:50"


def test_a_metric_of_an_earlier_epoch_is_not_shown(monkeypatch, capsys):
    assert "val/auc" not in line_of(Run(**MONITORED), monkeypatch, capsys, validated=False)


def test_a_resumed_run_counts_its_own_steps(monkeypatch, capsys):
    run = Run(
        **MONITORED,
        global_step=100,
        estimated_stepping_batches=115,
        current_epoch=20,
        max_epochs=23,
    )
    line = line_of(run, monkeypatch, capsys)
    assert re.search(r"epoch 21/23 .* left 0:01:40", line)


def test_a_run_without_an_end_has_no_time_left(monkeypatch, capsys):
    run = Run(**MONITORED, estimated_stepping_batches=float("inf"), max_epochs=-1)
    assert line_of(run, monkeypatch, capsys).endswith("left ?")


def test_metrics_are_in_the_order_of_their_numbers():
    names = ["val/mrr@10", "val/mrr@5", "val/loss", "val/ndcg@10"]
    lines = metric_lines(dict.fromkeys(names, 0.5), "val/ndcg@10")
    assert [line.split()[0] for line in lines] == [
        "val/loss",
        "val/ndcg@10",
        "val/mrr@5",
        "val/mrr@10",
    ]


def test_other_processes_are_silent(capsys):
    bar = EpochLines()
    bar.disable()
    bar.print("epoch 1/2")
    assert capsys.readouterr().out == ""
    bar.enable()
    bar.print("epoch 1/2")
    assert capsys.readouterr().out == "epoch 1/2\n"


def test_the_deciding_metric_is_the_monitors():
    run = Run(**MONITORED)
    assert deciding_metric(run, SimpleNamespace(facts=None)) == "val/auc"
    run.checkpoint_callbacks = []
    assert deciding_metric(run, SimpleNamespace(facts=None)) is None
    facts = SimpleNamespace(task="label")
    assert deciding_metric(run, SimpleNamespace(facts=facts)) == "val/auc"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["EpochLines", "PartsSummary"]),
        ({"enable_progress_bar": False}, ["PartsSummary"]),
        ({"enable_model_summary": False}, ["EpochLines"]),
        ({"barebones": True}, []),
    ],
)
def test_options_of_the_trainer_decide_what_is_shown(options, expected):
    assert [type(one).__name__ for one in with_screen([], options)] == expected


def test_each_parameter_is_counted_in_one_part():
    encoder, head = torch.nn.Linear(3, 2), torch.nn.Linear(2, 1)
    network = torch.nn.ModuleDict({"item_encoder": torch.nn.Sequential(encoder), "head": head})
    network.backbone = encoder
    encoder.requires_grad_(requires_grad=False)
    found = parameters_of_parts(SimpleNamespace(built=lambda: network))
    assert found == {"encoder": (0, 8), "head": (3, 3), "network": (3, 11)}
