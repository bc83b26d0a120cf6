"""``lit-rec fit | validate | test | predict``: LightningCLI around LitRec."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import jsonargparse
import lightning
import yaml
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf.errors import OmegaConfBaseException

import lit_rec.data.readers.movielens
import lit_rec.data.readers.plain
import lit_rec.data.readers.recbole
import lit_rec.data.splits
import lit_rec.models.heads
import lit_rec.models.item_encoder
import lit_rec.models.networks
import lit_rec.models.pooling
import lit_rec.models.user_encoder
import lit_rec.training.run_folder
import lit_rec.training.schedules  # noqa: F401  (imported classes can be named without their path)
from lit_rec.data.behavior_data import BehaviorDataModule
from lit_rec.errors import ConfigError
from lit_rec.training.checkpoint_content import KEY, facts_of, read_checkpoint, tokenizer_of
from lit_rec.training.lit_rec import LitRec
from lit_rec.training.option_errors import OptionParser
from lit_rec.training.predictions import PredictionWriter
from lit_rec.training.report_writer import ReportWriter

_CONFIG_PARTS = ("seed_everything", "model", "data", "trainer")
_METRICS = ("train/loss", "train/loss_step", "val/loss", "val/rmse", "val/mae")  # what fit logs


class RunRecord(SaveConfigCallback):
    """Write config.yaml for ``fit`` and show the configuration in TensorBoard."""

    def setup(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Write once, for a run that trains."""
        if stage == "fit":
            super().setup(trainer, pl_module, stage)

    def save_config(self, trainer: lightning.Trainer, pl_module: Any, stage: str) -> None:
        """Send the configuration to TensorBoard as text."""
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                text = self.parser.dump(self.config, skip_none=False)
                logger.experiment.add_text("config", f"```yaml\n{text}\n```")


