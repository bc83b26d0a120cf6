"""Write the files from which transformers loads an encoder: weights, configuration and tokenizer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase
from transformers.utils import logging

from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.export.trained_encoder import TrainedEncoder

_CONFIG = "tokenizer_config.json"
# local paths, and options of the tokenizer's last call
_LOCAL = (
    *("name_or_path", "is_local", "local_files_only", "init_inputs"),
    *("max_length", "stride", "truncation_strategy"),
)


def write_transformers(encoder: TrainedEncoder, folder: Path) -> None:
    """Write config.json, float32 weights as safetensors, and the tokenizer's files, without local paths.

    The tokenizer cuts texts, adds special tokens and pads as lit_rec does.

    Args:
        encoder: The encoder.
        folder: An existing folder.
    """
    model = encoder.model.to(torch.float32)  # type: ignore[arg-type]
    before, model.config._name_or_path = model.config._name_or_path, ""
    try:
        with without_bars():
            model.save_pretrained(folder)
    finally:
        model.config._name_or_path = before
    tokenizer = encoder.tokenizer.open()
    if tokenizer.pad_token is None:
        tokenizer.pad_token = padding_token(tokenizer)
    if (backend := getattr(tokenizer, "backend_tokenizer", None)) is not None:
        # otherwise options of the last call would be written too
        backend.no_truncation()
        backend.no_padding()
    for name, content in TokenizerFiles.of(tokenizer).files.items():
        is_config = name == _CONFIG
        path = folder / name
        path.write_bytes(_tokenizer_config(content, encoder.max_tokens) if is_config else content)


def padding_token(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Return the padding token; if a tokenizer has none, another special token, because the mask hides padding.

    None if it has no special token at all.
    """
    others = (tokenizer.eos_token, tokenizer.bos_token, tokenizer.unk_token)
    return next((str(t) for t in (tokenizer.pad_token, *others) if t is not None), None)


@contextmanager
def without_bars() -> Iterator[None]:
    """Hide the progress bars of transformers inside this context."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _tokenizer_config(content: bytes, max_tokens: int) -> bytes:
    """Return a tokenizer's configuration with the settings that lit_rec uses."""
    config: dict[str, Any] = json.loads(content)
    settings = {
        name: value
        for name, value in config.items()
        # such as tokenizer_file and special_tokens_map_file
        if name not in _LOCAL and not name.endswith("_file")
    }
    settings |= {
        "model_max_length": max_tokens,
        "padding_side": "right",
        # lit_rec gives an encoder no token types
        "model_input_names": ["input_ids", "attention_mask"],
    }
    return (json.dumps(settings, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()
