"""Remedies of ``lit-rec tune``: spaces, shared studies, and words."""

import copy
import sys
from pathlib import Path
from unittest import mock

import pytest

pytest.importorskip("optuna")

from lit_rec.cli.search import tune
from lit_rec.cli.search.space_file import read_space, try_ends
from lit_rec.data.targets.rating import RatingTarget
from lit_rec.errors import ConfigError
from lit_rec.search import results
from lit_rec.search.ranges import Numbers
from lit_rec.search.reports import Value
from lit_rec.search.search import Search
from lit_rec.search.space import Space, default_space
from lit_rec.search.study import SharedStudy, optuna
from lit_rec.tasks.rating import RatingTask
from tests.integration.conftest import lit_rec, options

from .followed import each_remedy_of, follow

pytestmark = pytest.mark.filterwarnings("default")
CONFIG = {
    "model": {"head_rate": 0.01, "head_decay": 0.0, "encoder_rate": None},
    "data": {"class_path": "lit_rec.data.Data", "init_args": {"batch_size": 32}},
}


def read(text, **changed):
    Path("space.yaml").write_text(text)
    config = copy.deepcopy(CONFIG)
    config["model"] |= changed
    return read_space("space.yaml", config, RatingTask())


# a space, what its remedy says, and the space after it
SPACES = [
    ("model.head_rate: 0.1", "{factor: 5}", "model.head_rate: {factor: 5}"),
    (
        "model.head_rate: {low: 0.1}",
        "{low: 0.0, high: 0.5}",
        "model.head_rate: {low: 0.0, high: 0.5}",
    ),
    (
        "model.head_rate: {low: 0.1, high: 0.5}",
        "widen the range to hold it",
        "model.head_rate: {low: 0.01, high: 0.5}",
    ),
    (
        "data.batch_size: {choices: [32]}",
        "add a value, or remove the option",
        "data.batch_size: {choices: [32, 64]}",
    ),
    (
        "model.head_rate: {factor: 0.5}",
        "write low and high instead",
        "model.head_rate: {low: 0.005, high: 0.02}",
    ),
    (
        "model.head_decay: {factor: 5}",
        "write low and high instead",
        "model.head_decay: {low: 0.0, high: 1.0}",
    ),
    (
        "model.head_rate: {low: tiny, high: 1.0}",
        "rates are written as 1.0e-5",
        "model.head_rate: {low: 1.0e-5, high: 1.0}",
    ),
    (
        "model.head_rate: {low: 0.1, high: 0.001}",
        "exchange the two",
        "model.head_rate: {low: 0.001, high: 0.1}",
    ),
    (
        "model.head_rate: {low: 0, high: 0.1, log: true}",
        "leave out log or step",
        "model.head_rate: {low: 0, high: 0.1}",
    ),
    (
        "model.head_rate: {low: 0.001, high: 0.1, log: true, step: 0.01}",
        "leave out log or step",
        "model.head_rate: {low: 0.001, high: 0.1, log: true}",
    ),
    ("model.head_rat: {factor: 5}", "did you mean 'head_rate'?", "model.head_rate: {factor: 5}"),
    ("{}", "model.head_rate: {factor: 5}", "model.head_rate: {factor: 5}"),
]


@pytest.mark.parametrize(("wrong", "says", "right"), SPACES)
def test_a_space(wrong, says, right):
    assert len(follow(lambda: read(wrong), lambda: read(right), says=says).ranges) == 1


def test_a_value_outside_is_changed_in_the_configuration():
    follow(
        lambda: read("model.head_rate: {low: 0.1, high: 0.5}"),
        lambda: read("model.head_rate: {low: 0.1, high: 0.5}", head_rate=0.2),
        says="give the option another value after the command",
    )


def test_a_configuration_without_the_default_options():
    follow(
        lambda: default_space({"model.network.depth": {"factor": 2}}, CONFIG, "rating.yaml"),
        lambda: read("model.head_rate: {factor: 5}"),
        says="name a file of options with --space",
    )


class Silent(RatingTask):
    target = RatingTarget()
    space = None


def test_a_task_without_a_space():
    follow(
        lambda: read_space(None, CONFIG, Silent()),
        lambda: read("model.head_rate: {factor: 5}"),
        says="model.head_rate: {factor: 5}, and --space FILE",
    )


def test_an_end_that_the_parser_refuses():
    """An example stands for the parser, which takes long; tests/unit/search/test_search_page.py has the real one."""

    def parsed(words):
        if words == ["--model.head=NoHead"]:
            raise ConfigError("there is no class NoHead")
        return CONFIG

    def tried(text):
        space = read(text, head={"class_path": "lit_rec.models.heads.value_heads.DotHead"})
        try_ends(space, parsed, "space.yaml")

    follow(
        lambda: tried("model.head: {choices: [DotHead, NoHead]}"),
        lambda: tried("model.head: {choices: [DotHead, MLPHead]}"),
        says="correct the value in the space, or remove it",
    )


def study(folder, rate=0.1):
    about = {"configuration": {"rate": rate}, "space": {}}
    SharedStudy(Path(folder), maximises=True, seed=0, about=about, first={"x": 0.5}).close()


def test_a_folder_of_another_search():
    study("one")
    for folder, rate in (("two", 0.2), ("one", 0.1)):  # another folder; or as before
        follow(
            lambda: study("one", rate=0.2),
            lambda folder=folder, rate=rate: study(folder, rate),
            says="name another folder with --output, or call it as before",
        )


def test_optuna_is_absent():
    def absent():
        with mock.patch.dict(sys.modules, {"optuna": None}):
            optuna()

    follow(absent, optuna, says="pip install optuna")


def test_trials_that_fail(monkeypatch):
    monkeypatch.setattr(results, "write_hparams", lambda *of: None)
    space = Space({"x": Numbers(0.0, 1.0)}, {"x": 0.5})

    def searched(folder, reason):
        def run(number, words, on_validation, beat):
            on_validation(Value(1, "val/auc", "max", 0.5))
            return reason

        about = {"configuration": {}, "space": {}}
        shared = SharedStudy(Path(folder), maximises=True, seed=0, about=about, first=space.first())
        Search(shared, space, run).go_on(1)

    follow(
        lambda: searched("wrong", "none.csv: there is no such file"),
        lambda: searched("right", None),
        says="read wrong/version_4/log.txt, correct the configuration or the space, and name another folder",
    )


def test_words(workplace, monkeypatch):
    begun = []
    monkeypatch.setattr(tune, "_go_on", lambda search, count: begun.append(count))
    words = ["tune", *options(workplace), "--output", "out"]
    follow(
        lambda: lit_rec(*words, "--trials", 0),
        lambda: lit_rec(*words),
        says="leave it out for 20",
    )
    Path("last.ckpt").touch()
    for wrong in (["--ckpt_path", "last.ckpt"], ["--trainer.fast_dev_run=true"]):
        follow(
            lambda wrong=wrong: lit_rec(*words, *wrong),
            lambda: begun.append(20),  # as above
            says="leave it out",
        )
    follow(
        lambda: lit_rec(*words, "--trainer.fast_dev_run=true"),
        lambda: lit_rec(*words, "--trainer.limit_train_batches=2", "--output", "short"),
        says="--trainer.limit_train_batches shortens trials",
    )
    assert {*begun} == {20}


test_each_remedy_was_followed = each_remedy_of("search", "cli/search")
