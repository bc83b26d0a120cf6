"""ItemEncoder: from an item's texts and id to its vector."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from lit_rec.data.batches import Items, TextChunk, Texts
from lit_rec.data.facts import Facts
from lit_rec.models.backbone import Backbone
from lit_rec.models.ids import Ids, NoIds
from lit_rec.models.pooling import MeanPooling, Pooling
from lit_rec.models.ranges import count, share

_ROUNDING = 1e-3  # of a vector's norm: bfloat16 keeps three digits; different texts differ by more


class ItemEncoder(nn.Module):
    """i = sum_f v_f W_f x_f over the item's text fields, and what its id knows; each distinct text is encoded once.

    The weights v_f are a softmax, times the root of F so that the sum is as long as with one field; each field has a projection W_f of
    its own, for what a title says of an item and what a genre says lie in different directions of the encoder's space.

    The last coordinate of an item vector is the item's bias, so a table of vectors is all that scoring needs: the inner product of
    ``[u, 1]`` and ``[i, b_i]`` is ``u . i + b_i``.

    Args:
        facts: Facts of the data.
        backbone: The text encoder.
        pooling: From token vectors to a text vector; takes the encoder's width.
        width: Width of the item vector, its bias coordinate left out.
        ids: What an id adds; takes the number of ids and ``width``. Nothing by default.
        dropout: Share of a text vector's coordinates dropped while training.
        max_tokens_per_chunk: Most tokens, padding included, that pass the encoder at once: sets the memory of a step.
        recompute: Compute each chunk again in the backward pass instead of keeping its activations.

    Shape:
        texts of P, items of N -> ``[N, width + 1]`` float32.

    Raises:
        ConfigError: If ``width`` or ``max_tokens_per_chunk`` is below 1, or ``dropout`` is not from 0 to 1.

    Reference:
        Bachrach et al. 2014, Speeding up the Xbox recommender system, https://doi.org/10.1145/2645710.2645741 (the bias as a
        coordinate). Gao et al. 2021, https://arxiv.org/abs/2101.06983 (chunks recomputed in the backward pass).
    """

    centre: Tensor
    spread: Tensor

    def __init__(
        self,
        facts: Facts,
        backbone: Callable[[Facts], Backbone],
        pooling: Callable[[int], Pooling] = MeanPooling,
        width: int = 64,
        ids: Callable[[int, int], Ids] = NoIds,
        dropout: float = 0.0,
        max_tokens_per_chunk: int = 8192,
        recompute: bool = False,
    ) -> None:
        super().__init__()
        self.width = count("item_encoder.init_args.width", width)
        self.max_tokens_per_chunk = count(
            "item_encoder.init_args.max_tokens_per_chunk", max_tokens_per_chunk
        )
        self.recompute = recompute
        share("item_encoder.init_args.dropout", dropout)
        self.special = facts.special
        self.backbone = backbone(facts)
        self.pooling = pooling(self.backbone.width)
        self.dropout = nn.Dropout(dropout)
        fields, text_width = len(facts.fields), self.backbone.width
        self.projection = nn.Linear(fields * text_width, width)  # [W_1 ... W_F]
        self.text_bias = nn.Linear(fields * text_width, 1)
        self.field_logits = nn.Parameter(torch.zeros(fields))
        self.field_logits.requires_grad_(fields > 1)  # the weight of the only field is 1
        self.ids = ids(len(facts.item_ids), width)
        if facts.item_bias:
            self.ids.start_at(torch.tensor([0.0, *facts.item_bias]))
        # where the texts' vectors lie before training: they crowd into a narrow cone, in which all look alike
        self.register_buffer("centre", torch.zeros(fields, text_width))
        self.register_buffer("spread", torch.ones(fields))
        nn.init.zeros_(self.text_bias.weight)
        nn.init.zeros_(self.text_bias.bias)

    @torch.no_grad()
    def calibrate(self, texts: Texts, items: Items) -> None:
        """Measure each field's mean and spread before training; from then on its vectors are centred and of norm 4 on average.

        Texts without a token say nothing of either. Where the others differ by no more than rounding, as those of a single item or
        of items without descriptions do, they are centred and nothing is stretched: only noise would be.

        Args:
            texts: Texts of the training items.
            items: The training items.

        Reference:
            Su et al. 2021, Whitening sentence representations, https://arxiv.org/abs/2103.15316.
        """
        training = self.training
        self.eval()
        vectors, told = self.encode_texts(texts), self._has_token(texts)
        self.train(training)
        for field, index in enumerate(items.text_index.T):
            of_field = vectors[index[told[index]]]
            if not len(of_field):
                continue
            self.centre[field] = of_field.mean(0)
            spread = (of_field - self.centre[field]).square().sum(1).mean().sqrt()
            rounding = _ROUNDING * of_field.square().sum(1).mean().sqrt()
            self.spread[field] = torch.where(spread > rounding, spread / 4, 1.0)

    @property
    def field_weights(self) -> Tensor:
        """v_f ``[F]``: how much each text field counts; they sum to 1."""
        return torch.softmax(self.field_logits, 0)

    def _has_token(self, texts: Texts) -> Tensor:
        """Return a mask ``[P]``: False for an empty text that the tokenizer puts nothing around."""
        added = len(self.special.prefix) + len(self.special.suffix)
        return texts.offsets.diff() + added > 0

    def encode_texts(self, texts: Texts) -> Tensor:
        """Return the vectors of the texts ``[P, backbone width]``, similar lengths encoded together."""
        parts, order = [], []
        for chunk in texts.chunks(self.max_tokens_per_chunk, self.special):
            if self.recompute and torch.is_grad_enabled():
                vectors = checkpoint(self._encode_chunk, chunk, use_reentrant=False)
            else:
                vectors = self._encode_chunk(chunk)
            parts.append(vectors)
            order.append(chunk.text_index)
        if not parts:
            return self.projection.weight.new_zeros(0, self.backbone.width)
        place = torch.argsort(torch.cat(order))
        return torch.cat(parts)[place]

    def _encode_chunk(self, chunk: TextChunk) -> Tensor:
        tokens = self.backbone(chunk)  # [P', T, width]
        with torch.autocast(tokens.device.type, enabled=False):
            pooled: Tensor = self.pooling(tokens, chunk.mask)
        return pooled

    def forward(self, texts: Texts, items: Items) -> Tensor:
        """Return the item vectors."""
        vectors = self.encode_texts(texts)
        with torch.autocast(vectors.device.type, enabled=False):
            scale = self.field_weights * len(self.field_logits) ** 0.5 / self.spread  # [F]
            # pooling gave zeros where there is no token, and the mean text is what says as little now
            told = self._has_token(texts)[items.text_index].unsqueeze(2)
            fields = (vectors[items.text_index] - self.centre) * told * scale.unsqueeze(1)
            text = self.dropout(fields.flatten(1))  # [N, F * backbone width]
            both = torch.cat([self.projection(text), self.text_bias(text)], 1)
            with_ids: Tensor = both + self.ids(items.vocab_row)  # [N, width + 1]
        return with_ids
