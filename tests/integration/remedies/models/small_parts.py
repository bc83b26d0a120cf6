"""Facts, parts and networks of a few numbers; and the classes that a remedy names."""

import re
from functools import partial

from lit_rec.data.facts import Facts
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.value_heads import (
    ClassificationHead,
    DotHead,
    LinearHead,
    MLPHead,
)
from lit_rec.models.heads.vector_heads import CosineHead, InnerProductHead
from lit_rec.models.items.id_item_encoder import IdItemEncoder
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.objectives.ranking import BPR, ItemSoftmax
from lit_rec.models.objectives.score import (
    BinaryCrossEntropy,
    CrossEntropy,
    SquaredError,
)
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.tuning import FrozenTuning
from lit_rec.models.users.causal_transformer import CausalTransformerUserEncoder
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder
from tests.integration.remedies.followed import refused

RATING, LABEL, NEXT = (Facts.example(task) for task in ("rating", "label", "next_item"))
THREE = Facts.example("label", labels=("a", "b", "c"))
BERT = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
BERT |= {"intermediate_size": 8, "max_position_embeddings": 16}
TINY = partial(ConfiguredBackbone, model_type="bert", options=BERT)
TEXTS = partial(ItemEncoder, backbone=TINY, width=8)
FROZEN = partial(ItemEncoder, backbone=partial(TINY, tuning=FrozenTuning()), width=8)
NAMED = {
    one.__name__: one
    for one in (
        *(AdditiveAttentionUserEncoder, CausalTransformerUserEncoder, MeanUserEncoder),
        *(CosineHead, InnerProductHead, NeighborhoodHead, DotHead, ClassificationHead, LinearHead),
        *(MLPHead, SquaredError, BinaryCrossEntropy, CrossEntropy, ItemSoftmax, BPR),
    )
}


def tower(facts, head=DotHead, users=MeanUserEncoder, items=IdItemEncoder, **parts):
    return TwoTower(facts, items, users, head, **parts)


def named_in(broken):
    """The classes that a remedy names."""
    return [NAMED[name] for name in re.findall(r"\w+", refused(broken)[0].remedy) if name in NAMED]
