"""Whether a checkpoint's encoder can take the place of another: the same words, and the same weights by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.errors import CheckpointError, option_of
from lit_rec.models.text.adapters.merging import has_adapters
from lit_rec.models.text.backbone import Backbone

_PART = "backbone."


def prefix_of(names: Mapping[str, Any]) -> str | None:
    """Return what the names of an encoder's weights begin with; None: there is no encoder.

    Example:
        >>> prefix_of({"head.scale": 1, "item_encoder.backbone.model.layer.0.weight": 2})
        'item_encoder.backbone.'
    """
    for name in names:
        before, found, _ = name.partition(f"{_PART}model.")
        if found:
            return before + _PART
    return None


def encoder_sources(
    backbone: Backbone, prefix: str, weights: Mapping[str, Tensor], where: str
) -> dict[str, str]:
    """Return the checkpoint's names of the weights of an encoder, by their names in the network.

    Adapters that the checkpoint's encoder does not have are not among them.

    Args:
        backbone: The network's encoder.
        prefix: What its weights' names begin with.
        weights: All weights of the checkpoint.
        where: The checkpoint as the user named it.

    Raises:
        CheckpointError: If the encoders differ.
    """
    source = prefix_of(weights)
    if source is None:
        return {}
    there = {name.removeprefix(source) for name in weights if name.startswith(source)}
    found, absent = {}, []
    plain = backbone.plain_names()
    for name, weight in backbone.state_dict().items():
        known = next((one for one in (name, plain.get(name)) if one in there), None)
        if known is not None and weights[source + known].shape == weight.shape:
            found[prefix + name] = source + known
        elif name in plain and not name.startswith("model.pooler."):
            absent.append(name)
    used = {name.removeprefix(source) for name in found.values()}
    left = sorted(name for name in there - used if not name.startswith("model.pooler."))
    if has_adapters(there) and not has_adapters(backbone.state_dict()):
        raise CheckpointError(
            "its encoder has adapters, and the one here has none",
            where=where,
            rule="an encoder whose weights can all be taken",
            remedy="merge its adapters with `lit-rec slim`, and name the file that this writes",
        )
    if absent:
        raise CheckpointError(
            f"its encoder is another one: {len(absent)} weights are absent or of another shape there",
            where=where,
            details=absent[:4],
            rule="the encoder that the network has, of the same sizes",
            remedy=f"name the folder of its encoder for {option_of('PretrainedBackbone', 'name')} and "
            f"{option_of('BehaviorDataModule', 'encoder')}, or leave start_from out",
        )
    if left:
        raise CheckpointError(
            f"its encoder has {len(left)} weights that the one here has not",
            where=where,
            details=left[:4],
            rule="an encoder whose weights can all be taken",
            remedy=f"set {option_of('PretrainedBackbone', 'tuning')} to that of the checkpoint",
        )
    return found


def check_words(here: TokenizerFiles, there: TokenizerFiles, where: str) -> None:
    """Check that two tokenizers make the same tokens of a text.

    Args:
        here: The data's.
        there: The checkpoint's.
        where: The checkpoint as the user named it.

    Raises:
        CheckpointError: If they differ.
    """
    if here.key == there.key or _rules_of(here) == _rules_of(there):
        return
    raise CheckpointError(
        "its tokenizer makes other tokens of a text",
        where=where,
        rule="the tokenizer that the data is read with: a token's vector belongs to its number",
        remedy=f"name the folder of the checkpoint's encoder for {option_of('BehaviorDataModule', 'encoder')} "
        f"and {option_of('PretrainedBackbone', 'name')}, or leave start_from out",
    )


def _rules_of(files: TokenizerFiles) -> Any:
    """Return what a tokenizer does with a text, without how it cuts and pads."""
    tokenizer: Any = files.open()
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return sorted(tokenizer.get_vocab().items())
    rules = json.loads(backend.to_str())
    return {name: held for name, held in rules.items() if name not in ("truncation", "padding")}
