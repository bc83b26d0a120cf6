"""Ways of tuning side by side: tools/benchmark quality tuning-methods.

Each way is trained on three draws of ten texts of each label of Banking77, at the rate that was best on validation rows
of draw 0, as far as several were tried (docs/notes/tuning.md).
"""

from __future__ import annotations

_TUNING = "--model.network.init_args.item_encoder.init_args.backbone.init_args.tuning"


def _way(kind: str, rate: float, **options: object) -> tuple[str, ...]:
    chosen = (f"{_TUNING}.init_args.{name}={value}" for name, value in options.items())
    return (f"{_TUNING}={kind}", *chosen, f"--model.encoder_rate={rate}")


DRAWS = 3  # of fourteen ways: an hour of two cores
_IN_ATTENTION = {"targets": "attention", "dropout": 0.1}

# the first is the one that the others are compared with
WAYS = {
    "full": _way("FullTuning", 5e-5),
    "top_3_layers": _way("TopLayersTuning", 5e-5, layers=3),
    "lora": _way("LoraTuning", 1e-3, **_IN_ATTENTION),
    "lora_everywhere": _way("LoraTuning", 2e-3),
    "lora_top_3_layers": _way("LoraTuning", 5e-4, layers=3),
    "dora": _way("LoraTuning", 1e-3, **_IN_ATTENTION, dora="true"),
    "adalora": _way("AdaLoraTuning", 1e-3, **_IN_ATTENTION),
    "bottleneck": _way("BottleneckTuning", 3e-3, size=16),
    "ia3": _way("IA3Tuning", 5e-3),
    "biases": _way("BitFitTuning", 4e-3),
    "norms": _way("LayerNormTuning", 3e-3),
    "prefix": _way("PrefixTuning", 3e-2),
    "prompt": _way("PromptTuning", 5e-2),
    "frozen": _way("FrozenTuning", 0.0),
}
