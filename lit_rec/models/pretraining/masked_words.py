"""MaskedWords: the loss of words that are hidden from the encoder and guessed from the rest of their text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional

from lit_rec.data.batches.batch import TextChunk, Texts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.models.text.backbone import Backbone

_MASKED, _RANDOM = 0.8, 0.1  # of the hidden words: the mask token, another word; the others stay


class MaskedWords(nn.Module):
    """Cross-entropy of hidden words over all words, as BERT was trained.

    Of a share of the tokens, 80 % are replaced by the mask token, 10 % by a random one, and 10 % stay; special tokens
    are never hidden. Words are guessed by their own vectors, so of the head only a linear map, a norm and a bias are
    trained, and they are no part of the encoder.

    Args:
        backbone: The encoder.
        special: Tokens around a text, with the mask token.
        share: Share of the tokens that are hidden.

    Shape:
        P texts -> ``[P]`` float32: the losses of a text's hidden words, weighed so that the mean over the texts is the
        mean over the hidden words.

    Reference:
        Devlin et al. 2019, BERT, https://arxiv.org/abs/1810.04805. Gururangan et al. 2020, Don't stop pretraining,
        https://arxiv.org/abs/2004.10964 (on texts of the field).

    Example:
        >>> from lit_rec.models.text.backbone import model_of_config
        >>> from lit_rec.models.text.tuning import FullTuning
        >>> tiny = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> tiny["intermediate_size"] = 4
        >>> backbone = Backbone(model_of_config({"model_type": "bert", **tiny}), FullTuning())
        >>> words = MaskedWords(backbone, SpecialTokens((1,), (2,), 0, mask=3), share=0.5)
        >>> texts = Texts(torch.tensor([5, 6, 7]), torch.tensor([0, 1, 3]))  # "5" and "6 7"
        >>> words(backbone, texts, max_tokens=64).shape
        torch.Size([2])
    """

    def __init__(self, backbone: Backbone, special: SpecialTokens, share: float = 0.15) -> None:
        super().__init__()
        self.special, self.share = special, share
        self.guess = nn.Sequential(
            nn.Linear(backbone.width, backbone.word_width),
            nn.GELU(),
            nn.LayerNorm(backbone.word_width),
        )
        self.bias = nn.Parameter(torch.zeros(backbone.tokens))

    def forward(
        self,
        backbone: Backbone,
        texts: Texts,
        max_tokens: int,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Return the losses.

        Args:
            backbone: The encoder.
            texts: P texts.
            max_tokens: Most tokens of a pass, padding included.
            generator: Draws the words, on the CPU; by default torch's own.
        """
        if not len(texts.tokens):
            return self.bias.sum() * torch.zeros(len(texts), device=texts.tokens.device)
        chosen = self._chosen(texts, generator)
        shown = self._shown(texts.tokens, chosen, backbone.tokens, generator)
        losses = torch.zeros(len(texts), device=texts.tokens.device)
        for chunk, hidden, words in self._chunks(texts, shown, chosen, max_tokens):
            of_text = chunk.text_index.unsqueeze(1).expand_as(hidden)[hidden]
            states = backbone(chunk)[hidden]  # [M, width]
            vectors: Tensor = backbone.model.get_input_embeddings().weight  # type: ignore[operator]
            logits = functional.linear(self.guess(states), vectors, self.bias).float()
            found = functional.cross_entropy(logits, words[hidden], reduction="none")
            losses = losses.index_add(0, of_text, found)
        return losses * (len(texts) / chosen.sum())

    def _chosen(self, texts: Texts, generator: torch.Generator | None) -> Tensor:
        """Return a mask ``[S]`` of the hidden tokens; there is always one."""
        drawn = torch.rand(len(texts.tokens), generator=generator)
        chosen = drawn < self.share
        chosen[drawn.argmin()] = True
        return chosen.to(texts.tokens.device)

    def _shown(
        self, tokens: Tensor, chosen: Tensor, known: int, generator: torch.Generator | None
    ) -> Tensor:
        """Return the tokens ``[S]`` that the encoder reads."""
        kind = torch.rand(len(tokens), generator=generator).to(tokens.device)
        others = torch.randint(known, (len(tokens),), generator=generator).to(tokens)
        shown = tokens.masked_fill(chosen & (kind < _MASKED), self.special.mask or 0)
        return torch.where(chosen & (kind >= 1 - _RANDOM), others, shown)

    def _chunks(
        self, texts: Texts, shown: Tensor, chosen: Tensor, max_tokens: int
    ) -> Iterator[tuple[TextChunk, Tensor, Tensor]]:
        """Yield chunks of what is read, with a mask ``[P', T]`` of hidden tokens, and the tokens ``[P', T]``."""
        none = replace(
            self.special,
            prefix=(0,) * len(self.special.prefix),
            suffix=(0,) * len(self.special.suffix),
            pad=0,
        )
        read = Texts(shown, texts.offsets).chunks(max_tokens, self.special)
        hidden = Texts(chosen.to(shown), texts.offsets).chunks(max_tokens, none)
        words = Texts(texts.tokens, texts.offsets).chunks(max_tokens, none)
        for chunk, mask, true in zip(read, hidden, words, strict=True):
            yield chunk, mask.input_ids.bool(), true.input_ids
