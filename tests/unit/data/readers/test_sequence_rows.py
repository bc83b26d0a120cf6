import random

import polars as pl
import pytest

from lit_rec.data.readers.sequence_rows import collapse


def rows_of(rows):
    schema = {
        "file": pl.Int32,
        "user_id": pl.String,
        "before": pl.List(pl.String),
        "item_id": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def written(sequences, *, newest_first, cut=50):
    """Write sequences as programs do: all beginnings for training, the last two items for the other parts."""
    rows = []
    for user, items in sequences.items():
        train = items[:-2]
        places = range(1, len(train))
        for place in reversed(places) if newest_first else places:
            rows.append((0, user, train[:place][-cut:], train[place]))
    for file, back in ((1, 2), (2, 1)):
        rows += [(file, u, items[:-back][-cut:], items[-back]) for u, items in sequences.items()]
    return rows_of(rows)


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("cut", [3, 50])
def test_random_sequences_come_back(newest_first, cut):
    draw = random.Random(7)
    sequences = {
        f"u{u}": [draw.choice("abcde") for _ in range(draw.randint(3, 12))] for u in range(60)
    }
    behaviors, wrong = collapse(written(sequences, newest_first=newest_first, cut=cut))
    assert not wrong.any()
    found = behaviors.group_by("user_id", maintain_order=True).agg("item_id")
    assert dict(found.rows()) == sequences


def test_where_items_came_from_by_hand():
    rows = rows_of(
        [
            (0, "u", ["a", "b"], "c"),
            (0, "u", ["a"], "b"),
            (0, "v", [], "x"),
            (1, "u", ["c"], "d"),
            (1, "w", ["q"], "r"),
        ]
    )
    behaviors, wrong = collapse(rows)
    assert behaviors.rows() == [
        ("u", "a", 1, True),
        ("u", "b", 1, False),
        ("u", "c", 0, False),
        ("v", "x", 2, False),
        ("u", "d", 3, False),
        ("w", "q", 4, True),
        ("w", "r", 4, False),
    ]
    assert wrong.to_list() == [False] * 5


def test_shuffled_rows_are_put_in_order():
    rows = rows_of(
        [(0, "u", ["a", "b"], "c"), (0, "u", ["a"], "b"), (0, "u", ["a", "b", "c"], "d")]
    )
    behaviors, wrong = collapse(rows)
    assert behaviors["item_id"].to_list() == list("abcd")
    assert not wrong.any()


@pytest.mark.parametrize(
    ("row", "broken"),
    [
        ((0, "u", ["a", "x"], "c"), [False, True]),
        ((0, "u", ["b", "a", "b"], "c"), [False, True]),
        ((1, "u", ["c"], "d"), [False, True]),
    ],
)
def test_rows_of_another_sequence(row, broken):
    assert collapse(rows_of([(0, "u", ["a"], "b"), row]))[1].to_list() == broken
