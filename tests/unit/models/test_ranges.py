from functools import partial

import pytest

from lit_rec.errors import ConfigError
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.same_time import OccasionNeighborhoodHead
from lit_rec.models.heads.value_heads import RegressionHead
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.text.pooling import AttentionPooling
from lit_rec.models.users.user_encoder import AdditiveAttentionUserEncoder, MeanUserEncoder
from lit_rec.ranges import count, positive, share

NAN = float("nan")


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (positive, (1e-9, 3, 1e9), (0, -1.0, NAN, float("inf"))),
        (share, (0, 0.5, 1.0), (-0.1, 1.1, 50, NAN)),
        (count, (1, 300), (0, -2)),
    ],
)
def test_numbers_within_and_outside(check, good, bad):
    assert [check("Part", "x", value) for value in good] == list(good)
    for value in bad:
        with pytest.raises(ConfigError, match=f"{value} cannot be used") as caught:
            check("Part", "x", value)
        assert caught.value.where == "Part.x"


# part, made from facts and a backbone; its options; a value of each that makes no sense
PARTS = {
    "item_encoder": (
        lambda facts, backbone: partial(ItemEncoder, facts, backbone),
        {
            "width": (0, -3),
            "dropout": (-0.1, 20.0, NAN),
            "max_tokens_per_chunk": (0,),
            "max_kept_texts": (-1,),
            "max_kept_tokens": (-1,),
        },
    ),
    "pooling": (lambda facts, backbone: partial(AttentionPooling, 4), {"hidden": (0,)}),
    "ids": (lambda facts, backbone: partial(IdEmbedding, 3, 4), {"dropout": (-1.0, 50.0, NAN)}),
    "user_encoder": (
        lambda facts, backbone: partial(AdditiveAttentionUserEncoder, facts, 4),
        {"shrinkage": (0.0, -1.0, NAN), "hidden": (0,), "slots_per_block": (0,)},
    ),
    "head": (
        lambda facts, backbone: partial(NeighborhoodHead, facts, 4),
        {
            "sharpness": (0.0, -1.0, NAN),
            "hidden": (0,),
            "dropout": (1.5,),
            "slots_per_block": (0,),
        },
    ),
}
WRONG = [
    (part, option, value)
    for part, (_, options) in PARTS.items()
    for option, values in options.items()
    for value in values
]


@pytest.mark.parametrize(("part", "option", "value"), WRONG)
def test_option_and_value_are_named(facts, tiny_bert, part, option, value):
    make = PARTS[part][0](facts, lambda facts: ConfiguredBackbone(facts, "bert", tiny_bert))
    with pytest.raises(ConfigError) as caught:
        make(**{option: value})
    assert caught.value.where == f"{make.func.__name__}.{option}"
    assert str(value) in caught.value.problem


@pytest.mark.parametrize("options", [{"hidden": 0}, {"dropout": 2.0}])
def test_regression_head_checks_as_well(facts, options):
    with pytest.raises(ConfigError, match=f"{next(iter(options.values()))} cannot"):
        RegressionHead(facts, 4, **options)


@pytest.mark.parametrize("shrinkage", [0.0, -1.0])
def test_mean_user_encoder_checks_as_well(facts, shrinkage):
    with pytest.raises(ConfigError, match=f"{shrinkage} cannot"):
        MeanUserEncoder(facts, 4, shrinkage=shrinkage)


@pytest.mark.parametrize("seconds", [0.0, -1.0, NAN])
def test_occasion_checks_its_seconds(facts, seconds):
    with pytest.raises(ConfigError, match=f"{seconds} cannot") as caught:
        OccasionNeighborhoodHead(facts, 4, seconds=seconds)
    assert caught.value.where == "OccasionNeighborhoodHead.seconds"
