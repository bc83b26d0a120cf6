"""The files by which AutoModel and AutoTokenizer of transformers load an encoder: weights, configuration, tokenizer."""

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
# where a tokenizer was read, which is nobody else's matter, and what it was last asked for
_OF_HERE = (
    *("name_or_path", "is_local", "local_files_only", "init_inputs"),
    *("max_length", "stride", "truncation_strategy"),
)


def write_transformers(encoder: TrainedEncoder, folder: Path) -> None:
    """Write config.json, float32 weights as safetensors, and the tokenizer's files, none of which names a path.

    The tokenizer cuts texts, puts special tokens around them and pads as lit_rec does.

    Args:
        encoder: What is written.
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
        # what the last call asked for would be written too
        backend.no_truncation()
        backend.no_padding()
    for name, content in TokenizerFiles.of(tokenizer).files.items():
        is_config = name == _CONFIG
        path = folder / name
        path.write_bytes(_told(content, encoder.max_tokens) if is_config else content)


def padding_token(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Return the token that fills up: where a tokenizer has none, another special one, for no encoder looks at it.

    None where it has no special token at all.
    """
    others = (tokenizer.eos_token, tokenizer.bos_token, tokenizer.unk_token)
    return next((str(t) for t in (tokenizer.pad_token, *others) if t is not None), None)


@contextmanager
def without_bars() -> Iterator[None]:
    """Have transformers show no bars for a while."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _told(content: bytes, max_tokens: int) -> bytes:
    """Return a tokenizer's configuration that says what lit_rec does beside it."""
    config: dict[str, Any] = json.loads(content)
    kept = {
        name: value
        for name, value in config.items()
        # such as tokenizer_file and special_tokens_map_file
        if name not in _OF_HERE and not name.endswith("_file")
    }
    kept |= {
        "model_max_length": max_tokens,
        "padding_side": "right",
        # lit_rec tells an encoder of no segments
        "model_input_names": ["input_ids", "attention_mask"],
    }
    return (json.dumps(kept, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()
