"""Check that an exported folder gives the tokens and vectors of its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import torch
from transformers import AutoTokenizer

from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import CheckpointError
from lit_rec.export.trained_encoder import TrainedEncoder
from lit_rec.export.transformers_files import without_bars
from lit_rec.models.text.encoder_class import encoder_class
from lit_rec.models.text.pooling import MeanPooling

_MOST = 16
_TOLERANCE = 1e-4  # relative to the largest number; float32 rounding is a hundredth of it
_ANY_TEXTS = ("A text of a few words.", "Night", "1984: a book, a film; and what else?")


def largest_difference(folder: Path, encoder: TrainedEncoder, texts: Sequence[str]) -> float:
    """Return the largest difference between the vectors of a folder and those of its checkpoint.

    The folder's encoder gets one text at a time, and lit_rec's gets batches.

    Args:
        folder: The folder that ``write_transformers`` wrote.
        encoder: The checkpoint's encoder.
        texts: Texts of any length.

    Raises:
        CheckpointError: If tokens or vectors differ.
    """
    with without_bars():
        kind = encoder_class(encoder.model.config)
        model = kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    tokenizer = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    store, expected = encoder.tokens(texts), encoder.vectors(texts)
    pooling = encoder.pooling or MeanPooling(encoder.width)
    largest = 0.0
    for place, text in enumerate(texts):
        around = encoder.special
        bare = store.tokens[store.offsets[place] : store.offsets[place + 1]].tolist()
        ids = tokenizer(text, truncation=True)["input_ids"]
        if ids != [*around.prefix, *bare, *around.suffix]:
            raise _other("tokens")
        if not ids:
            continue  # there is nothing to encode
        given = torch.tensor([ids])
        mask = torch.ones_like(given)
        with torch.no_grad():
            found = model.eval()(input_ids=given, attention_mask=mask).last_hidden_state
            vector = pooling(found.float(), mask.bool())[0]
        largest = max(largest, float((vector - expected[place]).abs().max()))
    if largest > _TOLERANCE * max(1.0, float(expected.abs().max())):
        raise _other(f"vectors (the largest difference is {largest:.2g})")
    return largest


def sample_texts(template: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return short and long texts of a catalogue's items, and one that is longer than any encoder reads.

    Args:
        template: The text template, as plain values.
        columns: The shown columns of a checkpoint's catalogue.
    """
    named = TextTemplate(**template)
    texts: list[str] = list(_ANY_TEXTS)
    if all(columns.get(column) for column in named.columns):
        held = {column: columns[column] for column in named.columns}
        table = pl.DataFrame(held, schema=dict.fromkeys(held, pl.String))
        found = {text for text in named.render(table).unpivot()["value"] if text}
        ordered = sorted(found, key=lambda text: (-len(text), text))
        texts += ordered[:: max(1, -(-len(ordered) // _MOST))]
    longest = max(texts, key=len)
    return [*texts, " ".join([longest] * (1 + 20_000 // len(longest)))]


def _other(what: str) -> CheckpointError:
    return CheckpointError(
        f"the encoder makes other {what} when it is loaded again",
        where="what was exported",
        rule="tokens and vectors of the checkpoint",
        remedy="use the versions of transformers and tokenizers that wrote the checkpoint; "
        "where its tokenizer was not that of its encoder's own folder, train with one that is",
    )
