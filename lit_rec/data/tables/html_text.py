"""Texts of web pages as plain text: without tags, entities replaced by their characters."""

from __future__ import annotations

import html

import polars as pl

_UNSEEN = r"(?is)<script\b.*?</script\s*>|<style\b.*?</style\s*>|<!--.*?-->"
_INLINE = r"(?i)</?(?:a|abbr|b|em|font|i|small|span|strong|sub|sup|u)(?:\s[^<>]*)?/?>"
_TAG = r"</?[a-zA-Z][^<>]*>"
_ENTITY = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
_SPACE = r"[\s\x00-\x1f\x7f]+"


def plain_text(column: pl.Series) -> pl.Series:
    """Return texts as a reader of the page sees them, on one line each; null where nothing is left.

    Tags are removed before entities are replaced, so that ``a &lt; b`` stays. Inline tags, such as ``<b>``, leave no
    space; other tags leave one.

    Args:
        column: Texts.

    Example:
        >>> plain_text(pl.Series(["<b>Big</b>ger &amp; better<br />than &#34;X&#34;", "<br>"])).to_list()
        ['Bigger & better than "X"', None]
    """
    text = column.str.replace_all(_UNSEEN, " ").str.replace_all(_INLINE, "")
    text = text.str.replace_all(_TAG, " ")
    # Polars cannot decode entities, but a column has few distinct ones
    found = text.str.extract_all(_ENTITY).explode().drop_nulls().unique().sort().to_list()
    if found:
        text = text.str.replace_many(found, [html.unescape(entity) for entity in found])
    text = text.str.replace_all(_SPACE, " ").str.strip_chars()
    return text.set(text == "", None)


def plain_texts(column: pl.Series) -> pl.Series:
    """Return lists of texts, each as ``plain_text`` returns it, without empty ones.

    Args:
        column: Lists of texts; null is an empty list.

    Example:
        >>> plain_texts(pl.Series([["a &amp; b", "<p>"], None])).to_list()
        [['a & b'], []]
    """
    rows = pl.DataFrame({"row": pl.int_range(len(column), eager=True), "text": column})
    texts = rows.filter(pl.col("text").list.len() > 0).explode("text")
    texts = texts.with_columns(plain_text(texts["text"])).drop_nulls()
    lists = texts.group_by("row").agg("text")
    joined = rows.select("row").join(lists, on="row", how="left", maintain_order="left")
    return joined["text"].fill_null([]).alias(column.name)
