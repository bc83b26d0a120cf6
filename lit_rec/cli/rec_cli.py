"""RecCLI: LightningCLI for LitRec, which ``lit-rec fit | validate | test`` run; ``predict`` and ``check`` extend it."""

from __future__ import annotations

import argparse
import inspect
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import jsonargparse
import lightning
import torch
import yaml
from jsonargparse.typing import register_type
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.utilities import rank_zero_info
from omegaconf.errors import OmegaConfBaseException

import lit_rec.cli.short_names  # noqa: F401  (imported classes can be named without their path)
from lit_rec.cli.options.config_files import check_configs
from lit_rec.cli.options.continued_logs import continue_logs
from lit_rec.cli.options.option_errors import OptionParser, built_error
from lit_rec.cli.options.option_paths import Ours, by_paths, worded_by
from lit_rec.cli.options.option_values import check_values
from lit_rec.cli.options.path_words import keep_paths_as_text
from lit_rec.cli.options.strict_yaml import MODE
from lit_rec.cli.options.words import underscored, value_of, with_current_path
from lit_rec.cli.parser import BASE_HELP, TRUST_HELP
from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.text_datamodule import ItemTextDataModule
from lit_rec.errors import ConfigError
from lit_rec.progress import metric_lines, quieten_lightning, say
from lit_rec.tasks.registry import task_named
from lit_rec.training.callbacks.epoch_lines import deciding_metric
from lit_rec.training.callbacks.finite_loss import FiniteLoss
from lit_rec.training.callbacks.monitors import check_monitors, logged_names, missed_metric
from lit_rec.training.callbacks.order import arranged, with_screen
from lit_rec.training.callbacks.run_folder import RunCheckpoint
from lit_rec.training.callbacks.run_record import HyperparameterRecord, RunRecord
from lit_rec.training.callbacks.score_writers import ReportWriter
from lit_rec.training.callbacks.stop_at_step import is_child, listen
from lit_rec.training.callbacks.tensorboard_views import TensorBoardViews
from lit_rec.training.checkpoint.base_weights import ENTRY
from lit_rec.training.checkpoint.content import KEY, facts_of, read_checkpoint, tokenizer_of
from lit_rec.training.checkpoint.network import StoredShapes
from lit_rec.training.checkpoint.options import (
    CONFIG_PARTS,
    evaluated_config,
    overrides,
    refuse_other_input,
    refuse_other_model,
)
from lit_rec.training.checkpoint.trust import without_option, without_trust
from lit_rec.training.checkpoint.weights import check_trainer, check_training_state
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.precision import check_precision
from lit_rec.training.run_logs import make_own
from lit_rec.training.strategies.lost_process import watch_processes
from lit_rec.training.strategies.sharded_encoder import check_strategy
from lit_rec.training.version_folders import VersionFolders

# the default of StochasticWeightAveraging is one, which would reach it as "Unable to serialize"
register_type(torch.device, str, torch.device)


