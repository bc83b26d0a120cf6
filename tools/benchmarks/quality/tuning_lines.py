"""How much of the encoder is tuned: options of one configuration, line by line."""

from __future__ import annotations

_TUNING = "--model.network.init_args.item_encoder.init_args.backbone.init_args.tuning"
_LAYERS = f"{_TUNING}.init_args.layers=2"
_FEW = "--model.encoder_rate=1e-3"  # few weights want a higher rate
LINES = {
    "full": (f"{_TUNING}=lit_rec.models.text.tuning.FullTuning",),
    "top_2_layers": (f"{_TUNING}=lit_rec.models.text.tuning.TopLayersTuning", _LAYERS),
    "lora_top_2_layers": (f"{_TUNING}=LoraTuning", _LAYERS, _FEW),
    "bottlenecks_top_2_layers": (f"{_TUNING}=BottleneckTuning", _LAYERS, _FEW),
    "frozen": (f"{_TUNING}=lit_rec.models.text.tuning.FrozenTuning",),
}
