"""One spelling of options: ``--ckpt_path``, also where ``--ckpt-path`` was typed."""

from __future__ import annotations

from collections.abc import Container, Sequence


def underscored(words: Sequence[str], known: Container[str]) -> list[str]:
    """Return words in which options have underscores in the place of hyphens, where there is an option of that name.

    Values stay as they are, and so does all that follows ``--``.

    Args:
        words: What was typed.
        known: The options that there are, each with its ``--``.

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
