import io

import pytest
import torch

from lit_rec.data.facts import Facts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.training.checkpoint.facts_schema import FACTS, check_agreement


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


@pytest.mark.parametrize("task", ["rating", "label", "next_item"])
def test_example_is_as_facts_of_data_are(task):
    """What a checkpoint's facts have to keep to holds of it, too."""
    facts = Facts.example(task)
    FACTS(facts.to_plain(), "facts")
    check_agreement(facts.to_plain(), "facts")
    assert facts.task == task
    assert facts.score_start == (3.0 if task == "rating" else 0.0)


def test_example_takes_what_is_given():
    special = SpecialTokens((), (), 7)
    facts = Facts.example("label", labels=("a", "b", "c"), max_tokens=4, special=special)
    assert (facts.labels, facts.label_counts) == (("a", "b", "c"), (1, 1, 1))
    assert (facts.max_tokens, facts.special, facts.rating_range) == (4, special, (0.0, 0.0))
    assert Facts.example(rating_mean=2.5).score_start == 2.5
    with pytest.raises(TypeError, match="max_token"):
        Facts.example(max_token=4)
