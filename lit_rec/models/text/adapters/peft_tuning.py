"""Tuning by the methods of peft, which is an extra: trained parts are put into the encoder's linear maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from lit_rec.errors import ConfigError, did_you_mean, option_of, some_of
from lit_rec.models.text.adapters.layer_parts import LayerParts, Targets, layer_parts
from lit_rec.models.text.tuning import LayerTuning
from lit_rec.ranges import count, positive, share

# what would choose other modules, train whole ones, or read files and tokenizers
_OURS = frozenset(
    {"base_model_name_or_path", "exclude_modules", "inference_mode", "layers_pattern"}
)
_OURS |= frozenset(
    {"layers_to_transform", "modules_to_save", "peft_type", "target_modules", "task_type"}
)
_OURS |= frozenset({"auto_mapping", "revision", "feedforward_modules", "fan_in_fan_out"})


class PeftTuning(LayerTuning):
    """Train what a method of peft puts into the linear maps of the layers; the encoder itself is frozen.

    Any method of peft (https://huggingface.co/docs/peft) that changes modules in place, such as ``LOHA``, ``LOKR``,
    ``OFT``, ``HRA``, ``MISS``, ``RANDLORA`` or ``SHIRA``. ``LoraTuning`` and ``IA3Tuning`` have options of their own.

    Args:
        method: Its name in ``peft.PeftType``, in any case.
        options: Options of the method's configuration, such as ``{"r": 8}``. Modules are found here, not named.
        targets: ``all`` linear maps of a layer, or those of its ``attention``.
        layers: In how many of the top layers; in all by default. What is below may be cached.

    Raises:
        ConfigError: If peft is not installed, has no such method, or refuses the options or the encoder; or as
            ``LayerTuning`` does.

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> sizes = {"hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 2, "num_attention_heads": 1}
        >>> model = model_of_config({"model_type": "bert", "vocab_size": 9, **sizes})
        >>> PeftTuning("loha", {"r": 2}, targets="attention", layers=1).apply(model)
        >>> sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        128
    """

    def __init__(
        self,
        method: str,
        options: dict[str, Any] | None = None,
        targets: Targets = "all",
        layers: int | None = None,
    ) -> None:
        super().__init__(layers)
        self.method, self.options, self.targets = method, options or {}, targets
        for name in self.options:
            if name in _OURS:
                raise ConfigError(
                    f"'{name}' is chosen by lit_rec",
                    where=option_of(self, "options"),
                    rule="options of the method alone: rates of dropout, ranks, scales",
                    remedy="leave it out; targets and layers say where it is put",
                )

    def apply(self, model: nn.Module) -> None:
        """Freeze the encoder, and put the method's trained parts into its layers."""
        peft = _peft()
        kind = self._config_class(peft)
        layers = self.tuned_layers(model)
        # each layer by itself: encoders with layers of several kinds have several names
        names = {
            layer: name
            for name, module in model.named_modules()
            for layer in layers
            if module is layer
        }
        parts = {name: layer_parts(layer) for layer, name in names.items()}
        model.requires_grad_(False)
        where: dict[str, Any] = {
            "target_modules": [f"{a}.{b}" for a in parts for b in self._names(parts[a])]
        }
        where |= self._more_names(parts)
        transposed = {name for name, m in model.named_modules() if type(m).__name__ == "Conv1D"}
        if transposed and "fan_in_fan_out" in kind.__dataclass_fields__:
            where["fan_in_fan_out"] = True  # else peft warns of each
        try:
            config = kind(**where, **self.options)
            self._choose_modules(config)
            peft.inject_adapter_in_model(config, model)
        except Exception as error:  # each method of peft refuses in its own way
            way = "correct the options"
            if "does not support" in str(error):  # methods that peft cannot put into a module
                way = "name another method, such as lora, loha or ia3"
            raise ConfigError(
                f"{self.method} refuses {type(model).__name__} or its options ({_reason(error)})",
                where=option_of(self, "options" if self.options else "method"),
                rule="options of the method in peft, and an encoder that it takes",
                remedy=f"{way}, or use TopLayersTuning or BitFitTuning, which need no peft",
            ) from error

    def _names(self, parts: LayerParts) -> tuple[str, ...]:
        return parts.all if self.targets == "all" else parts.attention

    def _more_names(self, parts: Mapping[str, LayerParts]) -> dict[str, Any]:
        """Return names that the method wants beside ``target_modules``."""
        return {}

    def _choose_modules(self, config: Any) -> None:
        """Choose which classes the method's modules have, where they are not those of peft."""

    def _config_class(self, peft: Any) -> Any:
        methods = {
            kind.value.lower(): peft.PEFT_TYPE_TO_CONFIG_MAPPING[kind]
            for kind in peft.PEFT_TYPE_TO_TUNER_MAPPING
            if not issubclass(peft.PEFT_TYPE_TO_CONFIG_MAPPING[kind], peft.PromptLearningConfig)
        }
        found = methods.get(self.method.lower())
        if found is None:
            raise ConfigError(
                f"peft {peft.__version__} has no method '{self.method}' that changes modules in place",
                where=option_of(self, "method"),
                rule=f"one of {some_of(sorted(methods))}",
                remedy=did_you_mean(
                    self.method.lower(), methods, "name one of these, such as lora, loha or ia3"
                ),
            )
        return found


class LoraTuning(PeftTuning):
    """Train a product of two thin matrices beside each linear map (LoRA); the encoder itself is frozen.

    Hu et al., 2022 (https://arxiv.org/abs/2106.09685); ``rs``: Kalajdzievski, 2023 (https://arxiv.org/abs/2312.03732);
    ``dora``: Liu et al., 2024 (https://arxiv.org/abs/2402.09353). It wants a rate of 1e-4 to 1e-3. The first pass gives
    exactly what the encoder gives. Needs the extra ``peft``.

    Args:
        rank: Rank of the product.
        alpha: The product is multiplied by ``alpha / rank``.
        dropout: Share of the product's input that is dropped while training.
        layers: In how many of the top layers; in all by default. What is below may be cached.
        targets: ``all`` linear maps of a layer, or those of its ``attention``.
        rs: Whether to multiply by ``alpha / sqrt(rank)`` instead: ranks above 16 then learn more.
        dora: Whether length and direction of each row are learned apart.

    Raises:
        ConfigError: If an option is out of its range, or as ``PeftTuning`` does.

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> sizes = {"hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 2, "num_attention_heads": 1}
        >>> model = model_of_config({"model_type": "bert", "vocab_size": 9, **sizes})
        >>> LoraTuning(rank=1, targets="attention", layers=1).apply(model)  # four maps of 4 x 4
        >>> sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        32
    """

    def __init__(
        self,
        rank: int = 8,
        alpha: float = 16.0,
        dropout: float = 0.0,
        layers: int | None = None,
        targets: Targets = "all",
        rs: bool = False,
        dora: bool = False,
    ) -> None:
        options = {
            "r": count(self, "rank", rank),
            "lora_alpha": positive(self, "alpha", alpha),
            "lora_dropout": share(self, "dropout", dropout),
            "use_rslora": rs,
            "use_dora": dora,
        }
        super().__init__("lora", options, targets, layers)

    def _choose_modules(self, config: Any) -> None:
        from lit_rec.models.text.adapters.with_peft.one_product_lora import (
            OneProductLora,
        )  # needs the extra

        config._register_custom_module({nn.Linear: OneProductLora})


class IA3Tuning(PeftTuning):
    """Train a factor of each key, of each value, and of each number within the feed-forward part (IA3).

    Liu et al., 2022 (https://arxiv.org/abs/2205.05638). About one parameter in two thousand; it wants a rate of 1e-3 to
    1e-2. The first pass gives exactly what the encoder gives. Needs the extra ``peft``.

    Args:
        layers: In how many of the top layers; in all by default. What is below may be cached.

    Raises:
        ConfigError: As ``PeftTuning`` does.

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> sizes = {"hidden_size": 4, "intermediate_size": 8, "num_hidden_layers": 2, "num_attention_heads": 1}
        >>> model = model_of_config({"model_type": "bert", "vocab_size": 9, **sizes})
        >>> IA3Tuning(layers=1).apply(model)  # 4 keys, 4 values, 8 within
        >>> sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        16
    """

    def __init__(self, layers: int | None = None) -> None:
        super().__init__("ia3", None, "all", layers)

    def _names(self, parts: LayerParts) -> tuple[str, ...]:
        return (*parts.keys_and_values, parts.feed_forward[-1])

    def _more_names(self, parts: Mapping[str, LayerParts]) -> dict[str, Any]:
        return {"feedforward_modules": [f"{a}.{b.feed_forward[-1]}" for a, b in parts.items()]}


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise ConfigError(
            f"peft is not installed ({error})",
            where="tuning",
            rule="the extra `peft` for this way of tuning",
            remedy="pip install peft",
        ) from error
    return peft


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
