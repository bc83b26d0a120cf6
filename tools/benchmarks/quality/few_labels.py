"""What ten labels of a kind can do, with the other texts unlabelled: tools/benchmark quality few-labels.

Each way is trained on five draws of ten texts of each label of Banking77. The other texts of its training file, about
8,200, have no label for it: `self_training` learns from those of which a teacher is sure, `pretrained` begins with an
encoder that configs/pretrain_banking77.yaml trained on all of them, and the last way does both. Options were chosen on
validation rows of draw 0 (docs/self_training.md, docs/notes/labels.md).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.benchmarks.data_folder import check_data
from tools.benchmarks.quality.configurations import banking77_few, banking77_files
from tools.benchmarks.quality.runs import Run, report_of
from tools.benchmarks.quality.side_by_side import side_by_side

_NAME = "few-labels"
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
    encoder = Run("pretrained_encoder", "configs/pretrain_banking77.yaml", texts)
    report_of(encoder, folder)
    start = f"--model.start_from={folder / encoder.name / 'version_0/best.ckpt'}"
    drawn = banking77_few(data)[: 1 if quick else None]
    planned = [
        Run(
            f"{way}/{draw.name}",
            draw.config,
            (*draw.words, *words, *((start,) if pretrained else ()), *few),
        )
        for way, (words, pretrained) in WAYS.items()
        for draw in drawn
    ]
    return side_by_side(_NAME, planned, [report_of(run, folder) for run in planned], folder)
