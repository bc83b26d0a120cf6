"""Guards against overfitting side by side: tools/benchmark quality guards.

MovieLens 100K of which 5 % of the ratings train: 5,000, on configs/quickstart.yaml with the whole encoder tuned at a
high rate, ten epochs at most. Each guard alone, on three draws, and three of them together, on five, beside tuning
without any. Options are chosen on validation rows, as far as several were tried (docs/notes/tuning.md).
"""

from __future__ import annotations

from tools.benchmarks.quality.runs import Run

_BACKBONE = "--model.network.init_args.item_encoder.init_args.backbone.init_args"
_CALLBACK = "--trainer.callbacks"
_SAME = (
    *("--data.split=RandomSplit", "--data.split.validation=0.15", "--data.split.test=0.8"),
    *("--data.history=TrainingHistory", "--data.batch_size=512"),
    *("--model.encoder_rate=1e-4", "--model.head_rate=2e-3", "--model.head_decay=20"),
    *("--trainer.max_epochs=10", "--trainer.val_check_interval=1.0"),
)


def _callback(name: str, **options: object) -> tuple[str, ...]:
    chosen = (f"{_CALLBACK}.{option}={value}" for option, value in options.items())
    return (f"{_CALLBACK}+={name}", *chosen)


_AVERAGED = _callback("lightning.pytorch.callbacks.EMAWeightAveraging", decay=0.9)
_DROPOUT = (f"{_BACKBONE}.dropout=0.1",)
_PULLED = (*_callback("PullToStart", strength=500), "--model.encoder_decay=0")
_WORDS = _callback("WordDropout", share=0.2)

# the first is the one that the others are compared with
GUARDS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "together": (*_AVERAGED, *_WORDS, *_PULLED),
    "layer_decay": ("--model.layer_decay=0.8",),
    "dropout": _DROPOUT,
    "r_drop": (*_DROPOUT, "--model.r_drop=1.0"),
    "averaged_weights": _AVERAGED,
    "pull_to_start": _PULLED,
    "mixout": _callback("Mixout", share=0.3),
    "word_dropout": _WORDS,
    "gradual_unfreezing": _callback("GradualUnfreezing", epochs_per_layer=0.25),
    "fgm": _callback("FGM", radius=0.02, share=0.3),
    "awp": _callback("AWP", radius=0.001, share=0.3),
    "drop_words": ("--data.augmentation+=DropWords", "--data.augmentation.rate=0.3"),
    "frozen": (f"{_BACKBONE}.tuning=FrozenTuning",),
}
_DRAWS = dict.fromkeys(GUARDS, 3) | {"plain": 5, "together": 5}


def guarded_runs() -> list[Run]:
    """Return the runs, named ``GUARD/DRAW``."""
    return [
        Run(
            f"{guard}/draw_{draw}",
            "configs/quickstart.yaml",
            (*_SAME, f"--data.split.seed={draw}", *words),
        )
        for guard, words in GUARDS.items()
        for draw in range(_DRAWS[guard])
    ]
