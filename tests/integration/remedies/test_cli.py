"""Remedies of the command line: wrong words and options, and what a system refuses."""

import errno
import resource
import shlex
import shutil
from pathlib import Path
from unittest import mock

import pytest
import yaml
from lightning.fabric.utilities.exceptions import MisconfigurationException

from lit_rec.cli.main import main
from lit_rec.cli.options.option_errors import OptionParser
from tests.integration.conftest import lit_rec, options
from tests.integration.init_tables import printed

from .followed import each_remedy_of, follow, refused

pytestmark = pytest.mark.filterwarnings("default")


def helped(*words):
    with pytest.raises(SystemExit) as stop:
        lit_rec(*words)
    assert not stop.value.code


# what a command cannot do without, or does not know -> words, and what the remedy says
WORDS = [
    (["fti"], "did you mean `lit-rec fit`?"),
    (["nothing"], "see `lit-rec --help`"),
    (["init", "--decimal=x", "a"], "see `lit-rec init --help`"),
    (["slim"], "add CKPT; see `lit-rec slim --help`"),
]


@pytest.mark.parametrize(("words", "says"), WORDS)
def test_words_that_help_answers(words, says):
    command = printed(lambda: lit_rec(*words))[0][1:]
    shown = [*command, *(["--help"] if "--help" not in command else [])]
    follow(
        lambda: lit_rec(*words),
        lambda: main(shown) if shown == ["--help"] else helped(*shown),
        says=says,
    )


def test_options_of_a_command(run_folder):
    path = run_folder / "best.ckpt"
    follow(
        lambda: lit_rec("slim", path, "--overwrit"),
        lambda: lit_rec("slim", path, "--overwrite"),
        says="did you mean '--overwrite'?",
    )
    recommend = ["recommend", "--ckpt_path", path, "--k=1"]
    follow(
        lambda: lit_rec(*recommend, "--text", "--50"),
        lambda: lit_rec(*recommend, "--text=--50"),
        says="write --text=VALUE, also where the value begins with a hyphen",
    )


def parse(*words):
    parser = OptionParser()
    parser.add_argument("--width", type=int)
    return parser.parse_args([*words])


OPTIONS = [
    ("--widht=3", "--width=3", "did you mean 'width'?"),
    ("--qqq=3", None, "correct or remove it"),
    ("--width=many", "--width=3", "correct the value, in the YAML or on the command line"),
    ("--width", "--width=3", "correct the option named above"),
]


@pytest.mark.parametrize(("wrong", "right", "says"), OPTIONS)
def test_options(wrong, right, says):
    follow(lambda: parse(wrong), lambda: parse(*([right] if right else [])), says=says)


def test_a_class_that_cannot_be_built(workplace):
    """Of a package that is not installed, or with options that it does not take."""
    words = ["check", *options(workplace), "--trainer.limit_train_batches=1"]
    loggers = "--trainer.logger=lightning.pytorch.loggers"
    save = f"--trainer.logger.init_args.save_dir={workplace}/runs"
    follow(
        lambda: lit_rec(*words, f"{loggers}.CometLogger"),
        lambda: lit_rec(*words, f"{loggers}.CSVLogger", save),
        says="install what it needs, or correct its options",
    )


def test_an_option_that_another_names(workplace):
    """The encoder of the model is that of the data."""
    text = (workplace / "config.yaml").read_text()
    assert "data.init_args.encoder" in text
    Path("typo.yaml").write_text(text.replace("data.init_args.encoder", "data.init_args.encodr"))
    after = options(workplace)[2:]
    follow(
        lambda: lit_rec("fit", "-c", "typo.yaml", *after),
        lambda: helped("fit", "-c", workplace / "config.yaml", *after, "--print_config"),
        says="correct the name between the braces",
    )
    config = yaml.safe_load(text)
    for name in ("data", "model"):
        Path(f"{name}.yaml").write_text(yaml.safe_dump({name: config[name]}))
    follow(
        lambda: lit_rec("fit", "-c", "model.yaml"),
        lambda: helped("fit", "-c", "model.yaml", "-c", "data.yaml", "--print_config"),
        says="or set the option that it names",
    )


def test_an_option_that_a_class_needs(workplace):
    words = ["fit", *options(workplace), "--data.reader=RecBoleReader"]
    follow(
        lambda: lit_rec(*words),
        lambda: helped(*words, "--data.reader.init_args.folder=x", "--print_config"),
        says="set folder among the init_args of its class",
    )
    shutil.copy(workplace / "config.yaml", "my_data.yaml")
    follow(
        lambda: lit_rec("fit", "--model.head_rate=0.1"),
        lambda: helped("fit", "--model.head_rate=0.1", "-c", "my_data.yaml", "--print_config"),
        says="add the YAML that has them: -c my_data.yaml",
    )


def test_a_number_that_is_too_large(workplace):
    words = ["fit", *options(workplace), "--model.head_rate"]
    follow(
        lambda: lit_rec(*words, "9" * 400),
        lambda: helped(*words, "0.9", "--print_config"),
        says="write the number that is meant",
    )


