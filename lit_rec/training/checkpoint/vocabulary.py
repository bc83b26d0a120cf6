"""Whether an encoder knows all tokens that a tokenizer makes of the data: the two may come from different places."""

from __future__ import annotations

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.networks.two_tower import Network


def check_vocabulary(network: Network, data: object) -> None:
    """Check the largest token of the data, and those that stand around a text.

    Args:
        network: Has the encoder, if there is one.
        data: The datamodule; one of another kind is not looked into.

    Raises:
        ConfigError: If the encoder has no vector for a token.
    """
    if network.backbone is None or not isinstance(data, BehaviorDataModule):
        return
    special = data.facts.special
    tokens = [*special.prefix, *special.suffix, special.pad]
    for catalogue in (data.catalogue, data.profiles):
        if catalogue is not None and len(catalogue.store.tokens):
            tokens.append(int(catalogue.store.tokens.max()))
    known = network.backbone.model.get_input_embeddings().num_embeddings  # type: ignore[operator]
    if max(tokens) >= known:
        raise ConfigError(
            f"its tokenizer makes token {max(tokens)}, and the encoder has vectors for {known:,}",
            where=f"{option_of(data, 'encoder')}={data.encoder}",
            rule="a tokenizer and an encoder that were trained together",
            remedy=f"name the same folder for {option_of(data, 'encoder')} and the backbone, "
            "with the tokenizer's files as they were saved",
        )
