"""Remedies of what a run is given: no configuration or checkpoint, wrong YAML, and values that no option takes."""

import shutil
from pathlib import Path

import pytest
import yaml
from jsonargparse import Namespace

from lit_rec.cli.options.config_files import check_configs
from lit_rec.cli.options.first_checks import check_words
from lit_rec.cli.options.option_values import check_values
from lit_rec.cli.options.strict_yaml import check_yaml
from lit_rec.training.lit_rec import LitRec
from tests.integration.conftest import lit_rec
from tests.integration.init_tables import printed, run, two

from .followed import each_remedy_of, follow

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def project(run_folder, workplace):
    """A working folder as of somebody who has trained: checkpoints/my run/version_0, and my_data.yaml."""
    shutil.copytree(run_folder, "checkpoints/my run/version_0")
    config = yaml.safe_load((workplace / "config.yaml").read_text())
    init_args = config["data"]["init_args"]
    init_args["encoder"] = str(workplace / "checkpoints/assets/all-MiniLM-L6-v2")
    Path("my_data.yaml").write_text(yaml.safe_dump(config))


@pytest.mark.parametrize("command", ["test", "recommend"])
def test_a_checkpoint_is_needed(project, command):
    """The one that is there is named, and works."""
    more = ["--text", "red night", "--k=1"] if command == "recommend" else []
    broken = lambda: lit_rec(command, *more)  # noqa: E731
    words = printed(broken)[0][1:]
    assert words[:-1] == [command, *more, "--ckpt_path"]
    follow(
        broken,
        lambda: lit_rec(*words) if more else check_words(command, words[1:]),
        says="--ckpt_path 'checkpoints/my run/version_0/best.ckpt'",
    )


def test_a_checkpoint_is_needed_and_there_is_none(run_folder):
    words = ["--ckpt_path", f"{run_folder}/best.ckpt"]
    says = "train first: `lit-rec fit` writes best.ckpt"
    follow(lambda: check_words("test", []), lambda: check_words("test", words), says=says)


def test_a_configuration_is_needed(project):
    broken = lambda: check_words("fit", [])  # noqa: E731
    words = printed(broken)[0][1:]
    follow(broken, lambda: check_words(words[0], words[1:]), says="lit-rec fit -c my_data.yaml")
    Path("my_data.yaml").unlink()

    def mended():
        run(*two(), "--output=my_data.yaml")
        check_words("fit", ["-c", "my_data.yaml"])

    follow(broken, mended, says="lit-rec init BEHAVIORS ITEMS, then lit-rec fit -c my_data.yaml")


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        ("--dta.x=1", "--data.x=1", "did you mean '--data'?"),
        ("--qqq", "--trust=a", "correct or remove it"),
    ],
)
def test_names_of_sections(wrong, right, says):
    Path("a.yaml").write_text("data: {}\n")
    follow(
        lambda: check_words("fit", ["-c", "a.yaml", wrong]),
        lambda: check_words("fit", ["-c", "a.yaml", right]),
        says=says,
    )


