"""Options and commands of ``lit-rec init`` as its errors write them: a shell reads them as they stand."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from lit_rec.errors import printable

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def option(name: str, value: str) -> str:
    r"""Return an option with its value, in quotes where a shell needs them.

    Example:
        >>> option("--item_column", "sku"), option("--item_column", "it's"), option("--item_column", "-x")
        ('--item_column sku', '--item_column \'it\'"\'"\'s\'', '--item_column=-x')
    """
    if value.startswith("-"):  # after a space it would be another option
        return f"{name}={shlex.quote(value)}"
    return f"{name} {shlex.quote(value)}"


def command(files: Iterable[object]) -> str:
    """Return the command for some files.

    Example:
        >>> command(["my films.csv", "-1.csv"])
        "lit-rec init 'my films.csv' ./-1.csv"
    """
    names = (f"./{name}" if str(name).startswith("-") else str(name) for name in files)
    return shlex.join(["lit-rec", "init", *names])


def join_command(tables: Sequence[tuple[str, str | None]], on: tuple[str, str]) -> str:
    """Return the command that joins two text files into joined.csv beside the first.

    Args:
        tables: The files, and what separates their columns where their ending does not show it.
        on: The columns of both.

    Returns:
        The command; nothing for files of other kinds, and where joined.csv would be overwritten.
    """
    made = Path(tables[0][0]).with_name("joined.csv")
    plain = [path.removesuffix(".gz") for path, _ in tables]
    if made.exists() or not all(path.endswith((".csv", ".tsv")) for path in plain):
        return ""
    first, second = (
        f"pl.read_csv({path!r}, separator={delimiter or _DELIMITERS[name[-4:]]!r}, infer_schema=False)"
        for (path, delimiter), name in zip(tables, plain, strict=True)
    )
    joined = f"{first}.join({second}, left_on={on[0]!r}, right_on={on[1]!r})"
    code = f"import polars as pl; {joined}.write_csv({str(made)!r})"
    return shlex.join(["python", "-c", code])


def joined(names: Sequence[str]) -> str:
    """Return names of columns as one value, divided by commas; ``divided`` is the way back.

    Example:
        >>> joined(["title", "what, and why"])
        'title,"what, and why"'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()


def divided(value: str) -> list[str]:
    """Return the names of columns in a value: divided by commas, those with commas in double quotes.

    Example:
        >>> divided('title, "what, and why",')
        ['title', 'what, and why']
    """
    names = next(csv.reader([value], skipinitialspace=True), [])
    return [name.strip() for name in names if name.strip()]


def meant(name: str, names: Iterable[str]) -> str:
    r"""Return the name of a column that was written as errors show it: signs that cannot be seen as escapes.

    Example:
        >>> meant("user\\xa0id", ["user\xa0id", "item"]) == "user\xa0id", meant("x", ["item"])
        (True, 'x')
    """
    known = list(names)
    return name if name in known else next((one for one in known if printable(one) == name), name)
