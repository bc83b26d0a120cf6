"""Errors name an option by its path in the configuration, which a command line takes as it is shown."""

import re

import pytest

from .conftest import lit_rec, message, options

pytestmark = pytest.mark.filterwarnings("default")

NETWORK = "model.network.init_args"
USERS = f"--{NETWORK}.user_encoder=AdditiveAttentionUserEncoder"
# name -> (options before, the wrong option by its full path, its value)
WRONG = {
    "head": ([f"--{NETWORK}.head=SessionHead"], f"{NETWORK}.head.init_args.minutes", "-1.0"),
    "what a subclass inherits": (
        [f"--{NETWORK}.head=OccasionNeighborhoodHead"],
        f"{NETWORK}.head.init_args.sharpness",
        "0.0",
    ),
    "one of two ids": (
        [
            f"--{NETWORK}.item_encoder.init_args.ids=IdEmbedding",
            USERS,
            f"--{NETWORK}.user_encoder.init_args.ids=IdEmbedding",
        ],
        f"{NETWORK}.user_encoder.init_args.ids.init_args.dropout",
        "3.0",
    ),
    "user encoder": ([USERS], f"{NETWORK}.user_encoder.init_args.hidden", "0"),
    "pooling": (
        [f"--{NETWORK}.item_encoder.init_args.pooling=AttentionPooling"],
        f"{NETWORK}.item_encoder.init_args.pooling.init_args.hidden",
        "0",
    ),
    "schedule": (
        ["--model.schedule=CosineSchedule"],
        "model.schedule.init_args.warmup_fraction",
        "1.0",
    ),
    "rate": ([], "model.head_rate", "-1.0"),
    "rows of a batch": ([], "data.batch_size", "0"),
    "history": (["--data.history=PastHistory"], "data.history.init_args.max_length", "0"),
    "split": (["--data.split=RandomSplit"], "data.split.init_args.test", "1.5"),
    "precision": ([], "trainer.precision", "64-true"),
}


@pytest.mark.parametrize("name", WRONG)
def test_option_is_named_as_it_was_given(name, workplace, capsys):
    before, path, value = WRONG[name]
    text = message(capsys, "fit", *options(workplace), *before, f"--{path}={value}")
    first, _, rest = text.partition("\n")
    assert re.match(rf"lit_rec: {re.escape(path)}: '?{re.escape(value)}", first), text
    assert not re.search(r"\b[A-Z]\w+\.[a-z]", rest), "no option by its class alone"


def test_files_of_a_reader(workplace, capsys):
    path = "data.reader.init_args.behaviors"
    text = message(capsys, "fit", *options(workplace), f"--{path}=nowhere.csv")
    assert text.startswith(f"lit_rec: {path}=nowhere.csv: there is no file")


def test_both_places_where_both_have_the_value(workplace, capsys):
    first = f"{NETWORK}.item_encoder.init_args.ids"
    second = f"{NETWORK}.user_encoder.init_args.ids"
    words = [f"--{first}=IdEmbedding", USERS, f"--{second}=IdEmbedding"]
    words += [f"--{ids}.init_args.scale=-2.0" for ids in (first, second)]
    text = message(capsys, "fit", *options(workplace), *words)
    assert text.startswith(f"lit_rec: {first}.init_args.scale and {second}.init_args.scale: -2.0")


def test_option_of_a_callback(workplace, capsys):
    callback = ["--trainer.callbacks+=RunCheckpoint", "--trainer.callbacks.last_every_n_steps=0"]
    text = message(capsys, "fit", *options(workplace), *callback)
    assert "trainer.callbacks, last_every_n_steps of RunCheckpoint: 0 is too small" in text


def test_a_part_as_a_whole(workplace, capsys):
    words = ["fit", *options(workplace)]
    text = message(capsys, *words, "--model.objective=ItemSoftmax")
    assert text.startswith("lit_rec: model.objective: ItemSoftmax trains for a next item")
    assert "the task that data.task names" in text
    text = message(capsys, *words, f"--{NETWORK}.head=ClassificationHead")
    assert text.startswith(f"lit_rec: {NETWORK}.head: ClassificationHead predicts a label")
    assert "set data.task to label" in text


def test_remedy_is_an_option_that_can_be_typed(workplace, capsys):
    """Text that is longer than the encoder takes, once as the remedy says."""
    words = ["check", *options(workplace), "--data.max_tokens=4000"]
    text = message(capsys, *words)
    found = re.search(r"Try:  set (data\.max_tokens) to (\d+) or less", text)
    assert found, text
    lit_rec(*words, f"--{found[1]}={found[2]}")


def test_check_names_all_obstacles_by_paths(workplace, capsys):
    words = ["check", *options(workplace), "--data.encoder=./nowhere"]
    text = message(capsys, *words, "--data.reader.init_args.items=nowhere.csv")
    assert "lit_rec: data.encoder: no tokenizer can be read" in text
    assert "lit_rec: data.reader.init_args.items=nowhere.csv: there is no file" in text
