"""TextPretraining: an encoder learns the texts of a field before it learns a task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from lit_rec.data.batches.batch import Items, RecBatch, Texts
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError, option_of
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.network import ItemNetwork
from lit_rec.models.pretraining.item_pairs import ItemPairs
from lit_rec.models.pretraining.masked_words import MaskedWords
from lit_rec.ranges import count, not_negative, part_of_all, positive

_SEED = 0  # validation hides the same words each time


class TextPretraining(ItemNetwork):
    """Learn from the texts of training rows, by hidden words, contrast, near texts or items that follow others.

    By hidden words: see ``MaskedWords``. By contrast (SimCSE): each text of a batch passes twice, with other dropout,
    and its two vectors have to be nearer to each other than to those of other texts. It needs dropout in the encoder,
    and large batches. By near texts: a row's item has to be nearer to one of the items whose texts were nearest to its
    own before training than to the batch's other items; it sharpens what the encoder knows. By items that follow
    others: see ``ItemPairs``; it needs behaviors. ``lit-rec export-encoder`` then writes an encoder for any YAML.

    Args:
        facts: Facts of the data.
        item_encoder: The encoder and its pooling; its projection is not used.
        masked_weight: Weight of the loss of hidden words; 0: none are hidden.
        masked_share: Share of the tokens that are hidden.
        contrast_weight: Weight of the contrastive loss; 0: none.
        temperature: Cosines are divided by it.
        pair_weight: Weight of the loss of items that follow others; 0: none. How far apart they may be is the length of
            the histories.
        near_weight: Weight of the loss of near texts; 0: none.
        near: How many of an item's nearest items count as near.

    Shape:
        A batch of B rows -> ``[B, 1]`` float32, the loss of each row: that of its text, the mean over its fields, and
        that of its pair.

    Raises:
        ConfigError: If a weight is negative, all are 0, ``masked_share`` is not above 0 and up to 1, ``temperature``
            is not above 0, or ``near`` is below 1; if the encoder is frozen, the tokenizer has no mask token though
            words are to be hidden, the encoder has no dropout though contrast needs it, the rows have no users though
            pairs are wanted, or both near texts and items that follow others are.

    Reference:
        Gao et al. 2021, SimCSE, https://arxiv.org/abs/2104.08821. Zhang et al. 2021, Few-shot intent detection via
        contrastive pre-training, https://arxiv.org/abs/2109.06349 (both together, before few labels). Zhang et al.
        2022, New intent discovery, https://arxiv.org/abs/2205.12914 (near texts).

    Example:
        >>> from functools import partial
        >>> from lit_rec.models.text.backbone import ConfiguredBackbone
        >>> options = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> options["intermediate_size"] = 4
        >>> backbone = partial(ConfiguredBackbone, model_type="bert", options=options)
        >>> encoder = partial(ItemEncoder, backbone=backbone)
        >>> network = TextPretraining(Facts.example("pretraining"), encoder, masked_weight=0, contrast_weight=1)
        >>> network.gives
        'losses'
    """

    has_item_table = False

    def __init__(
        self,
        facts: Facts,
        item_encoder: Callable[[Facts], ItemEncoder],
        masked_weight: float = 1.0,
        masked_share: float = 0.15,
        contrast_weight: float = 0.0,
        temperature: float = 0.05,
        pair_weight: float = 0.0,
        near_weight: float = 0.0,
        near: int = 20,
    ) -> None:
        super().__init__(facts, item_encoder)
        self.masked_weight = not_negative(self, "masked_weight", masked_weight)
        self.contrast_weight = not_negative(self, "contrast_weight", contrast_weight)
        self.pair_weight = not_negative(self, "pair_weight", pair_weight)
        self.near_weight = not_negative(self, "near_weight", near_weight)
        near = count(self, "near", near)
        self.nearest_items = near if near_weight else 0
        self.temperature = positive(self, "temperature", temperature)
        part_of_all(self, "masked_share", masked_share)
        encoder = self._encoder
        self._check(facts, encoder)
        # a projection that nothing uses would have no gradient, and DDP waits for each
        for unused in (encoder.fields, encoder.ids):
            unused.requires_grad_(False)
        self.masked = None
        if masked_weight:
            self.masked = MaskedWords(encoder.backbone, facts.special, masked_share)
        # of one kind: a row's history holds either what its user had, or the nearest items
        self.pairs = ItemPairs(facts, temperature) if pair_weight or near_weight else None

    @property
    def _encoder(self) -> ItemEncoder:
        encoder: ItemEncoder = self.item_encoder  # type: ignore[assignment]
        return encoder

    def _check(self, facts: Facts, encoder: ItemEncoder) -> None:
        name = type(self).__name__
        if not self.masked_weight + self.contrast_weight + self.pair_weight + self.near_weight:
            raise ConfigError(
                "all weights are 0",
                where=option_of(self, "masked_weight"),
                rule="masked_weight, contrast_weight, near_weight or pair_weight above 0",
                remedy=f"set {option_of(self, 'masked_weight')} to 1",
            )
        if encoder.is_frozen:
            raise ConfigError(
                f"{name} beside an encoder that is frozen",
                where=name,
                rule="an encoder of which something is trained",
                remedy=f"set {option_of('PretrainedBackbone', 'tuning')} to FullTuning",
            )
        mask = facts.special.mask
        if self.masked_weight and (mask is None or mask >= encoder.backbone.tokens):
            raise ConfigError(
                "the tokenizer has no mask token that the encoder has a vector for",
                where=option_of(self, "masked_weight"),
                rule="words are hidden behind the mask token",
                remedy=f"set {option_of(self, 'masked_weight')} to 0 and {option_of(self, 'contrast_weight')} to 1",
            )
        if self.contrast_weight and not _has_dropout(encoder.backbone):
            raise ConfigError(
                "the two passes of a text would be the same: the encoder has no dropout",
                where=option_of(self, "contrast_weight"),
                rule="dropout within the encoder",
                remedy=f"set {option_of('PretrainedBackbone', 'dropout')} to 0.1, "
                f"or {option_of(self, 'contrast_weight')} to 0",
            )
        if self.pair_weight and self.near_weight:
            raise ConfigError(
                f"{self.near_weight}, beside {option_of(self, 'pair_weight')} {self.pair_weight}",
                where=option_of(self, "near_weight"),
                rule="near texts, or items that follow others",
                remedy=f"set {option_of(self, 'near_weight')} or {option_of(self, 'pair_weight')} to 0",
            )
        if self.pair_weight and not facts.item_log_frequency:
            raise ConfigError(
                "no item follows another: the rows have no users",
                where=option_of(self, "pair_weight"),
                rule="behaviors of users, such as those of TableReader",
                remedy=f"set {option_of(self, 'pair_weight')} to 0 and {option_of(self, 'masked_weight')} to 1",
            )

    @property
    def gives(self) -> str:
        """Losses: there is no head."""
        return "losses"

    @property
    def looks_at_labels(self) -> bool:
        """Never: labels are not read."""
        return False

    def calibrate(self, texts: Texts, items: Items) -> None:
        """Measure nothing: the projection is not used."""

    def forward(self, batch: RecBatch) -> Tensor:
        """Return the loss of each row ``[B, 1]``; each distinct text is read once for each kind of loss."""
        losses = self._of_texts(batch)
        if self.pairs is not None:
            weight = self.pair_weight or self.near_weight
            losses = losses + weight * self.pairs(self._encoder, batch)
        return losses.unsqueeze(1)

    def _of_texts(self, batch: RecBatch) -> Tensor:
        """Return the loss of each row's texts ``[B]``."""
        row_text = batch.items.text_index[batch.candidates.item_index[:, 0]]  # [B, F]
        keep = torch.zeros(len(batch.texts), dtype=torch.bool, device=row_text.device)
        keep[row_text] = True
        losses = self._losses(batch.texts.where(keep))
        place = keep.cumsum(0) - 1
        return losses[place[row_text]].mean(1)

    def _losses(self, texts: Texts) -> Tensor:
        """Return the loss of each text ``[P]``; hidden words and dropout of an evaluation are always the same."""
        encoder = self._encoder
        losses = torch.zeros(len(texts), device=texts.offsets.device)
        generator = None if self.training else torch.Generator().manual_seed(_SEED)
        if self.masked is not None:
            given = encoder.backbone, texts, encoder.max_tokens_per_chunk, generator
            losses = losses + self.masked_weight * self.masked(*given)
        if self.contrast_weight:
            with _same_dropout(encoder.backbone, evaluated=not self.training):
                one, two = (encoder.encode_texts(texts) for _ in range(2))
            losses = losses + self.contrast_weight * contrast(one, two, self.temperature)
        return losses

    def encode_users(
        self, item_vectors: Tensor, batch: RecBatch, profiles: Tensor | None = None
    ) -> Tensor:
        """Return zeros ``[B, width + 1]``: there are no users."""
        return item_vectors.new_zeros(len(batch), item_vectors.shape[1])

    def score(self, users: Tensor, item_vectors: Tensor, batch: RecBatch) -> Tensor:
        """Return no score.

        Raises:
            ValueError: Always: an encoder that is pretrained scores nothing.
        """
        raise ValueError(
            "TextPretraining scores nothing: export its encoder, and train a task with it"
        )


