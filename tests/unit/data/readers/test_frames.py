from datetime import datetime

import polars as pl
import pytest

from lit_rec import BehaviorDataModule
from lit_rec.data.readers.frames import FrameReader
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.texts.template import TextTemplate
from lit_rec.errors import DataError

BEHAVIORS = pl.DataFrame(
    {
        "user_id": ["u", "u", "v"],
        "item_id": [1.0, 2.0, 1.0],
        "rating": [5, None, 2],
        "timestamp": [datetime(2020, 1, day) for day in (1, 2, 3)],
        "event": pl.Series(["buy", "look", "buy"], dtype=pl.Categorical),
        "history": [[], [1], None],
    }
)
ITEMS = pl.DataFrame({"item_id": [1, 2], "title": ["Heat", None], "year": [1995, 1996]})
USERS = pl.DataFrame({"user_id": ["v", "u"], "age": [30, 40]})


def test_frames_are_read_as_parquet_files_are(tmp_path):
    frames = {"behaviors": BEHAVIORS, "items": ITEMS, "users": USERS}
    for name, frame in frames.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    files = TableReader(*(f"{tmp_path}/{name}.parquet" for name in frames), ordered=True).read()
    tables = FrameReader(**frames, ordered=True).read()
    for name in frames:
        assert getattr(tables, name).equals(getattr(files, name))
        assert getattr(tables, name).schema == getattr(files, name).schema
    assert tables.ordered
    assert FrameReader(BEHAVIORS, ITEMS).read().users is None
    assert BEHAVIORS["item_id"].dtype == pl.Float64  # the caller's frame stays as it was


def test_what_is_prepared_follows_the_content(tmp_path):
    def key(behaviors, items=ITEMS, **options):
        reader = FrameReader(behaviors, items, **options)
        text = TextTemplate(["title"])
        return BehaviorDataModule(reader, "none", text, cache_folder=str(tmp_path)).tables_key

    first = key(BEHAVIORS)
    assert key(pl.concat([BEHAVIORS[:1], BEHAVIORS[1:]])) == first  # in pieces, and the same
    others = [
        key(BEHAVIORS.with_columns(rating=pl.Series([5, None, 3]))),
        key(BEHAVIORS, ITEMS[::-1]),
        key(BEHAVIORS, users=USERS),
        key(BEHAVIORS, ordered=True),
    ]
    assert len({first, *others}) == 5


def test_wrong_frames():
    wrong = BEHAVIORS.with_columns(rating=pl.Series(["5", "good", "2"]))
    with pytest.raises(DataError, match=r"FrameReader\.behaviors.*\n.*row 2 \('good'\)"):
        FrameReader(wrong, ITEMS).read()
    with pytest.raises(DataError, match=r"item_id is repeated: '1' on row 1, row 3"):
        FrameReader(BEHAVIORS, pl.concat([ITEMS, ITEMS[:1]])).read()


def test_missing_values_and_invalid_rows():
    behaviors = pl.DataFrame(
        {
            "user_id": ["u", "u", "", "v"],
            "item_id": [1, 2, 1, 1],
            "rating": [4.0, float("nan"), 3.0, -1.0],
        }
    )
    items = pl.DataFrame({"item_id": [1, 2, 2], "title": ["<b>Heat</b>", "NA", "again"]})
    with pytest.raises(DataError, match=r"or set FrameReader\.invalid_rows to drop"):
        FrameReader(behaviors, items).read()
    options = {"missing_values": {"rating": [-1]}, "invalid_rows": "drop"}
    tables = FrameReader(behaviors, items, **options).read()
    assert tables.behaviors["rating"].to_list() == [4.0, None, None]
    assert tables.items.rows() == [("1", "Heat"), ("2", None)]
    assert [step.example for step in tables.dropped] == [
        "behaviors.parquet, row 3 ('')",
        "items.parquet, row 3 ('2')",
    ]
