"""Spaces: ranges, paths, which options a configuration has, and the words that a trial is started with."""

import random
from pathlib import Path

import pytest
import yaml

from lit_rec.cli.search.parsed_config import parsed_config
from lit_rec.errors import ConfigError
from lit_rec.search.ranges import Choices, Numbers, range_of
from lit_rec.search.space import default_space, space_of
from lit_rec.tasks.registry import all_tasks, task_named

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.filterwarnings("default")


class Drawn:
    """Draws as Optuna's trial does, and records the calls."""

    def __init__(self, **fixed):
        self.chance = random.Random(0)
        self.calls = {}
        self.fixed = fixed

    def suggest_float(self, name, low, high, *, step=None, log=False):
        self.calls[name] = ("float", low, high, step, log)
        return self.chance.uniform(low, high)

    def suggest_int(self, name, low, high, *, step=1, log=False):
        self.calls[name] = ("int", low, high, step, log)
        return self.chance.randint(low, high)

    def suggest_categorical(self, name, choices):
        self.calls[name] = ("choice", *choices)
        return self.fixed.get(name, choices[0])


def part(name, **options):
    return {"class_path": f"lit_rec.models.{name}", "init_args": options}


CONFIG = {
    "model": {
        "encoder_rate": 2e-5,
        "head_rate": 0.01,
        "network": part(
            "Net",
            head=part("heads.MLPHead", dropout=0.2, hidden=64),
            backbone=part("Backbone", tuning=part("tuning.TopLayersTuning", layers=2)),
        ),
    },
    "data": part("Data", batch_size=32, text=part("Text", columns=["title"])),
    "trainer": {"max_epochs": 3, "gradient_clip_val": None},
}


def space(**given):
    return space_of({name.replace("__", "."): one for name, one in given.items()}, CONFIG, "s.yaml")


def test_each_kind_of_range_is_drawn_as_optuna_has_it():
    trial = Drawn()
    space(
        model__head_rate={"low": 0.001, "high": 0.1, "log": True},
        model__encoder_rate={"factor": 4},
        model__network__head__dropout={"low": 0, "high": 0.6, "step": 0.1},
        model__network__head__hidden={"low": 16, "high": 128, "step": 16},
        trainer__max_epochs={"low": 2, "high": 8},
        data__batch_size={"choices": [16, 32]},
    ).suggest(trial)
    head = "model.network.init_args.head.init_args"
    assert trial.calls == {
        "model.head_rate": ("float", 0.001, 0.1, None, True),
        "model.encoder_rate": ("float", pytest.approx(5e-6), pytest.approx(8e-5), None, True),
        f"{head}.dropout": ("float", 0.0, 0.6, 0.1, False),
        f"{head}.hidden": ("int", 16, 128, 16, False),
        "trainer.max_epochs": ("int", 2, 8, 1, False),
        "data.batch_size": ("choice", 16, 32),
    }


def test_whole_ends_around_a_fraction_are_fractions():
    assert range_of({"low": 0, "high": 1}, 0.5, "x") == Numbers(0.0, 1.0)
    assert range_of({"low": 0, "high": 2}, 1, "x").is_whole


def test_the_first_trial_is_the_configuration():
    found = space(
        model__network__head={"choices": ["DotHead", "MLPHead"]},
        data__text__columns={"choices": [["title"], ["title", "year"]]},
        model__head_rate={"factor": 2},
    )
    first = found.first()
    assert first["model.network.init_args.head"] == "MLPHead"
    assert first["data.text.init_args.columns"] == '["title"]'
    drawn = {option: one.value(first[option]) for option, one in found.ranges.items()}
    assert found.words(drawn) == []  # exactly the user's command
    drawn |= {"data.text.init_args.columns": ["title", "year"], "model.head_rate": 0.0125}
    assert {*found.words(drawn)} == {
        '--data.text.init_args.columns=["title", "year"]',
        "--model.head_rate=0.0125",
    }


def test_options_of_a_part_are_drawn_where_the_chosen_class_has_them():
    head, hidden = "model.network.init_args.head", "model.network.init_args.head.init_args.hidden"
    found = space(
        model__network__head__hidden={"low": 16, "high": 128},
        model__network__head={"choices": ["DotHead", "MLPHead", "BilinearHead"]},
    )
    assert [*found.ranges] == [head, hidden]  # the class comes first on the command line
    without = {"model": {"network": part("Net", head=part("heads.DotHead"))}}
    found.note(head, "DotHead", without)
    found.note(head, "MLPHead", CONFIG)
    found.note(head, "BilinearHead", CONFIG)
    assert [*found.suggest(Drawn(**{head: "DotHead"}))] == [head]
    assert [*found.suggest(Drawn(**{head: "MLPHead"}))] == [head, hidden]
    # another class forgets what the configuration says of its options
    assert found.words({head: "BilinearHead", hidden: 64}) == [
        f"--{head}=BilinearHead",
        f"--{hidden}=64",
    ]


def test_a_class_with_options_is_a_choice():
    top = {"class_path": "TopLayersTuning", "init_args": {"layers": 2}}
    found = space(model__network__backbone__tuning={"choices": ["FrozenTuning", top]})
    option = "model.network.init_args.backbone.init_args.tuning"
    label = found.first()[option]
    assert found.ranges[option].value(label) == top
    other = {"class_path": "TopLayersTuning", "init_args": {"layers": 3}}
    with pytest.raises(ConfigError, match="TopLayersTuning, is outside"):
        space(model__network__backbone__tuning={"choices": ["FrozenTuning", other]})


def test_true_is_no_number():
    assert not Choices((1, 2)).holds(True)
    assert not Numbers(0, 2).holds(True)


def test_values_of_a_step():
    steps = Numbers(0.0, 0.6, step=0.1)
    assert [value for value in (0.0, 0.3, 0.6, 0.35, 0.7) if steps.holds(value)] == [0.0, 0.3, 0.6]


@pytest.mark.parametrize("task", all_tasks(), ids=lambda task: task.target.name)
def test_a_task_has_a_space(task):
    if type(task).__module__.startswith("lit_rec."):
        given = yaml.safe_load(task.space.read_text())
        assert "model.head_rate" in given
        assert all({*one} <= {"low", "high", "log", "factor", "choices"} for one in given.values())


@pytest.mark.parametrize(
    ("name", "has", "lacks"),
    [
        ("banking77_few", {"model.encoder_rate", "model.layer_decay"}, {"ids"}),
        ("movielens_u1", {"model.head_rate", "model.head_decay"}, {"model.encoder_rate"}),
        ("own_events", {"model.network.init_args.user_encoder.init_args.dropout"}, {"ids"}),
    ],
)
def test_the_default_space_has_what_the_configuration_uses(name, has, lacks, monkeypatch):
    """An encoder's rate only where one is trained; the configuration's values lie within."""
    monkeypatch.chdir(ROOT)
    config = parsed_config(["-c", f"configs/{name}.yaml"])
    task = task_named(config["data"]["init_args"]["task"])
    found = default_space(yaml.safe_load(task.space.read_text()), config, "default")
    assert has <= {*found.ranges}
    assert not lacks & {*found.ranges}
    assert not any(word in option for option in found.ranges for word in lacks)
    assert len(found.ranges) >= 4
    assert all(one.holds(found.defaults[option]) for option, one in found.ranges.items())


def test_a_default_range_is_widened():
    given = {
        "model.head_rate": {"low": 0.1, "high": 0.5},
        "trainer.gradient_clip_val": {"factor": 2},
    }
    found = default_space(given, CONFIG, "default")
    assert found.ranges == {"model.head_rate": Numbers(0.01, 0.5)}