def test_options_of_the_trainer(workplace):
    words = ["check", *options(workplace), "--trainer.limit_train_batches=1"]
    says = "correct the option named above; devices and accelerator can be left to 'auto'"
    follow(
        lambda: lit_rec(*words, "--trainer.devices=0"),
        lambda: lit_rec(*words, "--trainer.devices=auto"),
        says=says,
    )


REFUSED = [
    (MisconfigurationException("no such strategy"), "correct the option named above"),
    (OSError(errno.EMFILE, "Too many open files"), "lower data.num_workers, or raise the limit"),
    (MemoryError(), "raise the limit, end other programs"),
    (OSError(errno.ENOSPC, "No space left on device", "a"), "make room or choose another folder"),
    (PermissionError(errno.EACCES, "Permission denied", "a"), "check the path and its permissions"),
    (
        FileNotFoundError(errno.ENOENT, "No such file", "a"),
        "or name another in the option that it comes from",
    ),
]


@pytest.mark.parametrize(("error", "says"), REFUSED)
def test_what_a_system_refuses(error, says):
    """Without the cause, the same command ends well."""
    with mock.patch("lit_rec.cli.init.init", side_effect=[error, None]):
        follow(lambda: lit_rec("init"), lambda: lit_rec("init"), says=says)


@pytest.mark.parametrize("limit", [4_000_000 * 1024, resource.RLIM_INFINITY])
def test_little_address_space(limit):
    def under(addresses):
        with (
            mock.patch("resource.getrlimit", return_value=(addresses, addresses)),
            mock.patch("lit_rec.cli.slim.slim"),
        ):
            lit_rec("slim")

    follow(
        lambda: under(10**9), lambda: under(limit), says="ulimit -v unlimited, or at least 4000000"
    )


def test_nobody_to_recommend_for(run_folder):
    broken = lambda: lit_rec("recommend", "--ckpt_path", run_folder / "best.ckpt")  # noqa: E731
    follow(broken, lambda: lit_rec(*printed(broken)[0][1:]), says="--text 'Star Wars'")


@pytest.mark.parametrize("left", ["--user=405", "--like=50"])
def test_items_like_one_for_a_user(run_folder, left):
    words = ["recommend", "--ckpt_path", run_folder / "best.ckpt", "--k=1"]
    follow(
        lambda: lit_rec(*words, "--user=405", "--like=50"),
        lambda: lit_rec(*words, left),
        says="leave out --user, or --like",
    )


@pytest.mark.parametrize("written", ["age:30", "age 30", "age", "=30"])
def test_a_profile(run_folder, written):
    """A run without profiles says so next."""
    words = ["recommend", "--ckpt_path", run_folder / "best.ckpt", "--user=405", "--profile"]
    broken = lambda: lit_rec(*words, written.replace("=", ":"))  # noqa: E731
    mended = shlex.split(refused(broken)[0].remedy)[1]
    assert mended == {"age": "age=VALUE", "=30": "COLUMN=30"}.get(written, "age=30")
    follow(broken, lambda: lit_rec(*words, mended), says="--profile ", then=SystemExit)


def test_a_pool_without_another_model(run_folder):
    words = ["recommend", "--ckpt_path", run_folder / "best.ckpt", "--user=405", "--k=1"]
    says = "name a cross-encoder's checkpoint with --rerank, or leave --pool out"
    follow(lambda: lit_rec(*words, "--pool=3"), lambda: lit_rec(*words), says=says)
    rerank = lambda: lit_rec(*words, "--pool=3", "--rerank", run_folder / "best.ckpt")  # noqa: E731
    follow(lambda: lit_rec(*words, "--pool=3"), rerank, says=says, then=SystemExit)


@pytest.mark.parametrize("both", [False, True])
def test_nothing_to_classify(run_folder, both):
    """A model of users is refused further on; see test_inference for one of texts."""
    words = ["classify", "--ckpt_path", run_folder / "best.ckpt"]
    broken = lambda: lit_rec(*words, *(["--text=a", "--file=b"] if both else []))  # noqa: E731
    mended = [*words, "--text=a"] if both else printed(broken)[0][1:]
    says = "leave out --text or --file" if both else '--text "Where is my card?"'
    follow(broken, lambda: lit_rec(*mended), says=says, then=SystemExit)


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        (["--columns=titel", "--k=1"], ["--columns=title", "--k=1"], "did you mean 'title'?"),
        (
            ["--columns=qqq", "--k=1"],
            ["--columns=title", "--k=1"],
            "name one of these, or leave it out",
        ),
        (["--columns=qqq", "--k=1"], ["--k=1"], "name one of these, or leave it out"),
        (["--columns=title"], ["--columns=title", "--k", "10"], "add --k 10"),
        (["--exclude_seen=false"], [], "or leave --exclude_seen out"),
    ],
)
def test_options_of_lists(run_folder, wrong, right, says):
    words = ["predict", "--ckpt_path", run_folder / "best.ckpt"]
    follow(
        lambda: lit_rec(*words, *wrong), lambda: helped(*words, *right, "--print_config"), says=says
    )


test_each_remedy_was_followed = each_remedy_of(
    *(
        f"cli/{name}.py"
        for name in ("classify", "main", "parser", "predict_cli", "rec_cli", "recommend")
    ),
    "cli/options/option_errors.py",
)
