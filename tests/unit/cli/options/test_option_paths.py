"""Options of errors as paths: parts of two kinds, in lists, derived from others, and such as are not there."""

import pytest

from lit_rec.cli.options.option_paths import by_paths, by_sections, worded_by
from lit_rec.errors import CheckpointError, ConfigError
from lit_rec.training.lit_rec import LitRec
from tests.class_names import full_path


def part(name, **options):
    """A part by its short name, so that its file may move."""
    path = name if "." in name else full_path(name)
    return {"class_path": path, "init_args": options}


OCCASION = part("OccasionNeighborhoodHead", seconds=60.0, sharpness=-1.0)
FIELD = part("NumberField", column="price", bins=0)
CONFIG = {
    "seed_everything": 0,
    "model": {
        "network": part(
            "TwoTower",
            head=OCCASION,
            user_encoder=part("MeanUserEncoder", ids=part("IdEmbedding", dropout=0.5)),
            item_encoder=part(
                "IdItemEncoder",
                ids=part("IdEmbedding", dropout=2.0),
            ),
            repeats=None,
        ),
        "objective": None,
        "head_rate": 0.01,
    },
    "data": part(
        "ItemTextDataModule",
        item_fields=[FIELD],
        batch_size=64,
        text=part("TextTemplate", columns=["title"], labels=None),
        mine=part("nowhere.Mine", size=1),
    ),
}
NETWORK = "model.network.init_args"


def named(where, problem="it is wrong"):
    error = ConfigError(problem, where=where, remedy=f"set {where} to 1")
    found = by_paths(error, CONFIG, {"model": LitRec})
    assert found.problem == problem
    return found.where


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ("OccasionNeighborhoodHead.seconds", f"{NETWORK}.head.init_args.seconds"),
        # by the class that checks, which the part derives from
        ("NeighborhoodHead.sharpness", f"{NETWORK}.head.init_args.sharpness"),
        ("LitRec.head_rate", "model.head_rate"),
        ("BehaviorDataModule.batch_size", "data.batch_size"),
        ("BehaviorDataModule.batch_size=64, and more", "data.batch_size=64, and more"),
        ("BehaviorDataModule.text.columns", "data.text.init_args.columns"),
        ("TextTemplate.labels", "data.text.init_args.labels"),
        ("NumberField.bins", "data.item_fields, bins of NumberField"),
        ("OccasionNeighborhoodHead", f"{NETWORK}.head"),
        # the part is not there: where it could be
        ("ItemSoftmax", "model.objective"),
        ("ItemSoftmax.temperature", "model.objective.init_args.temperature"),
        ("RepeatBias.start", f"{NETWORK}.repeats.init_args.start"),
        # not of this configuration
        ("OccasionNeighborhoodHead.width", "OccasionNeighborhoodHead.width"),
        ("TimeSplit.test", "TimeSplit.test"),
        ("Mine.size", "Mine.size"),
        ("items.csv, line 3", "items.csv, line 3"),
    ],
)
def test_where(where, path):
    assert named(where) == path


def test_the_part_with_the_value_that_is_shown():
    first, second = (
        f"{NETWORK}.{p}.init_args.ids.init_args.dropout" for p in ("user_encoder", "item_encoder")
    )
    assert named("IdEmbedding.dropout", "2.0 cannot be used") == second
    assert named("IdEmbedding.dropout", "0.5 cannot be used") == first
    assert set(named("IdEmbedding.dropout", "12.05 is meant").split(" and ")) == {first, second}


def test_all_of_an_error_is_renamed():
    error = CheckpointError(
        "LitRec.head_rate is no matter of here",
        where="--ckpt_path",
        rule="at most OccasionNeighborhoodHead.seconds",
        remedy="lower LitRec.head_rate.",
        details=["LitRec.head_rate is 3", "x"],
    )
    found = by_paths(error, CONFIG, {"model": LitRec})
    assert isinstance(found, CheckpointError)
    assert (found.problem, found.where) == (error.problem, "--ckpt_path")
    assert found.rule == f"at most {NETWORK}.head.init_args.seconds"
    assert found.remedy == "lower model.head_rate."
    assert found.details == ("model.head_rate is 3", "x")


def test_without_a_configuration_sections_are_named():
    error = ConfigError(
        "2", where="BehaviorDataModule.encoder=x", remedy="set OccasionNeighborhoodHead.seconds"
    )
    found = by_sections(error)
    assert (found.where, found.remedy) == ("data.encoder=x", "set OccasionNeighborhoodHead.seconds")
    assert by_paths(error, {}, {}).where == error.where


def wrapped(error, around):
    """Raise one error from another."""
    try:
        raise error
    except ConfigError as inner:
        raise around from inner


def test_an_error_that_a_library_has_wrapped_is_found():
    ours, built = ConfigError("2", where="Trainer.devices"), ValueError("cannot be built")
    with pytest.raises(ConfigError, match=r"^trainer\.devices: 2") as found, worded_by(by_sections):
        wrapped(ours, built)
    assert found.value.__cause__ is built
    absent = FileNotFoundError("x.csv")
    with pytest.raises(FileNotFoundError) as kept, worded_by(by_sections):
        wrapped(ours, absent)
    assert kept.value is absent
    with pytest.raises(KeyError, match=r"Trainer\.devices"), worded_by(by_sections):
        raise KeyError("Trainer.devices")
