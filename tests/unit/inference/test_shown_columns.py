"""Columns of the items table as a recommendation shows them, whatever kinds of values they hold."""

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
import torch

from lit_rec.data.datamodule import BehaviorDataModule
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.tables.column_values import shown_columns
from lit_rec.data.texts.template import TextTemplate
from lit_rec.inference.recommender import Recommender
from lit_rec.training.checkpoint.content import checkpoint_content
from lit_rec.training.lit_rec import LitRec

COLUMNS = {
    "genres": pl.Series([["day", None, "night"], [], None]),
    "sizes": pl.Series([[1, 2], [3], None]),
    "place": pl.Series([[0.5, 1.0], [2.0, 3.0], None], dtype=pl.Array(pl.Float64, 2)),
    "crew": pl.Series([[["a", "b"], ["c"]], [], None]),
    "maker": pl.Series([{"name": "x", "year": 3}, {"name": None, "year": 4}, None]),
    "seen": pl.Series([date(2020, 1, 2), None, None]),
    "length": pl.Series([timedelta(minutes=90), None, None]),
    "picture": pl.Series([b"\xff\xfe", b"ok", None]),
    "kind": pl.Series(["film", None, "book"], dtype=pl.Categorical),
    "price": pl.Series([1.5, None, 2.0]),
}
# name -> what is shown of the three items
SHOWN = {
    "genres": ["day, night", "", None],
    "sizes": ["1, 2", "3", None],
    "place": ["0.5, 1.0", "2.0, 3.0", None],
    "crew": ["[['a', 'b'], ['c']]", "[]", None],
    "seen": ["2020-01-02", None, None],
    "length": ["1:30:00", None, None],
    "kind": ["film", None, "book"],
    "price": ["1.5", None, "2.0"],
}


def test_every_kind_of_column_is_shown_as_text():
    shown = shown_columns(pl.DataFrame(COLUMNS), COLUMNS)
    assert {name: shown[name] for name in SHOWN} == SHOWN
    for name in ("maker", "picture"):
        assert [type(value) for value in shown[name]] == [str, str, type(None)]


@pytest.fixture
def lists(data, tmp_path):
    """The tables of ``data`` with Parquet items that have lists, and a column of each other kind."""
    items = pl.read_csv(data.reader.items)
    count = len(items)
    genres = pl.Series("genres", [["day", "night"], ["city"], []] * (count // 3))
    more = [
        pl.Series(name, values.to_list() * (count // 3), dtype=values.dtype)
        for name, values in COLUMNS.items()
        if name != "genres"
    ]
    items.with_columns(genres, *more).write_parquet(tmp_path / "items.parquet")
    made = BehaviorDataModule(
        reader=TableReader(data.reader.behaviors, str(tmp_path / "items.parquet")),
        encoder=data.encoder,
        text=TextTemplate(["title", "genres"]),
        max_tokens=8,
        cache_folder=str(tmp_path / "cache"),
    )
    made.prepare_data()
    made.setup("fit")
    return made


def test_a_checkpoint_keeps_columns_of_lists(lists, network, tmp_path):
    module = LitRec(network)
    module.facts = lists.facts
    module.configure_model()
    facts = replace(lists.facts, backbone=module.built().backbone.config_plain())
    torch.save(checkpoint_content(lists, facts, {}, None), tmp_path / "content.pt")
    rec = Recommender(module, torch.load(tmp_path / "content.pt", weights_only=True))
    (one,) = rec.recommend([], 1, allow=["i0"])
    assert one.fields["genres"] == "day, night"
    assert one.fields["sizes"] == "1, 2"
    # what is added later is shown in the same way
    rec.add_items(pl.DataFrame({"item_id": ["n"], "title": ["red"], "genres": [["city", "day"]]}))
    (new,) = rec.recommend([], 1, allow=["n"])
    assert new.fields["genres"] == "city, day"
    assert set(new.fields) == set(one.fields)
