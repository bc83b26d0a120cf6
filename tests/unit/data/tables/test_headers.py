"""A first line that is a row like the others, and one that names the columns."""

import io

import polars as pl
import pytest

from lit_rec.data.tables.headers import lacks_header


def table(text):
    return pl.read_csv(io.StringIO(text), infer_schema=False)


@pytest.mark.parametrize(
    "text",
    [
        "700,Skyrim,purchase,1.0,0\n700,Skyrim,play,273,0\n701,Spore,play,1,0",
        "u7,i3\nu1,i4\nu12,i3",
        "ann,2019-01-01\nbob,2019-01-02",
        "B0001,red shoes\nB0002,blue shoes",
        "ann,view,shoes\nbob,view,shoes\neve,buy,shoes",
        "5,3\nNA,4\n7,NA",
    ],
)
def test_without(text):
    assert lacks_header(table(text))


@pytest.mark.parametrize(
    "text",
    [
        "user,item,rating\nu1,i1,5",
        ",user_id,rating\n0,u1,5\n1,u2,4",
        "0,1,2\nu1,i1,5\nu2,i3,4",
        "id,title\na,Heat\nb,title",
        "name\nDota 2\nSpore",
        "user,1,2\nann,x,y",
        "user,stars\nann,NA",
        "u,t\nann,2019-01-01",
        "user_id,item_id,event\nuser_id,item_id,event\na,b,c",  # put together from two files
    ],
)
def test_with(text):
    assert not lacks_header(table(text))
