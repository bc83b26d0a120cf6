import polars as pl
import pytest

from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import ConfigError

ITEMS = pl.DataFrame(
    {
        "title": ["Heat", " ", None, "Up"],
        "year": [1995, None, None, 2009],
        "genres": [["Crime", "Drama"], [], None, ["Animation", None]],
    }
)


def test_render():
    template = TextTemplate(["title", "genres", "year"], {"year": "Year: "}, separator=" | ")
    assert template.render(ITEMS)["text"].to_list() == [
        "Heat | Crime, Drama | Year: 1995",
        "",
        "",
        "Up | Animation | Year: 2009",
    ]


def test_order_is_that_of_the_columns():
    assert TextTemplate(["year", "title"]).render(ITEMS).row(0) == ("1995. Heat",)


def test_fields_are_texts_of_their_own():
    template = TextTemplate({"name": ["title"], "about": ["genres", "year"]}, {"year": "Year: "})
    assert template.columns == ("title", "genres", "year")
    texts = template.render(ITEMS)
    assert texts.columns == ["name", "about"]
    assert texts.rows() == [
        ("Heat", "Crime, Drama. Year: 1995"),
        ("", ""),
        ("", ""),
        ("Up", "Animation. Year: 2009"),
    ]


def test_errors():
    with pytest.raises(ConfigError, match="names no column"):
        TextTemplate([])
    with pytest.raises(ConfigError, match="names no field"):
        TextTemplate({})
    with pytest.raises(ConfigError, match="'about' names no column"):
        TextTemplate({"title": ["title"], "about": []})
    with pytest.raises(ConfigError, match=r"'genre' is not one of \['title'\]"):
        TextTemplate(["title"], {"genre": "Genre: "})
    with pytest.raises(ConfigError, match=r"no column 'tittle'; it has title, year, genres"):
        TextTemplate(["tittle"]).render(ITEMS)
    with pytest.raises(ConfigError, match=r"did you mean 'title'\?"):
        TextTemplate(["tittle"]).render(ITEMS)


def test_a_column_without_a_name_is_a_column():
    items = pl.DataFrame({"": ["red", "blue"], "year": ["1994", None]})
    template = TextTemplate(columns=["", "year"])
    assert template.render(items)["text"].to_list() == ["red. 1994", "blue"]


def test_the_prefix_stands_before_each_text_that_is_not_empty():
    template = TextTemplate(
        {"name": ["title"], "about": ["genres", "year"]}, {"year": "Year: "}, prefix="query: "
    )
    assert template.render(ITEMS).rows() == [
        ("query: Heat", "query: Crime, Drama. Year: 1995"),
        ("", ""),
        ("", ""),
        ("query: Up", "query: Animation. Year: 2009"),
    ]
