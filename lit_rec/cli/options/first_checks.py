"""What can be said about the words of a Trainer command before torch is imported, which takes seconds."""

from __future__ import annotations

from collections.abc import Sequence

from lit_rec.cli.options.examples import with_checkpoint, with_config
from lit_rec.cli.options.words import underscored, value_of
from lit_rec.errors import ConfigError, did_you_mean
from lit_rec.training.checkpoint.checkpoint_file import check_is_file

_ALWAYS = ("config", "ckpt_path", "data", "model", "print_config", "seed_everything", "trainer")
# options of one command, besides those of all; a test compares them with the real parser
NAMES = {
    "fit": (*_ALWAYS, "trust", "base", "weights_only"),
    "validate": (*_ALWAYS, "trust", "base", "weights_only", "verbose"),
    "test": (*_ALWAYS, "trust", "base", "weights_only", "verbose"),
    "predict": (*_ALWAYS, "trust", "base", "weights_only", "k", "exclude_seen", "label", "columns"),
}
_TRAINING = ("fit", "tune")  # with the same options
_HELP = ("-h", "--help", "--help_all", "help")


def check_words(command: str, words: Sequence[str]) -> None:
    """Check what a command needs, the files named, and the names of options as far as they can be told.

    Args:
        command: ``fit``, ``tune``, ``validate``, ``test`` or ``predict``.
        words: The words after it.

    Raises:
        ConfigError: If an option is unknown, a configuration is absent or no such YAML, or none is named.
        CheckpointError: If the checkpoint is not there.
    """
    known = NAMES["fit" if command in _TRAINING else command]
    words = underscored(words, [f"--{name}" for name in known])
    if any(_asks_for_help(word) for word in words):
        return
    for word in words[: words.index("--") if "--" in words else None]:
        _check_name(word, known)
    if any(word.startswith("-c") or _configures(word) for word in words):
        _check_configs(command, words)
    path = value_of(words, "--ckpt_path")
    if path is not None:
        check_is_file(path)
    elif command not in _TRAINING:
        raise ConfigError(
            "no checkpoint is named",
            where=f"lit-rec {command}",
            rule="--ckpt_path with a file that `lit-rec fit` wrote",
            remedy=with_checkpoint(f"lit-rec {command}"),
        )
    if command in _TRAINING and not any(_configures(word) for word in words):
        raise ConfigError(
            "no configuration is named",
            where=f"lit-rec {command}",
            rule="-c with a YAML of data and model; `lit-rec init` writes one for your tables",
            remedy=with_config(f"lit-rec {command}"),
        )


def _check_configs(command: str, words: Sequence[str]) -> None:
    # with the reader of YAML
    from lit_rec.cli.options.class_options import refuse_unknown_in, refuse_unknown_words
    from lit_rec.cli.options.config_files import check_configs

    configs = check_configs([command, *words])
    for path, root in configs:
        refuse_unknown_in(root, str(path))
    if command in _TRAINING:  # else the checkpoint names the classes
        refuse_unknown_words(words, [root for _, root in configs])


def _check_name(word: str, known: Sequence[str]) -> None:
    if not word.startswith("--") or word == "--":
        return
    name = word.partition("=")[0].removeprefix("--").removesuffix("+").partition(".")[0]
    if name not in known:
        raise ConfigError(
            f"there is no option '--{name}'",
            where="options",
            rule="options and classes as `lit-rec fit --help_all` lists them",
            remedy=did_you_mean(name, known, "correct or remove it", shown="'--{}'"),
        )


def _configures(word: str) -> bool:
    return word.partition("=")[0].partition(".")[0] in ("-c", "--config", "--data", "--model")


def _asks_for_help(word: str) -> bool:
    """Return whether a word is ``--help``, or ``--data.help`` of a class."""
    return word.partition("=")[0].rpartition(".")[2] in _HELP