class RecCLI(LightningCLI):
    """LightningCLI whose checkpoints store their configuration, and whose errors are short."""

    module_class: ClassVar[type[LitRec]] = LitRec
    trains: ClassVar[bool] = True  # whether `fit` trains, not only checks
    content: dict[str, Any] | None = None
    _stored: StoredShapes | None = None
    _bases: Sequence[str] = ()
    _trusted: Sequence[str] = ()
    _continued: Sequence[Any] = ()

    def __init__(self, words: list[str]) -> None:
        self._folders = VersionFolders()
        self._asked = words[0]
        jsonargparse.set_parsing_settings(
            # interpolation that follows overrides: ${data.init_args.encoder}
            omegaconf_absolute_to_relative_paths=True,
            # where an option takes any value, a mapping is data, even if it names a class
            instantiate_subclass_spec_in_any=False,
        )
        with worded_by(self.with_paths):
            self._start(words)

    def _start(self, words: list[str]) -> None:
        try:
            super().__init__(
                self.module_class,
                lightning.LightningDataModule,
                subclass_mode_data=True,
                auto_configure_optimizers=False,
                parser_class=OptionParser,
                parser_kwargs={"parser_mode": MODE},
                save_config_callback=RunRecord,
                # Lightning would write it to a folder that is not the run's where a logger has none
                save_config_kwargs={"save_to_log_dir": False},
                trainer_defaults={
                    "callbacks": [
                        *(FiniteLoss(), HyperparameterRecord()),
                        *(TensorBoardViews(), ReportWriter()),
                    ],
                    "use_distributed_sampler": False,  # ours repeats no row
                },
                args=words,
            )
        except (MisconfigurationException, RuntimeError) as error:
            trainer: lightning.Trainer | None = getattr(self, "trainer", None)
            missed = missed_metric(trainer, error) if trainer is not None else None
            if missed is None:
                raise
            raise missed from error
        finally:
            self._folders.remove_empty()

    def with_paths(self, error: Ours) -> Ours:
        """Return an error whose options are named as the configuration names them; see ``by_paths``."""
        config = self.config[self._asked].as_dict() if hasattr(self, "config") else {}
        sections = {name: config[name] for name in CONFIG_PARTS if name in config}
        kinds = {"model": self.module_class, "trainer": lightning.Trainer}
        return by_paths(error, sections, kinds)

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """Return the subcommand that was given, and the arguments of its method that are not options.

        Other subcommands are left out: building a parser for each would take time.
        """
        return {self._asked: LightningCLI.subcommands()[self._asked]}

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse the checkpoint's configuration, then the user's words, and refuse a model that differs."""
        words = underscored([with_current_path(word) for word in args], self._option_names())
        keep_paths_as_text(words)
        try:
            self._parse(parser, words)
        except OmegaConfBaseException as error:
            raise ConfigError(
                str(error).partition("\n")[0][:120],
                where=str(getattr(error, "full_key", None) or "interpolation").removeprefix(
                    f"{words[0]}."
                ),
                rule="${...} names an option that is set, such as ${data.init_args.encoder}",
                remedy="correct the name between the braces, or set the option that it names",
            ) from error
        except OverflowError as error:
            raise ConfigError(
                f"a number is too large ({error})",
                where="options",
                rule="numbers below 1e308, and counts below 2^63",
                remedy="write the number that is meant",
            ) from error
        check_values(self.config[words[0]], self.module_class)

    def _option_names(self) -> set[str]:
        parts = {
            name
            for kind in (BehaviorDataModule, ItemTextDataModule)
            for name in inspect.signature(kind).parameters
        }
        of_data = {f"--data.{inner}{name}" for name in parts for inner in ("", "init_args.")}
        return of_data | {*self._subcommand_parsers[self._asked]._option_string_actions}

    def _parse(self, parser: LightningArgumentParser, words: list[str]) -> None:
        words, trust = without_trust(words)
        self._trusted = trust
        words, self._bases = without_option(words, "--base")
        check_configs(words)
        path = value_of(words, "--ckpt_path")
        if path is None:
            super().parse_arguments(parser, words)
            return
        trains = words[0] == "fit"
        if trains:  # first, since the user's YAML may import the module of the checkpoint's task
            super().parse_arguments(parser, words)
        checkpoint = read_checkpoint(path, trust, self._bases, whole=not trains)
        check_trainer(checkpoint, where=f"--ckpt_path {path}")
        if trains:
            check_training_state(checkpoint, where=f"--ckpt_path {path}")
        content: dict[str, Any] = checkpoint[KEY]
        self.content, stored = content, content["config"]
        self._stored = StoredShapes.of(checkpoint, f"--ckpt_path {path}")
        if stored is None and not trains:
            super().parse_arguments(parser, words)
        elif stored is not None and not trains:
            evaluated = evaluated_config(stored, Path(path), trust, model=LitRec)
            with tempfile.TemporaryDirectory() as folder:
                first = Path(folder, "checkpoint.yaml")
                first.write_text(yaml.safe_dump(evaluated))
                super().parse_arguments(parser, [words[0], "--config", str(first), *words[1:]])
        if stored is not None:
            asked = yaml.safe_load(parser.dump(self.config, skip_none=False))[words[0]]["model"]
            refuse_other_model(asked, stored["model"], self.module_class, moved=ENTRY in content)

    def _parse_ckpt_path(self) -> None:
        """Do nothing: Lightning would read options from ``hyper_parameters`` there, which may name any class."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add ``--trust`` and ``--base`` to the help; their words are removed before the parser reads them."""
        parser.add_argument("--trust", default=argparse.SUPPRESS, help=TRUST_HELP)
        parser.add_argument("--base", default=argparse.SUPPRESS, help=BASE_HELP)

    def _prepare_subcommand_kwargs(self, subcommand: str) -> dict[str, Any]:
        """Make Lightning read checkpoints without running code in them, and print no table of its own."""
        options = super()._prepare_subcommand_kwargs(subcommand)
        self._shows_metrics = options.get("verbose") is not False
        if "verbose" in options:
            options["verbose"] = False
        if options.get("weights_only") is None:
            options["weights_only"] = True
        return options

    def instantiate_classes(self) -> None:
        """Build data, model and Trainer.

        Raises:
            ConfigError: If a class of another library cannot be built, such as a logger whose package is not installed.
        """
        try:
            super().instantiate_classes()
        except (ImportError, ValueError) as error:
            if (short := built_error(error)) is None:
                raise
            raise short from error

    def instantiate_trainer(self, **kwargs: Any) -> lightning.Trainer:
        """Build the Trainer; an option that it refuses becomes a short error.

        Raises:
            ConfigError: If the Trainer refuses an option, its precision is not available, or a callback waits for a
                metric that does not exist.
        """
        for options in self._continued:
            options["version"] = None
        configured = self._get(self.config_init, "trainer", default={})
        logs = configured.get("logger") is not False
        chosen = arranged(configured.get("callbacks") or [], logs=logs)
        kwargs["callbacks"] = with_screen(chosen, configured)
        try:
            trainer = super().instantiate_trainer(**kwargs)
        except (MisconfigurationException, ValueError) as error:
            raise ConfigError(
                " ".join(str(error).split()).rstrip(".")[:240],
                where="trainer",
                rule="options that Lightning's Trainer takes on this machine",
                remedy="correct the option named above; devices and accelerator can be left to 'auto'",
            ) from error
        check_precision(trainer)
        check_strategy(trainer)
        watch_processes(child=is_child(trainer))
        if self.subcommand == "fit":
            if self.trains:
                make_own(trainer.loggers, self._folders)
            listen(trainer)
            check_monitors(
                trainer, logged_names(task_named(getattr(self.datamodule, "task", "rating")))
            )
            for callback in trainer.checkpoint_callbacks if self.config.fit.ckpt_path else ():
                if isinstance(callback, RunCheckpoint):
                    callback.resume_in(Path(self.config.fit.ckpt_path).parent)
        return trainer

    def before_instantiate_classes(self) -> None:
        """Continue the logs of a resumed run."""
        config = self.config[self.subcommand]
        if self.subcommand == "fit" and config.get("ckpt_path"):
            self._continued = continue_logs(config.trainer.logger, Path(config.ckpt_path).parent)

    def after_validate(self) -> None:
        """Print the metrics; after ``test`` there is the report."""
        metrics = self.trainer.callback_metrics
        first = deciding_metric(self.trainer, self.model)
        for line in metric_lines(metrics, first) if self._shows_metrics else ():
            say(line)

    def after_instantiate_classes(self) -> None:
        """Give the checkpoint's vocabularies and tokenizer to the data, and the configuration to the model."""
        self._dump_config()
        self.model.bases, self.model.trusted = self._bases, self._trusted
        if self.content is None:
            self.model.check_start()
        else:
            self.model.start_from = None  # all weights are those of the checkpoint
        self.model.record({k: v for k, v in self.config_dump.items() if k in CONFIG_PARTS})
        if self.content is not None and self.subcommand != "fit":
            stored = self.content["config"]
            facts = facts_of(self.content)
            self.model.restore(facts, self._stored)
            refuse_other_input(self.datamodule, facts, stored)
            for line in [] if stored is None else overrides(self.config_dump, stored):
                rank_zero_info(line)
            if isinstance(self.datamodule, BehaviorDataModule):
                self.datamodule.restore(facts, tokenizer_of(self.content))


CLI = TypeVar("CLI", bound=RecCLI)


def run(words: list[str], cli: type[CLI]) -> CLI:
    """Run a subcommand of the Trainer.

    Args:
        words: The subcommand and its options.
        cli: The class that has the subcommand.

    Raises:
        LitRecError: If the input is wrong.
    """
    quieten_lightning()
    return cli(words)
