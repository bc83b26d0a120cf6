"""Which class of transformers builds an encoder: of encoder-decoders, only the encoder half."""

from __future__ import annotations

from typing import Any

from lit_rec.errors import ConfigError

_OPTION, _EXAMPLE = "PretrainedBackbone.name", "checkpoints/assets/all-MiniLM-L6-v2"
# encoder-decoders whose encoder half is a class of its own
_HALVES = ("t5", "mt5", "umt5")


def encoder_class(config: Any, *, option: str = _OPTION, example: str = _EXAMPLE) -> type[Any]:
    """Return the class whose ``from_config`` and ``from_pretrained`` build the encoder of a configuration.

    Args:
        config: A configuration of transformers.
        option: The option that named it, for the error.
        example: A value of this option that names an encoder.

    Raises:
        ConfigError: If it is an encoder-decoder whose encoder is no class of its own.

    Example:
        >>> from transformers import BertConfig, T5Config
        >>> encoder_class(BertConfig()).__name__, encoder_class(T5Config()).__name__
        ('AutoModel', 'AutoModelForTextEncoding')
    """
    from transformers import AutoModel, AutoModelForTextEncoding  # takes long

    if config.model_type in _HALVES:
        return AutoModelForTextEncoding
    if getattr(config, "is_encoder_decoder", False):
        raise ConfigError(
            f"'{config.model_type}' is an encoder-decoder: it makes a text of a text",
            where=option,
            rule=f"an encoder or a decoder; of encoder-decoders, {', '.join(_HALVES)} give their encoder half",
            remedy=f"name an encoder, such as {example}, or one of these",
        )
    return AutoModel
