"""The weights w_d of users' behaviors, where a user encoder learns them by attention."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from lit_rec.data.batches.batch import RecBatch
from lit_rec.models.text.pooling import masked_softmax
from lit_rec.models.users.candidate_attention import CandidateAttentionUserEncoder
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder

Part = TypeVar("Part")


@torch.no_grad()
def behavior_weights(
    encoder: nn.Module | None, item_vectors: Tensor, batch: RecBatch, rows: int
) -> Tensor | None:
    """Return w_d ``[R, H]`` of a batch's first rows, for each row's first candidate; 0 in padding.

    The encoder runs on these rows, and hooks record the outputs of its layers.

    Args:
        encoder: The user encoder.
        item_vectors: ``[N, width + 1]``.
        batch: The batch.
        rows: R, the largest number of rows.

    Returns:
        None if the encoder learns no weights.
    """
    first = replace(
        batch,
        users=_first(batch.users, rows),
        history=_first(batch.history, rows),
        candidates=_first(batch.candidates, rows),
        row=batch.row[:rows],
    )
    mask = first.history.mask
    if isinstance(encoder, AdditiveAttentionUserEncoder):
        (scores,) = _outputs(encoder, (encoder.score,), item_vectors, first)  # [R, H, 1]
        return masked_softmax(scores.squeeze(-1), mask)
    if isinstance(encoder, CandidateAttentionUserEncoder):
        queries, keys = _outputs(encoder, (encoder.query, encoder.key), item_vectors, first)
        candidate = queries[first.candidates.item_index[:, 0]]  # [R, hidden]
        scores = (keys @ candidate.unsqueeze(2)).squeeze(2) / keys.shape[-1] ** 0.5  # [R, H]
        return masked_softmax(scores, mask)
    return None


def _first(part: Part, rows: int) -> Part:
    """Return a part of a batch with its first rows only."""
    tensors = {f.name: getattr(part, f.name) for f in fields(part)}  # type: ignore[arg-type]
    cut = {name: t[:rows] for name, t in tensors.items() if isinstance(t, Tensor)}
    return replace(part, **cut)  # type: ignore[type-var]


def _outputs(
    encoder: nn.Module, layers: tuple[nn.Module, ...], item_vectors: Tensor, batch: RecBatch
) -> list[Tensor]:
    """Run the encoder and return the outputs of its layers; it may process the rows in several blocks."""
    found: list[list[Tensor]] = [[] for _ in layers]
    with ExitStack() as hooks:
        for layer, outputs in zip(layers, found, strict=True):

            def record(
                layer: nn.Module, given: Any, output: Tensor, outputs: list[Tensor] = outputs
            ) -> None:
                outputs.append(output)

            hooks.enter_context(layer.register_forward_hook(record))
        encoder(item_vectors, batch)
    return [torch.cat(outputs) for outputs in found]
