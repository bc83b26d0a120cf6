"""With and without rows that have no label: tools/benchmark quality self-training.

Each way is trained on five draws of ten texts of each label of Banking77; the other texts of its training file, about
8,200, have no label for it. Options were chosen on validation rows of draw 0 (docs/self_training.md).
"""

from __future__ import annotations

_OPTIONS = "--trainer.callbacks.init_args"

# the first is the one that the other is compared with
WAYS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "self_training": (
        "--trainer.callbacks+=SelfTraining",
        f"{_OPTIONS}.confidence=0.5",
        f"{_OPTIONS}.ratio=2",
    ),
}
