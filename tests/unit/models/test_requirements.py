"""A part that does not go with the data is refused, and the option of the data is named."""

from dataclasses import replace

import pytest

from lit_rec.data.fields.number import NumberFacts
from lit_rec.data.targets.label import LabelTarget
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.errors import ConfigError
from lit_rec.models.requirements import needs_target, refuse_fields

PRICE = NumberFacts("price", (0.0, 10.0))


@pytest.fixture
def rich(facts):
    return replace(facts, item_fields=(PRICE,), profile_texts=("job",), user_fields=(PRICE,))


def test_options_of_all_unread_fields_are_named(facts, rich):
    with pytest.raises(ConfigError, match="CrossEncoder would not read them") as error:
        refuse_fields("CrossEncoder", rich, reads="texts", instead="TwoTower")
    named = ("item_fields", "user_text", "user_fields")
    assert error.value.where == " and ".join(f"BehaviorDataModule.{name}" for name in named)
    refuse_fields("CrossEncoder", facts, reads="texts", instead="TwoTower")


def test_a_part_that_reads_items_refuses_profiles_alone(rich):
    with pytest.raises(ConfigError) as error:
        refuse_fields("TextClassifier", rich, reads="items", instead="TwoTower")
    assert error.value.where == "BehaviorDataModule.user_text and BehaviorDataModule.user_fields"
    rich = replace(rich, profile_texts=(), user_fields=())
    refuse_fields("TextClassifier", rich, reads="items", instead="TwoTower")


def test_both_tasks_are_named(facts):
    with pytest.raises(
        ConfigError, match="X predicts a label, the data asks for a rating"
    ) as error:
        needs_target("X", facts, LabelTarget)
    assert "BehaviorDataModule.task to label" in error.value.remedy
    needs_target("X", facts, RatingTarget)