class RecCLI(LightningCLI):
    """LightningCLI whose checkpoint carries its own configuration, and whose errors are short."""

    content: dict[str, Any] | None = None

    def __init__(self, words: list[str]) -> None:
        # interpolation that follows overrides: ${data.init_args.encoder}
        jsonargparse.set_parsing_settings(omegaconf_absolute_to_relative_paths=True)
        super().__init__(
            LitRec,
            lightning.LightningDataModule,
            subclass_mode_data=True,
            auto_configure_optimizers=False,
            parser_class=OptionParser,
            parser_kwargs={"parser_mode": "omegaconf+"},
            save_config_callback=RunRecord,
            save_config_kwargs={"overwrite": True},
            trainer_defaults={"callbacks": [ReportWriter(), PredictionWriter()]},
            args=words,
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Put the checkpoint's configuration before the user's own words, and refuse a model that differs."""
        words = list(args)
        try:
            self._parse(parser, words)
        except OmegaConfBaseException as error:
            raise ConfigError(
                str(error).partition("\n")[0],
                where=str(getattr(error, "full_key", None) or "interpolation"),
                rule="${...} names an option that is set, such as ${data.init_args.encoder}",
                remedy="correct the name between the braces",
            ) from error

    def _parse(self, parser: LightningArgumentParser, words: list[str]) -> None:
        path = _option(words, "--ckpt_path")
        if path is None:
            _check_configs(words)
            super().parse_arguments(parser, words)
            return
        self.content = read_checkpoint(path)[KEY]
        stored = self.content["config"]
        if stored is None or words[0] == "fit":
            _check_configs(words)
            super().parse_arguments(parser, words)
        else:
            _check_configs(words)
            with tempfile.TemporaryDirectory() as folder:
                first = Path(folder, "checkpoint.yaml")
                first.write_text(yaml.safe_dump(_without_run_parts(stored)))
                super().parse_arguments(parser, [words[0], "--config", str(first), *words[1:]])
        if stored is not None:
            asked = yaml.safe_load(parser.dump(self.config, skip_none=False))[words[0]]["model"]
            _refuse_other_model(asked, stored["model"])

    def instantiate_trainer(self, **kwargs: Any) -> lightning.Trainer:
        """Build the Trainer; an option that it refuses is a mistake of the user's, not ours.

        Raises:
            ConfigError: If the Trainer refuses an option, or a callback waits for a metric that is misspelt.
        """
        try:
            trainer = super().instantiate_trainer(**kwargs)
        except (MisconfigurationException, ValueError) as error:
            raise ConfigError(
                " ".join(str(error).split()).rstrip(".")[:240],
                where="trainer",
                rule="options that Lightning's Trainer takes on this machine",
                remedy="correct the option named above; devices and accelerator can be left to 'auto'",
            ) from error
        if self.subcommand == "fit":
            _check_monitors(trainer)
        return trainer

    def before_instantiate_classes(self) -> None:
        """Name what is missing before anything is built."""
        if self.config[self.subcommand].get("data") is None:
            raise ConfigError(
                "no data is configured",
                where=f"lit-rec {self.subcommand}",
                rule="a YAML with data and model",
                remedy=f"lit-rec {self.subcommand} -c configs/quickstart.yaml, or --ckpt_path with a checkpoint",
            )

    def after_instantiate_classes(self) -> None:
        """Hand the checkpoint's vocabularies and tokenizer to the data, and the configuration to the model."""
        self._dump_config()
        self.model.run_config = {k: v for k, v in self.config_dump.items() if k in _CONFIG_PARTS}
        if self.content is not None and self.subcommand != "fit":
            self.model.facts = facts_of(self.content)
            if isinstance(self.datamodule, BehaviorDataModule):
                self.datamodule.restored_facts = self.model.facts
                self.datamodule.restored_tokenizer = tokenizer_of(self.content)


def run(words: list[str]) -> RecCLI:
    """Run a subcommand of the Trainer.

    Args:
        words: The subcommand and its options.

    Raises:
        LitRecError: If the input is wrong.
    """
    if words[0] in ("validate", "test", "predict") and not {"--ckpt_path", "-h", "--help"} & {
        word.split("=")[0] for word in words
    }:
        raise ConfigError(
            "no checkpoint is named",
            where=f"lit-rec {words[0]}",
            rule="--ckpt_path with a file that `lit-rec fit` wrote",
            remedy=f"lit-rec {words[0]} --ckpt_path checkpoints/quickstart/version_0/best.ckpt",
        )
    for handler in logging.getLogger("lightning.pytorch").handlers:
        handler.addFilter(_speaks_of_this_run)
    return RecCLI(words)


def _speaks_of_this_run(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    return "Tip:" not in message and "TPU available" not in message


def _option(words: list[str], name: str) -> str | None:
    for place, word in enumerate(words):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name and place + 1 < len(words):
            return words[place + 1]
    return None


def _check_monitors(trainer: lightning.Trainer) -> None:
    """Refuse a misspelt metric before training, not after an epoch of it; a name like none of ours may be a callback's own."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        monitor = getattr(callback, "monitor", None)
        near = get_close_matches(str(monitor), _METRICS, n=1, cutoff=0.8)
        if near and monitor not in _METRICS:
            raise ConfigError(
                f"there is no metric '{monitor}'",
                where=f"trainer.callbacks, monitor of {type(callback).__name__}",
                rule=f"one of {', '.join(_METRICS)}",
                remedy=f"did you mean '{near[0]}'?",
            )


def _config_paths(words: list[str]) -> Iterator[tuple[str, Path]]:
    for place, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in ("-c", "--config"):
            if equals:
                yield option, Path(value)
            elif place + 1 < len(words):
                yield option, Path(words[place + 1])


def _check_configs(words: list[str]) -> None:
    for option, path in _config_paths(words):
        if not path.is_file():
            beside = path.parent.glob("*.yaml") if path.parent.is_dir() else ()
            near = sorted(str(p) for p in beside)[:4]
            raise ConfigError(
                "this is a folder"
                if path.is_dir()
                else f"there is no such file (seen from {Path.cwd()})",
                where=f"{option} {path}",
                rule="a YAML file",
                remedy=f"beside it lie {', '.join(near)}" if near else "check the path",
            )
        _check_yaml(path)


def _check_yaml(path: Path) -> None:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(
            f"is not YAML: {getattr(error, 'problem', None) or error}",
            where=f"{path}{line}",
            rule="two spaces of indentation a level, no tabs, a space after each colon",
            remedy="compare with a file of configs/",
        ) from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"holds {type(content).__name__}, not sections",
            where=str(path),
            rule="a YAML with sections such as data, model and trainer",
            remedy="compare with a file of configs/",
        )


def _without_run_parts(stored: dict[str, Any]) -> dict[str, Any]:
    """Leave out what belongs to training alone: a test writes beside its checkpoint, not into a new run folder."""
    config = {k: v for k, v in stored.items() if k in _CONFIG_PARTS}
    config["trainer"] = {**config.get("trainer", {}), "logger": False, "callbacks": None}
    return config


def _refuse_other_model(asked: Any, stored: Any) -> None:
    clash = [
        f"model.{name}: {a!r} asked, {s!r} in the checkpoint"
        for name, a, s in _differences(asked, stored)
    ]
    if clash:
        raise ConfigError(
            "the model asked for is not the checkpoint's",
            where="--ckpt_path",
            details=clash,
            rule="a checkpoint fixes its model; data.* and trainer.* may change",
            remedy="leave these model options out",
        )


def _differences(asked: Any, stored: Any, name: str = "") -> list[tuple[str, Any, Any]]:
    if isinstance(asked, dict) and isinstance(stored, dict):
        return [
            found
            for key in sorted({*asked, *stored})
            for found in _differences(
                asked.get(key), stored.get(key), f"{name}.{key}" if name else str(key)
            )
        ]
    return [] if asked == stored else [(name, asked, stored)]
