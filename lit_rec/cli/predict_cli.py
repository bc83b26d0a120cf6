"""What ``lit-rec predict`` runs: it writes lists of items for every user, or a score of each row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from lightning.pytorch.callbacks import Callback
from lightning.pytorch.cli import LightningArgumentParser

from lit_rec.cli.rec_cli import RecCLI
from lit_rec.data.facts import Facts
from lit_rec.errors import ConfigError, did_you_mean, excerpt, some_of
from lit_rec.inference.lists.list_module import ListModule, ListOptions
from lit_rec.inference.lists.list_writer import ListWriter
from lit_rec.tasks.registry import task_of
from lit_rec.training.callbacks.score_writers import PredictionWriter
from lit_rec.training.checkpoint.content import facts_of


class PredictCLI(RecCLI):
    """RecCLI of ``predict`` alone, with options for lists."""

    module_class = ListModule

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Return the subcommand, and the arguments of Lightning's method that are not options."""
        return {"predict": {"model", "dataloaders", "datamodule", "return_predictions"}}

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the options for lists."""
        super().add_arguments_to_parser(parser)
        group = parser.add_argument_group("Lists of items for every user")
        group.add_argument(
            "--k",
            type=int | None,
            default=None,
            help="how many items each user's list has; by default 10 where the next item is predicted, "
            "else a score of each row is written",
        )
        group.add_argument(
            "--exclude_seen",
            type=bool,
            default=True,
            help="whether items that the user has seen are left out",
        )
        group.add_argument(
            "--columns",
            type=str | None,
            default=None,
            help="columns of the items table that lists have too, divided by commas, such as title,year",
        )
        group.add_argument(
            "--label",
            type=str | None,
            default=None,
            help="whose probability lists are sorted by, for a model of labels; of two, the positive one by default",
        )

    def before_instantiate_classes(self) -> None:
        """Check the options before anything is built."""
        super().before_instantiate_classes()
        asked = self.config["predict"]
        if self.content is None:
            raise ValueError("predict has a checkpoint")
        self._lists = list_options(
            facts_of(self.content), asked.k, asked.label, exclude_seen=asked.exclude_seen
        )
        if asked.columns is not None:
            self._lists = with_columns(
                self._lists, asked.columns, self.content["catalogue"]["columns"]
            )

    def after_instantiate_classes(self) -> None:
        """Add the callback that writes lists, or scores of rows."""
        super().after_instantiate_classes()
        callbacks: list[Callback] = self.trainer.callbacks  # type: ignore[attr-defined]
        callbacks.append(PredictionWriter() if self._lists is None else ListWriter(self._lists))


def with_columns(lists: ListOptions | None, asked: str, known: Collection[str]) -> ListOptions:
    """Return options for lists with columns of the items table.

    Args:
        lists: The options; None: no lists are made.
        asked: The columns, divided by commas.
        known: The columns that there are.

    Raises:
        ConfigError: If no lists are made, or there is no such column.
    """
    if lists is None:
        raise _no_lists("--columns")
    names = [asked] if asked in known else [name.strip() for name in asked.split(",")]
    for name in names:
        if name not in known:
            raise ConfigError(
                f"there is no column {excerpt(name)} in the items table",
                where="--columns",
                rule=f"columns divided by commas, of {some_of(known)}",
                remedy=did_you_mean(name, known, "name one of these, or leave it out"),
            )
    return replace(lists, columns=tuple(dict.fromkeys(names)))


def list_options(
    facts: Facts, k: int | None, label: str | None, *, exclude_seen: bool
) -> ListOptions | None:
    """Return the options for lists; None: a score of each row is wanted.

    Args:
        facts: Facts of the checkpoint.
        k: Length of a list; None: 10 where the next item is predicted.
        label: The label whose probability sorts lists.
        exclude_seen: Whether items that the user has seen are left out.

    Raises:
        ConfigError: If ``k`` is below 1, or options of lists are given where no lists are made.
        DataError: If the data has no such label, or one of several has to be named.
    """
    task = task_of(facts)
    k = task.list_length if k is None else k
    if k is not None:
        task.asked_label(label, facts)
        return ListOptions(k, exclude_seen, label)
    if label is not None or not exclude_seen:
        raise _no_lists("--exclude_seen" if label is None else "--label")
    return None


def _no_lists(option: str) -> ConfigError:
    return ConfigError(
        "no lists are made",
        where=option,
        rule="options of lists, which --k turns on",
        remedy=f"add --k 10, or leave {option} out",
    )
