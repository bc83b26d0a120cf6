"""Write the files from which sentence-transformers loads encoder and pooling, without using that package."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from lit_rec.export.trained_encoder import TrainedEncoder
from lit_rec.export.transformers_files import padding_token
from lit_rec.models.text.pooling import ClsPooling, LastTokenPooling, MeanPooling, Pooling

POOLING_WEIGHTS = "pooling.safetensors"
# their names in sentence-transformers
_MODES: dict[type[Pooling], str] = {
    MeanPooling: "mean_tokens",
    ClsPooling: "cls_token",
    LastTokenPooling: "lasttoken",
}
# all versions from 2 read these names
_ALL_MODES = (
    *("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens"),
    *("weightedmean_tokens", "lasttoken"),
)
_TYPES = {"": "sentence_transformers.models.Transformer"}
_TYPES |= {"1_Pooling": "sentence_transformers.models.Pooling"}


def mode_of(pooling: Pooling | None) -> str | None:
    """Return the name of a pooling in sentence-transformers; None if it has no such pooling.

    Example:
        >>> from lit_rec.models.text.pooling import AttentionPooling
        >>> mode_of(MeanPooling(4)), mode_of(AttentionPooling(4))
        ('mean_tokens', None)
    """
    return _MODES.get(type(pooling)) if pooling is not None else None


def why_not(encoder: TrainedEncoder) -> str | None:
    """Return why sentence-transformers cannot give the vectors of a checkpoint; None if it can."""
    if encoder.reads_pairs:
        return "a cross-encoder reads history and candidate as one text, and has no vector of a text alone"
    if encoder.pooling is None:
        return "the network has no pooling of lit_rec"
    if mode_of(encoder.pooling) is None:
        return f"sentence-transformers has no {type(encoder.pooling).__name__}"
    if padding_token(encoder.tokenizer.open()) is None:
        return "the tokenizer has no token to pad with"
    return None


def write_sentence_transformers(encoder: TrainedEncoder, folder: Path) -> None:
    """Write modules.json and the files that it names, next to the files of transformers.

    Args:
        encoder: An encoder that sentence-transformers can load.
        folder: An existing folder.
    """
    modules = [
        {"idx": place, "name": str(place), "path": path, "type": kind}
        for place, (path, kind) in enumerate(_TYPES.items())
    ]
    mode = mode_of(encoder.pooling)
    pooling = {"word_embedding_dimension": encoder.width}
    pooling |= {f"pooling_mode_{name}": name == mode for name in _ALL_MODES}
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling/config.json", {**pooling, "include_prompt": True})
    # the tokenizer does the lower-casing
    longest = {"max_seq_length": encoder.max_tokens, "do_lower_case": False}
    _write(folder / "sentence_bert_config.json", longest)
    defaults: dict[str, Any] = {
        "prompts": {},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }
    _write(folder / "config_sentence_transformers.json", defaults)


def write_pooling_weights(pooling: Pooling, folder: Path) -> None:
    """Write the weights of a learned pooling, for use with lit_rec's own class."""
    weights = {name: weight.float().contiguous() for name, weight in pooling.state_dict().items()}
    save_file(weights, folder / POOLING_WEIGHTS)


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
