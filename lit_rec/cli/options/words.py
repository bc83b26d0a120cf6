"""Prepare the words of a command line for a parser: one spelling of options, current paths of classes."""

from __future__ import annotations

from collections.abc import Container, Sequence

from lit_rec.training.checkpoint.former_paths import current_paths


def underscored(words: Sequence[str], known: Container[str]) -> list[str]:
    """Return words in which hyphens of options are replaced by underscores, where there is an option of that name.

    Values stay unchanged, and so do all words after ``--``.

    Args:
        words: The words of the command line.
        known: The existing options, each with its ``--``.

    Example:
        >>> underscored(["--ckpt-path=my-run.ckpt", "--k", "3", "--no-such"], {"--ckpt_path", "--k"})
        ['--ckpt_path=my-run.ckpt', '--k', '3', '--no-such']
    """
    end = words.index("--") if "--" in words else len(words)
    return [*(_underscored(word, known) for word in words[:end]), *words[end:]]


def _underscored(word: str, known: Container[str]) -> str:
    option, equals, value = word.partition("=")
    if not option.startswith("--") or option in known:
        return word
    name = f"--{option[2:].replace('-', '_')}"
    # `--trainer.callbacks+=X` appends to a list
    return f"{name}{equals}{value}" if name.removesuffix("+") in known else word


def with_current_path(word: str) -> str:
    """Return a word in which a class, alone or after ``--option=``, has its current path.

    Example:
        >>> with_current_path("--model.network.head=lit_rec.models.heads.DotHead")
        '--model.network.head=lit_rec.models.heads.value_heads.DotHead'
    """
    option, equals, value = word.rpartition("=")
    return f"{option}{equals}{current_paths(value)}"


def value_of(words: Sequence[str], option: str) -> str | None:
    """Return an option's value, the last one as in a parser; None: it is not given.

    Example:
        >>> value_of(["fit", "--ckpt_path", "a.ckpt", "--ckpt_path=b.ckpt"], "--ckpt_path")
        'b.ckpt'
    """
    found = None
    for place, word in enumerate(words):
        if word.startswith(f"{option}="):
            found = word.partition("=")[2]
        if word == option and place + 1 < len(words):
            found = words[place + 1]
    return found
