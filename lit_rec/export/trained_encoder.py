"""TrainedEncoder: the parts of a checkpoint that compute vectors of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from lit_rec.data.batches.batch import Texts
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.data.texts.tokens import SpecialTokens, TokenStore
from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.models.networks.cross_encoder import CrossEncoder
from lit_rec.models.networks.network import Network
from lit_rec.models.text.adapters.merging import UnmergeableError, added_weights, merge_adapters
from lit_rec.models.text.backbone import Backbone
from lit_rec.models.text.passes import TextPasses
from lit_rec.models.text.pooling import MeanPooling, Pooling
from lit_rec.training.checkpoint.content import facts_of, tokenizer_of
from lit_rec.training.lit_rec import LitRec


@dataclass(frozen=True)
class TrainedEncoder:
    """The encoder of a checkpoint, with its pooling, tokenizer and text template.

    Args:
        backbone: The encoder.
        pooling: From token vectors to a text vector; None if the checkpoint has no vectors of single texts.
        special: Tokens around a text.
        max_tokens: Longest text, special tokens included.
        tokenizer: The tokenizer's files.
        template: The text template, as plain values.
        reads_pairs: Whether the network reads history and candidate as one text.
    """

    backbone: Backbone
    pooling: Pooling | None
    special: SpecialTokens
    max_tokens: int
    tokenizer: TokenizerFiles
    template: Mapping[str, Any]
    reads_pairs: bool

    @classmethod
    def of(cls, module: LitRec, content: dict[str, Any], where: str) -> TrainedEncoder:
        """Return the encoder of a module that ``load_module`` returned; its adapters are merged.

        Args:
            module: The module, built and loaded.
            content: The checkpoint's content.
            where: The checkpoint's name in errors.

        Raises:
            ConfigError: If its network reads no text, its encoder is not one of transformers, or its tuning added parts
                that an encoder of transformers has no place for.
        """
        network, facts = module.eval().built(), facts_of(content)
        backbone = network.backbone
        if backbone is None:
            raise ConfigError(
                f"its {type(network).__name__} reads no text: there is no encoder in it",
                where=where,
                rule="a checkpoint of a network with a text encoder",
                remedy="train one with ItemEncoder in place of IdItemEncoder, and export that",
            )
        if not isinstance(backbone.model, PreTrainedModel):
            raise ConfigError(
                f"its encoder is a {type(backbone.model).__name__}",
                where=where,
                rule="an encoder of transformers, which AutoModel loads again",
                remedy="save this one yourself: "
                "lit_rec.inference.stored.network.load_module(path)[0].built().backbone.model",
            )
        _merge(backbone, where)
        pairs = isinstance(network, CrossEncoder)
        return cls(
            backbone=backbone,
            pooling=None if pairs else _pooling(network),
            special=facts.special,
            max_tokens=network.max_tokens
            if isinstance(network, CrossEncoder)
            else facts.max_tokens,
            tokenizer=tokenizer_of(content),
            template=content["template"],
            reads_pairs=pairs,
        )

    @property
    def width(self) -> int:
        """Width of a text vector."""
        return self.backbone.width

    @property
    def model(self) -> PreTrainedModel:
        """The encoder as a model of transformers."""
        model: PreTrainedModel = self.backbone.model  # type: ignore[assignment]
        return model

    def tokens(self, texts: Sequence[str]) -> TokenStore:
        """Return the texts' tokens without special ones, cut as in training.

        Raises:
            CheckpointError: If the tokenizer has tokens that the encoder does not know.
        """
        store = TokenStore.build(texts, self.tokenizer.open(), self.max_tokens)
        known = len(self.model.get_input_embeddings().weight)  # type: ignore[arg-type]
        if (largest := int(store.tokens.max(initial=0))) >= known:
            raise CheckpointError(
                f"the tokenizer of the checkpoint makes token {largest} of a text, and its encoder knows {known:,}",
                where="tokenizer",
                rule="tokens of the encoder that was trained",
                remedy="use a checkpoint as `lit-rec fit` wrote it",
            )
        return store

    @torch.no_grad()
    def vectors(self, texts: Sequence[str]) -> Tensor:
        """Return the checkpoint's vectors of texts ``[P, width]`` float32; without a pooling, means of tokens."""
        store = self.tokens(texts)
        passes = TextPasses(
            self.backbone, self.pooling or MeanPooling(self.width), self.special, max_tokens=8192
        )
        ragged = Texts(torch.from_numpy(store.tokens), torch.from_numpy(store.offsets))
        return passes.finished(ragged, lambda vectors, _: vectors, (self.width,))


def _merge(backbone: Backbone, where: str) -> None:
    try:
        merge_adapters(backbone.model)
        left = added_weights(backbone.model)
        reason = f"weights of its own, such as {left[0]}" if left else ""
    except UnmergeableError as error:
        reason = f"adapters that peft cannot merge ({error})"
    if reason:
        raise ConfigError(
            f"{type(backbone.tuning).__name__} gave its encoder {reason}",
            where=where,
            rule="an encoder that AutoModel loads: adapters are merged into its own weights",
            remedy="answer from the checkpoint itself (lit-rec recommend), or train with LoraTuning and export that",
        )


def _pooling(network: Network) -> Pooling | None:
    """Return the pooling of the part that holds the encoder; None if a user's network has it elsewhere."""
    for part in (getattr(network, "item_encoder", None), network):
        if isinstance(found := getattr(part, "pooling", None), Pooling):
            return found
    return None
