import polars as pl
import pytest

from lit_rec.data.tables.html_text import plain_text, plain_texts


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("Tom &amp; Jerry&#39;s &eacute;clair&#x21;", "Tom & Jerry's \xe9clair!"),
        ("a &lt;b&gt; c", "a <b> c"),
        ("one<br/>two<BR>three", "one two three"),
        ('see <a data-hook="x" href="/y">this <i>one</i></a>, ok', "see this one, ok"),
        ("I <3 it, 4 < 5 > 2", "I <3 it, 4 < 5 > 2"),
        ("<script type='x'>var a = '<b>';</script>T<style>p {}</style>", "T"),
        ("x<!-- a > b -->y", "x y"),
        ("&amp;quot;", "&quot;"),
        ("AT&T; &bogus; &", "AT&T; &bogus; &"),
        ("a\n\t b&nbsp;\x00c", "a b c"),
        (" <p> </p> ", None),
        ("", None),
        (None, None),
    ],
)
def test_pages_by_hand(page, expected):
    assert plain_text(pl.Series([page], dtype=pl.String)).to_list() == [expected]


def test_columns_without_anything():
    assert plain_text(pl.Series([], dtype=pl.String)).to_list() == []
    nothing = pl.Series("d", [None, [], [None, ""]], dtype=pl.List(pl.String))
    assert plain_texts(nothing).to_list() == [[], [], []]
    assert plain_texts(nothing).name == "d"


def test_lists_keep_their_order():
    column = pl.Series([["b &gt; a", "<br>", "a"], ["c"], None])
    assert plain_texts(column).to_list() == [["b > a", "a"], ["c"], []]
