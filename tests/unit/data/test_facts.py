import io

import torch

from lit_rec.data.facts import Facts
from lit_rec.data.texts.tokens import SpecialTokens


def test_facts_survive_a_checkpoint():
    facts = Facts(
        task="rating",
        rating_mean=3.5,
        rating_low=1.0,
        rating_high=5.0,
        events=("buy",),
        user_ids=("u", "v"),
        item_ids=(),
        fields=("text",),
        max_tokens=64,
        special=SpecialTokens((101,), (102,), 0),
        backbone={"width": 16, "layers": [1, 2]},
    )
    file = io.BytesIO()
    torch.save(facts.to_plain(), file)
    file.seek(0)
    assert Facts.from_plain(torch.load(file, weights_only=True)) == facts
    listed = {k: list(v) if isinstance(v, tuple) else v for k, v in facts.to_plain().items()}
    assert Facts.from_plain(listed) == facts
