"""``lit-rec fit | validate | test | predict``: each has a short help; LightningCLI runs them."""

from __future__ import annotations

from lit_rec.cli.options.first_checks import check_words
from lit_rec.cli.options.words import underscored
from lit_rec.cli.parser import CommandParser
from lit_rec.stopping import stop

_ALL = "--help_all"


def fit(words: list[str]) -> None:
    """Train; checkpoints and curves go to checkpoints/.

    The best state is best.ckpt, the last one is last.ckpt. Each contains all that the other commands need.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    _run("fit", words)


def validate(words: list[str]) -> None:
    """Show the metrics of a checkpoint on the validation rows.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    _run("validate", words)


def test(words: list[str]) -> None:
    """Write report.json: model and baselines on the test rows.

    The file is written next to the checkpoint, and its table is shown on the screen.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    _run("test", words)


def predict(words: list[str]) -> None:
    """Write a score of each row, or lists of the best items.

    Scores go to predictions.parquet next to the checkpoint. With ``--k``, or where the next item is predicted,
    recommendations.parquet has the best items for every user.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    stop.remedy = "the same command continues where it was writing lists, else begins again"
    _run("predict", words)


def _run(name: str, words: list[str]) -> None:
    words = underscored(words, (_ALL,))
    if {"-h", "--help"} & {*words}:
        short_help(name).parse_args(["--help"])
    check_words(name, words)
    words = [name, *("--help" if word == _ALL else word for word in words)]
    from lit_rec.cli.rec_cli import RecCLI, run

    if name == "predict":
        from lit_rec.cli.predict_cli import PredictCLI

        run(words, PredictCLI)
    else:
        run(words, RecCLI)


def short_help(name: str) -> CommandParser:
    """Return a parser that prints the most used options; LightningCLI has some hundred.

    Args:
        name: The command.
    """
    trains = name == "fit"
    parser = CommandParser(
        name,
        epilog="The files of configs/ show options and classes, with comments; "
        "docs/own_data.md explains those of data, docs/training.md those of model and trainer.",
    )
    add = parser.add_argument
    add(
        "-c",
        metavar="CONFIG",
        help="a YAML with data, model and trainer; of several, the last wins",
    )
    if trains:
        add("--ckpt_path", metavar="CKPT", help="continue from last.ckpt of a run that was stopped")
    else:
        parser.add_checkpoint()
    if name == "predict":
        add("--k", metavar="N", help="write N items for each user, not a score of each row")
        add(
            "--exclude_seen",
            metavar="BOOL",
            help="leave out what the user has seen (default: true)",
        )
        add("--columns", metavar="NAMES", help="columns of items in lists too: title,year")
        add("--label", metavar="LABEL", help="sort items by the probability of this label")
    add("--data.OPTION", metavar="VALUE", help="such as --data.batch_size 256")
    if trains:
        add("--model.OPTION", metavar="VALUE", help="such as --model.head_rate 0.001")
    example = "max_epochs 3" if trains else "accelerator cpu"
    add(
        "--trainer.OPTION",
        metavar="VALUE",
        help=f"such as --trainer.{example}; of Lightning's Trainer",
    )
    if name != "predict":
        add("--seed_everything", metavar="N", help="the seed of all that is random")
    add("--print_config", action="store_true", help="print the whole configuration, and end")
    add(
        "--data.help",
        metavar="CLASS",
        help="print the options of a class, such as BehaviorDataModule",
    )
    add(_ALL, action="store_true", help="print all options")
    return parser
