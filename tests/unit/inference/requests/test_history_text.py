"""Histories in one text, also where ids have commas and colons."""

import itertools

import pytest

from lit_rec.errors import DataError
from lit_rec.inference.requests.history_text import entries_of

IDS = {"50", "181", "Game:5", "Game", "Warhammer 40,000: Dawn of War", "a", "a,b", "b,c", "x,y,z"}


def shown(text, ids=IDS):
    """Entries as pairs of id and rating."""
    return [(e["item_id"], e.get("rating")) for e in entries_of(text, ids, where="--history")]


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("50,181", [("50", None), ("181", None)]),
        (" 50 : 5 , 181:3,", [("50", "5"), ("181", "3")]),
        ("Game:5", [("Game:5", None)]),
        ("Game:4", [("Game", "4")]),
        ("Game:5:4", [("Game:5", "4")]),
        ("Warhammer 40,000: Dawn of War", [("Warhammer 40,000: Dawn of War", None)]),
        (
            "50:2,Warhammer 40,000: Dawn of War:5,Game:5",
            [("50", "2"), ("Warhammer 40,000: Dawn of War", "5"), ("Game:5", None)],
        ),
        ("a,b", [("a,b", None)]),
        ("a,b,c", [("a", None), ("b,c", None)]),  # not 'a,b' and an unknown 'c'
        ("x,y,z:1", [("x,y,z", "1")]),
        ("nowhere,Game:5", [("nowhere", None), ("Game:5", None)]),
        ("nowhere:3", [("nowhere", "3")]),
    ],
)
def test_the_catalogue_is_asked_before_a_text_is_divided(text, entries):
    assert shown(text) == entries


def test_any_two_ids_next_to_each_other_are_found_again():
    ids = ["p", "q:1", "r,s", "t: u, v", "5", "7:5"]
    for one, two in itertools.product(ids, repeat=2):
        for rating in (None, "4"):
            text = f"{one}{'' if rating is None else ':4'},{two}"
            assert shown(text, set(ids)) == [(one, rating), (two, None)]


@pytest.mark.parametrize("text", ["", " ", ",", " , ,"])
def test_a_text_without_an_id(text):
    with pytest.raises(DataError, match=r"--history: names no item[\s\S]*name some, such as "):
        entries_of(text, IDS, where="--history")
    assert len(entries_of("50,181", IDS, where="--history")) == 2, "the remedy"


def test_a_long_history_takes_no_long_time():
    ids = [f"i{n},{n}" for n in range(5000)]
    assert [id_ for id_, _ in shown(",".join(ids), set(ids))] == ids