def contrast(one: Tensor, two: Tensor, temperature: float) -> Tensor:
    """Return the loss of each text ``[P]``: cross-entropy of its own second vector among those of all texts.

    Args:
        one: ``[P, D]``, vectors of the texts.
        two: ``[P, D]``, the same of another pass.
        temperature: Cosines are divided by it.

    Example:
        >>> contrast(torch.eye(2), torch.eye(2), temperature=1.0)  # -log(e / (e + 1))
        tensor([0.3133, 0.3133])
    """
    with torch.autocast(one.device.type, enabled=False):
        cosines = (
            functional.normalize(one.float(), dim=1) @ functional.normalize(two.float(), dim=1).T
        )
        own = torch.arange(len(one), device=one.device)
        return functional.cross_entropy(cosines / temperature, own, reduction="none")


@contextmanager
def _same_dropout(encoder: nn.Module, *, evaluated: bool) -> Iterator[None]:
    """Let an evaluation drop what a fixed seed draws: without dropout the two passes would be the same."""
    if not evaluated:
        yield
        return
    with torch.random.fork_rng():
        torch.manual_seed(_SEED)
        encoder.train()
        try:
            yield
        finally:
            encoder.eval()


def _has_dropout(encoder: nn.Module) -> bool:
    return any(isinstance(module, nn.Dropout) and module.p > 0 for module in encoder.modules())
