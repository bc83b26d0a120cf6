"""Which class of transformers builds an encoder: of encoder-decoders, only the encoder half."""

from __future__ import annotations

from typing import Any

from lit_rec.errors import ConfigError

_OPTION = "PretrainedBackbone.name"
# encoder-decoders whose encoder half is a class of its own
_HALVES = ("t5", "mt5", "umt5")


def encoder_class(config: Any) -> type[Any]:
    """Return the class whose ``from_config`` and ``from_pretrained`` build the encoder of a configuration.

    Args:
        config: A configuration of transformers.

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
            where=_OPTION,
            rule=f"an encoder or a decoder; of encoder-decoders, {', '.join(_HALVES)} give their encoder half",
            remedy="name an encoder, such as checkpoints/assets/all-MiniLM-L6-v2, or one of these",
        )
    return AutoModel
