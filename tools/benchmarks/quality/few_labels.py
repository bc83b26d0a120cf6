"""What ten labels of a kind can do, with the other texts unlabelled: tools/benchmark quality few-labels.

Each way is trained on five draws of ten texts of each label of Banking77. The other texts of its training file, about
8,200, have no label for it: `self_training` learns from those of which a teacher is sure, `pretrained` begins with an
encoder that configs/pretrain_banking77.yaml trained on all of them, and the last way does both. What chose the options:
docs/self_training.md, docs/notes/labels.md.

The closed form on frozen vectors, `logistic_regression`, is shown for both encoders, with the difference on each draw,
and on the first one once more, trained on its own sure labels too: what stands beside `self_training`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lit_rec.evaluation.report.report import Report
from lit_rec.export.encoder import export_encoder
from tools.benchmarks.data_folder import check_data
from tools.benchmarks.quality.configurations import banking77_few, banking77_files
from tools.benchmarks.quality.draws import row_of_draws
from tools.benchmarks.quality.runs import Run, key_of, report_of
from tools.benchmarks.quality.self_trained_regression import self_trained_accuracies
from tools.benchmarks.quality.side_by_side import side_by_side

_NAME = "few-labels"
_CLOSED = "logistic_regression"
_OPTIONS = "--trainer.callbacks.init_args"
_SELF_TRAINING = (
    "--trainer.callbacks+=SelfTraining",
    f"{_OPTIONS}.confidence=0.5",
    f"{_OPTIONS}.ratio=2",
)
# each way's options, and whether it begins with the pretrained encoder; the first is what others are compared with
WAYS: dict[str, tuple[tuple[str, ...], bool]] = {
    "plain": ((), False),
    "self_training": (_SELF_TRAINING, False),
    "pretrained": ((), True),
    "pretrained_self_training": (_SELF_TRAINING, True),
}


def measure(data: Path, runs: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Return rows of name, metric, value, low, high, seeds and seconds.

    Args:
        data: Folder of the data sets.
        runs: Folder of all runs.
        quick: One draw of three steps, to see that it works; its figures mean nothing.
    """
    check_data(data, "banking77/train.csv")
    folder = runs / f"{_NAME}{'_quick' * quick}"
    few: tuple[str, ...] = ()
    if quick:
        few = ("--trainer.max_epochs=1", "--trainer.limit_train_batches=3")
        few += ("--trainer.check_val_every_n_epoch=1",)
    texts = (*banking77_files(data), *few)
    pretrained_encoder = f"--data.encoder={_pretrained(texts, folder)}"
    drawn = banking77_few(data)[: 1 if quick else None]
    planned = [
        Run(
            f"{way}/{draw.name}",
            draw.config,
            (*draw.words, *words, *((pretrained_encoder,) if pretrained else ()), *few),
        )
        for way, (words, pretrained) in WAYS.items()
        for draw in drawn
    ]
    found = [report_of(run, folder) for run in planned]
    rows = side_by_side(_NAME, planned, found, folder)
    reports = {run.name: report for run, (report, _) in zip(planned, found, strict=True)}
    alone = self_trained_accuracies(data / "banking77", range(len(drawn)))
    return rows + _closed_forms(reports, alone)


def _pretrained(texts: tuple[str, ...], folder: Path) -> Path:
    """Return the folder of the pretrained encoder, made if it is not there; another configuration has another one."""
    run = Run("pretrained_encoder", "configs/pretrain_banking77.yaml", texts)
    report_of(run, folder)
    output = folder / run.name / f"encoder_{key_of(run)[:12]}"
    if not output.is_dir():
        export_encoder(folder / run.name / "version_0/best.ckpt", output)
    return output


def _closed_forms(reports: dict[str, Report], self_trained: list[float]) -> list[dict[str, Any]]:
    """Return rows of logistic regression on the pretrained encoder, and with its own sure labels, by draw."""

    def of(way: str, model: str) -> list[float]:
        return [r.value(model) or 0.0 for name, r in reports.items() if name.startswith(f"{way}/")]

    def more(after: list[float], before: list[float]) -> list[float]:
        return [one - other for one, other in zip(after, before, strict=True)]

    plain, pretrained = of("plain", _CLOSED), of("pretrained", _CLOSED)
    figures = {
        (f"{_CLOSED}, pretrained", "accuracy"): pretrained,
        (f"{_CLOSED}, pretrained", "accuracy - plain"): more(pretrained, plain),
        (f"{_CLOSED}, self-trained", "accuracy"): self_trained,
        (f"{_CLOSED}, self-trained", "accuracy - plain"): more(self_trained, plain),
        ("self_training", f"accuracy - {_CLOSED}, self-trained"): more(
            of("self_training", "lit_rec"), self_trained
        ),
    }
    return [
        row_of_draws(f"{_NAME}: {name}", metric, values, 0.0)
        for (name, metric), values in figures.items()
    ]
