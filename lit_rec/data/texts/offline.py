"""The error where an encoder or its tokenizer would have to be downloaded, and cannot be."""

from __future__ import annotations

from lit_rec.errors import ConfigError


def offline_error(name: str, error: BaseException | None, option: str) -> ConfigError | None:
    """Return the error to raise if a name of the model hub could not be downloaded; None if the reason is another.

    Args:
        name: The name that the user gave.
        error: What transformers raised.
        option: The option that names it.

    Example:
        >>> offline_error("an/encoder", ValueError("damaged"), "data.encoder") is None
        True
    """
    from huggingface_hub import constants, errors  # takes long, and a checkpoint needs no hub

    offline = (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled)
    while error is not None and not isinstance(error, offline):
        error = error.__cause__
    if error is None:
        return None
    forbidden = constants.HF_HUB_OFFLINE
    why = "HF_HUB_OFFLINE is set" if forbidden else "huggingface.co cannot be reached"
    allow = "unset HF_HUB_OFFLINE" if forbidden else "run where there is a network"
    return ConfigError(
        f"'{name}' is no folder here, and this machine is offline ({why}): it cannot be downloaded",
        where=option,
        rule="a folder that holds the encoder, or a name of the model hub that can be downloaded or was before",
        remedy=f"name a folder, such as one that `hf download {name} --local-dir FOLDER` wrote elsewhere, or {allow}",
    )