FILES = {
    "nothing": ("", "data: {}", "write these sections, as in a file of configs/"),
    "a tab": ("data:\n\tx: 1\n", "data:\n  x: 1\n", "correct this place"),
    "another encoding": ("data: {}".encode("utf-16"), "data: {}", "correct this place"),
    "a table": (
        b"a,b\n" * 300_000,
        "data: {}",
        "name a configuration; tables are named in it by their paths",
    ),
    "an option of the command line": (
        "trust: a\ndata: {}",
        "data: {}",
        "remove it, and write --trust after the command",
    ),
    "dashes": (
        "trainer:\n- max_epochs: 3\n",
        "trainer:\n  max_epochs: 3\n",
        "remove the dashes or brackets",
    ),
    "an empty key": (
        "trainer:\ndata: {}\n",
        "data: {}\n",
        "or the key itself where it has no options",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files(name):
    wrong, right, says = FILES[name]
    Path("wrong.yaml").write_bytes(wrong if isinstance(wrong, bytes) else wrong.encode())
    Path("right.yaml").write_text(right)
    follow(
        lambda: check_configs(["fit", "-c", "wrong.yaml"]),
        lambda: check_configs(["fit", "-c", "right.yaml"]),
        says=says,
    )


def test_a_file_that_is_not_there():
    Path("right.yaml").write_text("data: {}")
    follow(
        lambda: check_configs(["fit", "-c", "rigth.yaml"]),
        lambda: check_configs(["fit", "-c", "right.yaml"]),
        says="beside it lie right.yaml",
    )
    follow(
        lambda: check_configs(["fit", "-c", "no/a.yaml"]),
        lambda: check_configs(["fit", "-c", "right.yaml"]),
        says="check the path",
    )


YAML = {
    "too long": ("#" * 300_000 + "\n{a: b}", "{a: b}", "leave out everything but options"),
    "interpolations": (
        "a: " + "${x}" * 30,
        "a: " + "${x}" * 2,
        "write out what most of them stand for",
    ),
    "documents": (
        "a: {}\n---\nb: {}",
        "a: {}",
        "put it into a file of its own: -c first.yaml -c second.yaml",
    ),
    "a circle": ("a: &a [*a]", "a: [1]", "write the value out instead of the alias"),
    "aliases": (
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n"
            for a, b in zip("abcd", "bcde", strict=True)
        ),
        "a: [x]",
        "write out what the aliases are meant to be, or leave them out",
    ),
    "depth": (
        "a: " + "[" * 99 + "]" * 99,
        "a: []",
        "remove the brackets or indentation that are not needed",
    ),
    "a class by a tag": (
        "a: !!python/object:x.Y {}",
        "a: {class_path: x.Y}",
        "a class is named by class_path",
    ),
    "a text like a tag": (
        "{a: !b c}",
        "{a: '!b c'}",
        "a text that begins with '!' stands in quotes",
    ),
    "a merge key": ("a: &a {x: 1}\nb:\n  <<: *a", "a: {x: 1}\nb: {x: 1}", "write the options out"),
    "a number for a key": ("{1: 2}", '{"1": 2}', 'put it in quotes: "1"'),
    "a list for a key": ("{[a]: 2}", "{a: 2}", "name an option"),
    "no key": ("{'': 2}", "{a: 2}", "name an option"),
    "a key of the parser": ("{__path__: 2, a: 1}", "{a: 1}", "remove it"),
    "a key twice": ("a: 1\nb: 2\na: 1", "a: 1\nb: 2", "remove one of the two"),
    "a number with a zero": ("{a: 010}", "{a: 10}", "write the number that is meant"),
    "a text like a number": ("{a: 1:30}", "{a: '1:30'}", "or put a text in quotes"),
}


@pytest.mark.parametrize("name", YAML)
def test_yaml(name):
    wrong, right, says = YAML[name]
    follow(lambda: check_yaml(wrong, "a.yaml"), lambda: check_yaml(right, "a.yaml"), says=says)


@pytest.mark.parametrize("where", ["a.yaml", "b.yaml"])
def test_files_in_place_of_merged_options(where):
    Path("a.yaml").write_text("trainer: {max_epochs: 1}")
    Path("b.yaml").write_text("trainer: {<<: {max_epochs: 1}, devices: 1}")
    Path("c.yaml").write_text("trainer: {devices: 1}")
    follow(
        lambda: check_configs(["-c", "b.yaml"]),
        lambda: check_configs(["-c", "a.yaml", "-c", "c.yaml"]),
        says="or name two files: -c first.yaml -c second.yaml",
    )


VALUES = [
    ({"trainer": None}, {}, "leave the option out to have its default"),
    ({"model": {"head_rate": None}}, {"model": {"head_rate": 0.1}}, "write a value"),
    ({"seed_everything": -1}, {"seed_everything": 1}, "write the number that is meant"),
    (
        {"model": {"head_rate": float("nan")}},
        {"model": {"head_rate": 0.1}},
        "write the number that is meant",
    ),
]


@pytest.mark.parametrize(("wrong", "right", "says"), VALUES)
def test_values(wrong, right, says):
    def check(given):
        check_values(
            Namespace(
                **{name: Namespace(**v) if isinstance(v, dict) else v for name, v in given.items()}
            ),
            LitRec,
        )

    follow(lambda: check(wrong), lambda: check(right), says=says)


OPTIONS = [
    ({"batchsize": 8}, {"batch_size": 8}, "did you mean 'batch_size'?"),
    ({"nothing": 8}, {}, "correct or remove it"),
]


@pytest.mark.parametrize(("wrong", "right", "says"), OPTIONS)
def test_options_of_a_class(wrong, right, says, tmp_path):
    def check(given):
        data = {"class_path": "BehaviorDataModule", "init_args": given}
        (tmp_path / "a.yaml").write_text(yaml.safe_dump({"data": data}))
        check_words("fit", ["-c", str(tmp_path / "a.yaml")])

    follow(lambda: check(wrong), lambda: check(right), says=says)


test_each_remedy_was_followed = each_remedy_of(
    *(
        f"cli/options/{name}.py"
        for name in (
            "class_options",
            "config_files",
            "first_checks",
            "option_values",
            "strict_yaml",
        )
    )
)
