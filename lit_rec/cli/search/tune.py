"""``lit-rec tune``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lit_rec.cli.options.first_checks import check_words
from lit_rec.cli.options.words import value_of
from lit_rec.cli.parser import CommandParser
from lit_rec.errors import ConfigError
from lit_rec.stopping import stop

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lit_rec.search.reports import Value
    from lit_rec.search.search import Search
    from lit_rec.tasks.task import Task

_TRIALS = 20
# names of files that make no difference, and where a run would log
_FREE = ("config", "trainer.logger", "trainer.enable_progress_bar", "trainer.enable_model_summary")
_REFUSED = ("--ckpt_path", "--trainer.fast_dev_run")


def _parser(*, is_help: bool) -> argparse.ArgumentParser:
    parser = CommandParser(
        "tune",
        epilog="docs/search.md explains spaces, pruning and results; `lit-rec fit --help_all` lists all "
        "options that a space may name.",
    )
    add = parser.add_argument
    if is_help:
        add("-c", metavar="CONFIG", help="as for `lit-rec fit`; the first trial is this as it is")
    add(
        "--space",
        metavar="FILE",
        help="a YAML of options and ranges (default: the task's own)",
    )
    add(
        "--trials",
        metavar="N",
        type=int,
        default=_TRIALS,
        help=f"how many the search has in all, over all processes (default: {_TRIALS})",
    )
    add(
        "--output",
        metavar="FOLDER",
        help="where the search lies, and goes on (default: checkpoints/tune_CONFIG)",
    )
    add("--print_space", action="store_true", help="print what is searched by default, and end")
    if is_help:
        add(
            "--data.OPTION",
            metavar="VALUE",
            help="and --model.OPTION, --trainer.OPTION: as for fit",
        )
    return parser


def tune(words: list[str]) -> None:
    """Search options: train with many, and keep the best.

    Each trial is a `lit-rec fit` in a process of its own; what validates badly is ended early. The same command goes on
    where a search was stopped; run it twice at once, and both work on one search. best.yaml is for `lit-rec fit`.

    Args:
        words: The options.

    Raises:
        LitRecError: If the input is wrong.
    """
    if {"-h", "--help", "--help_all"} & {*words}:
        _parser(is_help=True).parse_args(["--help"])
    own, words = _parser(is_help=False).parse_known_args(words)
    _check(own, words)
    from lit_rec.cli.search.parsed_config import parsed_config
    from lit_rec.cli.search.space_file import read_space, try_ends
    from lit_rec.search.search import Search
    from lit_rec.search.study import SharedStudy, optuna
    from lit_rec.tasks.registry import task_named

    config = parsed_config(words)
    task = task_named((config["data"].get("init_args") or {}).get("task", "rating"))
    if own.print_space:
        sys.stdout.write("" if task.space is None else task.space.read_text(encoding="utf-8"))
        return
    optuna()  # before anything is written
    space = read_space(own.space, config, task)
    if own.space is not None:
        try_ends(space, lambda more: parsed_config([*words, *more]), own.space)
    folder = Path(own.output or _default_folder(words))
    seed = config.get("seed_everything")
    study = SharedStudy(
        folder,
        maximises=_maximises(config, task),
        seed=0 if isinstance(seed, bool | None) else int(seed),
        about={"configuration": _compared(config), "space": space.described()},
        first=space.first(),
    )
    try:
        _go_on(Search(study, space, _runner(folder, words)), own.trials)
    finally:
        study.close()


def _check(own: argparse.Namespace, words: list[str]) -> None:
    """Check what needs no torch.

    Raises:
        ConfigError: If an option is wrong.
    """
    if own.trials < 1:
        raise ConfigError(
            f"{own.trials} trials",
            where="--trials",
            rule="1 or more: the first is the configuration as it is",
            remedy=f"leave it out for {_TRIALS}",
        )
    check_words("tune", words)
    if own.space is not None:
        from lit_rec.cli.options.config_files import read_yaml

        read_yaml("--space", Path(own.space))
    for option in _REFUSED:
        if value_of(words, option) is not None:
            raise ConfigError(
                "a search cannot use it",
                where=option,
                rule="trials are trained from their beginning, to their end",
                remedy="leave it out; --trainer.limit_train_batches shortens trials",
            )


def _go_on(search: Search, count: int) -> None:
    from lit_rec.progress import say
    from lit_rec.search import results

    study = search.study
    before = study.counted()
    say(
        f"{study.folder}: {before} of {count} trials"
        if before
        else f"{study.folder}: {count} trials of {', '.join(search.space.ranges)}"
    )
    stop.remedy = "the same command goes on"
    try:
        search.go_on(count)
    finally:
        stop.place = f"after {study.counted()} of {count} trials"
        if study.trials:
            results.show(study, search.space, search.monitor)
    results.write(study, search.space, search.monitor)
    if (best := study.best) is not None:
        found = results.trial_folder(study.folder, best.number) / "best.ckpt"
        if found.is_file():  # a configuration may save none
            say(f"the best checkpoint: {found}")
        say(f"to train it again: lit-rec fit -c {study.folder / 'best.yaml'}")


def _runner(
    folder: Path, words: list[str]
) -> Callable[[int, list[str], Callable[[Value], bool], Callable[[], None]], str | None]:
    from lit_rec.cli.search.trial import run_trial
    from lit_rec.search.results import trial_folder
    from lit_rec.search.trial_process import run_process

    def run(
        number: int,
        more: list[str],
        on_validation: Callable[[Value], bool],
        beat: Callable[[], None],
    ) -> str | None:
        return run_process(
            run_trial, trial_folder(folder, number), [*words, *more], on_validation, beat
        )

    return run


def _default_folder(words: list[str]) -> Path:
    config = value_of(words, "-c") or value_of(words, "--config") or "search"
    return Path("checkpoints", f"tune_{Path(config).stem}")


def _maximises(config: Mapping[str, Any], task: Task) -> bool:
    """Return whether large values of the metric that decides are good."""
    from lit_rec.training.callbacks.monitors import mode_of

    callbacks = config["trainer"].get("callbacks") or []
    for kind in ("RunCheckpoint", "EarlyStopping"):  # as TrialReport does
        for callback in callbacks:
            if str(callback["class_path"]).endswith(kind):
                options = callback.get("init_args") or {}
                monitor = options.get("monitor") or f"val/{task.deciding[0]}"
                mode = options.get("mode") if options.get("monitor") else None
                return mode_of(monitor, mode, where=kind) == "max"
    return mode_of(f"val/{task.deciding[0]}", None, where="lit-rec tune") == "max"


def _compared(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a configuration by their paths, without what makes no trial another one."""
    values = _flat(config)
    return {name: one for name, one in values.items() if not name.startswith(_FREE)}


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any]] = [("", config)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [(f"{path}.{key}" if path else str(key), one) for key, one in node.items()]
        else:
            found[path] = node
    return found
