"""TextClassifier: from a text to labels or a rating, without any user."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from lit_rec.data.batches.batch import RecBatch
from lit_rec.data.facts import Facts
from lit_rec.models.heads.head import Head
from lit_rec.models.heads.value_heads import LinearHead
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.network import ItemNetwork
from lit_rec.models.objectives.score import TextScores
from lit_rec.models.requirements import refuse_fields


class TextClassifier(ItemNetwork):
    """Text alone: topic, sentiment, intent. A text is the only item of its row.

    Evaluation has no table of vectors, as each text occurs once; equal texts of a batch are still encoded once.

    Args:
        facts: Facts of the data.
        item_encoder: From texts to vectors.
        head: From a vector to scores; takes the width.

    Shape:
        A batch of B rows with one candidate each -> ``[B, 1, K]`` float32 for K labels, ``[B, 1]`` for ratings.

    Raises:
        ConfigError: If the data has profiles of users, which would not be read.

    Example:
        >>> from functools import partial
        >>> from lit_rec.models.text.backbone import ConfiguredBackbone
        >>> facts = Facts.example("label", labels=("no", "so", "yes"))
        >>> options = {"vocab_size": 9, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}
        >>> options["intermediate_size"] = 4
        >>> backbone = partial(ConfiguredBackbone, model_type="bert", options=options)
        >>> network = TextClassifier(facts, partial(ItemEncoder, backbone=backbone))
        >>> network.gives, network.head.linear.out_features
        ('class_scores', 3)
    """

    has_item_table = False
    has_text_vectors = True

    def __init__(
        self,
        facts: Facts,
        item_encoder: Callable[[Facts], ItemEncoder],
        head: Callable[[Facts, int], Head] = LinearHead,
    ) -> None:
        refuse_fields("TextClassifier", facts, reads="items", instead="TwoTower")
        super().__init__(facts, item_encoder)
        self.head = head(facts, self.item_encoder.width)

    def training_outputs(self, batch: RecBatch) -> TextScores:  # type: ignore[override]
        """Return scores, and the vector of each row's text."""
        vectors, _ = self.encode_batch(batch)
        scores = self.score(self.encode_users(vectors, batch), vectors, batch)
        # without the bias coordinate, which no text has in common with another
        return TextScores(scores, vectors[batch.candidates.item_index[:, 0], :-1])

    def encode_users(
        self, item_vectors: Tensor, batch: RecBatch, profiles: Tensor | None = None
    ) -> Tensor:
        """Return zeros ``[B, width + 1]``: there are no users."""
        return item_vectors.new_zeros(len(batch), item_vectors.shape[1])
