"""The text template of a checkpoint, in words and as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEMPLATE_FILE = "text_template.json"


def written_template(template: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of each field, columns in angle brackets.

    Args:
        template: The stored template: ``columns`` by field, ``labels`` by column, the ``separator``, and the ``prefix``
            if there is one.

    Example:
        >>> columns = {"text": ["title", "genres"]}
        >>> written_template({"columns": columns, "labels": {"genres": "Genres: "}, "separator": ". "})
        {'text': '<title>. Genres: <genres>'}
    """
    labels = template["labels"]
    return {
        field: template.get("prefix", "")
        + template["separator"].join(f"{labels.get(c, '')}<{c}>" for c in columns)
        for field, columns in template["columns"].items()
    }


def template_section(template: Mapping[str, Any], max_tokens: int) -> str:
    """Return the section of a model card that explains the text template.

    Args:
        template: The stored template.
        max_tokens: Longest text.
    """
    fields = written_template(template)
    if len(fields) == 1:
        said = "Each item is one text, made from these columns:"
        shown = next(iter(fields.values()))
    else:
        said = f"Each item is {len(fields)} texts, which are encoded one by one, made from these columns:"
        shown = "\n".join(f"{name}: {text}" for name, text in fields.items())
        said += " (the name before the colon is the field's, and not part of its text)"
    separator = template["separator"]
    return f"""\
{said}

{fenced(shown)}

A column's value replaces its name in angle brackets, without spaces at its ends; values of a list are joined by `, `.
An empty column is left out, with its label and the separator `{separator!r}`. The tokenizer adds special tokens, and
cuts the end of a text of more than {max_tokens} tokens.{_prefixed(template)}

With lit_rec, `{TEMPLATE_FILE}` makes the same texts from a table:

```python
import json

import polars as pl
from lit_rec.data.texts.template import TextTemplate

with open("{TEMPLATE_FILE}") as file:
    template = TextTemplate(**json.load(file))
texts = template.render(pl.read_csv("items.csv"))  # a column per text of an item
```"""


def _prefixed(template: Mapping[str, Any]) -> str:
    prefix = template.get("prefix")
    return (
        f" The prefix `{prefix!r}` stands before every text; an empty text has none."
        if prefix
        else ""
    )


def fenced(text: str) -> str:
    """Return a text as a Markdown code block, also if it holds backticks.

    Example:
        >>> print(fenced("a ``` b"))
        ````text
        a ``` b
        ````
    """
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"
