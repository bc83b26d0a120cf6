"""Texts of web pages as plain text: without tags, entities replaced by their characters."""

from __future__ import annotations

import html

import polars as pl

_UNSEEN = r"(?is)<script\b.*?</script\s*>|<style\b.*?</style\s*>|<!--.*?-->"
_INLINE = r"(?i)</?(?:a|abbr|b|em|font|i|small|span|strong|sub|sup|u)(?:\s[^<>]*)?/?>"
_TAG = r"</?[a-zA-Z][^<>]*>"
_ENTITY = r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
# elements that descriptions hold; other words in brackets, such as List<Text>, are no tags
_NAMES = (
    "a|abbr|address|article|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|footer|h[1-6]|head|header|hr|html|i|"
    "iframe|img|input|li|link|meta|nav|ol|option|p|pre|s|script|section|select|small|span|strike|strong|style|sub|sup|"
    "table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|video"
)
_KNOWN_TAG = rf"(?is)</?(?:{_NAMES})(?:\s+[a-z-]+(?:\s*=[^<>]*)?)*\s*/?>|<!--.*?-->"
# a cell that was cut inside a tag with attributes
_UNCLOSED = rf"(?is)<(?:{_NAMES})(?:\s+[a-z-]+)*\s+[a-z-]+\s*=[^<>]*$"
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
    text = column.str.replace_all(_UNSEEN, " ").str.replace_all(_UNCLOSED, " ")
    text = text.str.replace_all(_INLINE, "")
    text = text.str.replace_all(_TAG, " ")
    # Polars cannot decode entities, but a column has few distinct ones
    found = text.str.extract_all(_ENTITY).explode().drop_nulls().unique().sort().to_list()
    if found:
        text = text.str.replace_many(found, [html.unescape(entity) for entity in found])
    text = text.str.replace_all(_SPACE, " ").str.strip_chars()
    return text.set(text == "", None)


def clean_cells(column: pl.Series) -> pl.Series:
    """Return texts, or lists of texts, in which those with HTML are as ``plain_text`` returns them; others as they are.

    A text has HTML if it has a tag or an entity of HTML: ``a < b``, ``List<Text>`` and ``AT&T`` stay.

    Args:
        column: A column of any type; others than texts and lists of texts are returned unchanged.

    Example:
        >>> clean_cells(pl.Series(["<p>Big &amp; red</p>", "List<Text>  &c", '<span class="a-size'])).to_list()
        ['Big & red', 'List<Text>  &c', None]
    """
    if column.dtype == pl.String:
        found = _has_html(column)
        return column.scatter(found, plain_text(column.gather(found))) if len(found) else column
    if column.dtype != pl.List(pl.String) or not len(_has_html(column.explode())):
        return column
    rows = pl.DataFrame({"row": pl.int_range(len(column), eager=True), "text": column})
    texts = rows.filter(pl.col("text").list.len() > 0).explode("text")
    texts = texts.with_columns(clean_cells(texts["text"]))
    lists = texts.group_by("row", maintain_order=True).agg("text")
    joined = rows.select("row", given="text").join(
        lists, on="row", how="left", maintain_order="left"
    )
    return joined.select(pl.coalesce("text", "given").alias(column.name)).to_series()


def _has_html(column: pl.Series) -> pl.Series:
    """Return the places of the texts that have a tag or an entity of HTML."""
    signs = column.str.contains("<", literal=True) | column.str.contains("&", literal=True)
    places = signs.fill_null(False).arg_true()
    texts = column.gather(places)
    entities = texts.str.extract_all(_ENTITY).explode().drop_nulls().unique()
    known = [entity for entity in entities.to_list() if html.unescape(entity) != entity]
    found = texts.str.contains(_KNOWN_TAG) | texts.str.contains(_UNCLOSED)
    if known:
        found |= texts.str.contains_any(known)
    return places.filter(found.fill_null(False))


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
