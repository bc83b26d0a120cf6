"""Remedies of requests: what is asked of a Recommender or a Classifier."""

from dataclasses import replace

import polars as pl
import pytest

from lit_rec.data.facts import Facts
from lit_rec.inference.classifier import Classifier
from lit_rec.inference.recommender import Recommender
from lit_rec.inference.requests.entries import label_place
from tests.integration.remedies.followed import each_remedy_of, follow, refused

pytestmark = pytest.mark.filterwarnings("default")


def written(broken):
    """The value that a remedy says to write."""
    return eval(refused(broken)[0].remedy.partition("write ")[2].partition(" if that")[0])


# what is asked of a Recommender, its mended form, and what the remedy says
ASKED = {
    "an entry for a list": (
        lambda r: r.recommend("i1"),
        lambda r: r.recommend(["i1"]),
        "write ['i1']",
    ),
    "a pair": (
        lambda r: r.recommend([("i1", 4)]),
        lambda r: r.recommend([{"item_id": "i1", "rating": 4}]),
        "write {'item_id': 'i1', 'rating': 4}",
    ),
    "bytes": (
        lambda r: r.recommend([b"i1"]),
        lambda r: r.recommend(["i1"]),
        "write 'i1' if that is an item's id",
    ),
    "nothing among entries": (
        lambda r: r.recommend([None]),
        lambda r: r.recommend([]),
        "leave it out",
    ),
    "a near id": (
        lambda r: r.recommend(["i1x"]),
        lambda r: r.recommend(["i1"]),
        "did you mean 'i1'",
    ),
    "an id that is no more": (
        lambda r: r.score(["qq"], ["i1"]),
        lambda r: r.score([{"title": "red"}], ["i1"]),
        "in a history be given by its text",
    ),
    "an item that there is not": (
        lambda r: r.score([], ["qq"]),
        lambda r: (
            r.add_items([{"item_id": "qq", "title": "red", "genres": "x"}]) or r.score([], ["qq"])
        ),
        "A new item can be added with add_items",
    ),
    "an event": (
        lambda r: r.recommend([{"item_id": "i1", "event": "bui"}]),
        lambda r: r.recommend([{"item_id": "i1", "event": "buy"}]),
        "correct it or leave it out",
    ),
    "a rating": (
        lambda r: r.recommend([{"item_id": "i1", "rating": 9}]),
        lambda r: r.recommend([{"item_id": "i1", "rating": 5}]),
        "correct it",
    ),
    "a rating in words": (
        lambda r: r.recommend([{"item_id": "i1", "rating": "good"}]),
        lambda r: r.recommend([{"item_id": "i1"}]),
        "leave it out for an item that was liked",
    ),
    "an entry without an item": (
        lambda r: r.recommend([{"rating": 4}]),
        lambda r: r.recommend([{"title": "red"}]),
        "write {'title': '...'}",
    ),
    "an id of another kind": (
        lambda r: r.recommend(user=b"u1"),
        lambda r: r.recommend(user="u1"),
        "give the id as text",
    ),
    "no items": (lambda r: r.recommend(k=0), lambda r: r.recommend(k=10), "ask for 10"),
    "a time": (
        lambda r: r.recommend(["i1"], timestamp="soon"),
        lambda r: r.recommend(["i1"], timestamp="2024-05-31"),
        "correct it or leave it out",
    ),
    "a near user": (
        lambda r: r.recommend(user="u11"),
        lambda r: r.recommend(user="u1"),
        "did you mean 'u1'",
    ),
    "somebody new": (
        lambda r: r.recommend(user="new"),
        lambda r: r.recommend([], user="new"),
        "give a history instead, [] if there is none",
    ),
    "a profile": (
        lambda r: r.recommend([], profile={"age": 3}),
        lambda r: r.recommend([]),
        "leave it out",
    ),
    "a text of ids": (
        lambda r: r.entries_of(" , "),
        lambda r: r.recommend(r.entries_of("i0,i1")),
        "name some, such as i0,i1",
    ),
    "a table as columns": (
        lambda r: r.add_items({"item_id": ["n"], "title": ["red"], "genres": ["x"]}),
        lambda r: r.add_items(pl.DataFrame({"item_id": ["n"], "title": ["red"], "genres": ["x"]})),
        "write polars.DataFrame(...) around it",
    ),
    "a row alone": (
        lambda r: r.add_items({"item_id": "n", "title": "red", "genres": "x"}),
        lambda r: r.add_items([{"item_id": "n", "title": "red", "genres": "x"}]),
        "write [{'item_id': 'n', 'title': 'red', 'genres': 'x'}]",
    ),
    "no table": (
        lambda r: r.add_items("n"),
        lambda r: r.add_items([{"item_id": "1", "title": "...", "genres": ""}]),
        "write [{'item_id': '1'",
    ),
    "no row": (
        lambda r: r.add_items(["n"]),
        lambda r: r.add_items([{"item_id": "1", "title": "...", "genres": ""}]),
        "write {'item_id': '1'",
    ),
    "ids under another name": (
        lambda r: r.add_items([{"id": "n", "title": "red", "genres": "x"}]),
        lambda r: r.add_items([{"item_id": "n", "title": "red", "genres": "x"}]),
        "rename the column that holds the ids to item_id",
    ),
    "ids that are lists": (
        lambda r: r.add_items([{"item_id": ["n"], "title": "red", "genres": "x"}]),
        lambda r: r.add_items([{"item_id": "n", "title": "red", "genres": "x"}]),
        "write the ids as text",
    ),
    "no id": (
        lambda r: r.add_items([{"item_id": "", "title": "red", "genres": "x"}]),
        lambda r: r.add_items([{"item_id": "n", "title": "red", "genres": "x"}]),
        "give it an id, or leave it out",
    ),
    "an id that is there": (
        lambda r: r.add_items([{"item_id": "i1", "title": "red", "genres": "x"}]),
        lambda r: (
            r.remove_items(["i1"])
            or r.add_items([{"item_id": "i1", "title": "red", "genres": "x"}])
        ),
        "remove the old item first: remove_items(['i1'])",
    ),
    "an id twice": (
        lambda r: r.add_items([{"item_id": "n", "title": "red", "genres": "x"}] * 2),
        lambda r: r.add_items([{"item_id": "n", "title": "red", "genres": "x"}]),
        "give it another id, or leave it out",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_a_recommender_is_asked(rec, name):
    broken, mended, says = ASKED[name]
    follow(lambda: broken(rec), lambda: mended(rec), says=says)


def test_what_a_remedy_says_to_write(rec):
    """It is written as it stands."""
    assert len(rec.recommend(written(lambda: rec.recommend("i1")))) == 10
    for entry in (("i1", 4), b"i1", ["i1"]):
        assert len(rec.recommend([written(lambda: rec.recommend([entry]))])) == 10  # noqa: B023
    row = {"item_id": "n", "title": "red", "genres": "x"}
    rec.add_items(written(lambda: rec.add_items(row)))
    assert "n" in rec.item_ids


def test_labels_and_ratings_of_histories():
    facts = replace(Facts.example("label", labels=("bad", "good")), history_labels=True)
    follow(lambda: label_place("goo", facts), lambda: label_place("good", facts), says="correct it")
    follow(
        lambda: label_place("goo", facts), lambda: label_place(None, facts), says="or leave it out"
    )


def test_a_rating_where_there_are_none(checkpoint):
    module, content = checkpoint
    facts = {**content["facts"], "rating_low": 0.0, "rating_high": 0.0}
    asked = Recommender(module, {**content, "facts": facts})
    follow(
        lambda: asked.recommend([{"item_id": "i1", "rating": 4}]),
        lambda: asked.recommend([{"item_id": "i1"}]),
        says="leave it out",
    )


CLASSIFIED = [
    (["red", ""], ["red"], "correct it or leave it out"),
    ([{"titel": "red"}], [{"title": "red"}], "correct it or leave it out"),
    (
        pl.DataFrame({"text": ["red"], "genres": ["x"]}),
        pl.DataFrame({"title": ["red"], "genres": ["x"]}),
        "rename the column that holds it to title",
    ),
]


@pytest.mark.parametrize(("wrong", "right", "says"), CLASSIFIED)
def test_texts(text_checkpoints, wrong, right, says):
    model = Classifier(*text_checkpoints["label"])
    follow(lambda: model.classify(wrong), lambda: model.classify(right), says=says)


def test_labels_and_ratings_of_texts(text_checkpoints):
    for task, wrong, right in (("label", "rate", "classify"), ("rating", "classify", "rate")):
        model = Classifier(*text_checkpoints[task])
        follow(
            lambda: getattr(model, wrong)(["red"]),  # noqa: B023
            lambda: getattr(model, right)(["red"]),  # noqa: B023
            says=f"call {right}",
        )


def test_tokens_that_the_encoder_does_not_know(text_checkpoints):
    model, whole = Classifier(*text_checkpoints["label"]), Classifier(*text_checkpoints["label"])
    model._texts._vocabulary = 3
    says = "use a checkpoint as `lit-rec fit` wrote it"
    follow(lambda: model.classify(["red"]), lambda: whole.classify(["red"]), says=says)


def test_columns_of_a_profile(checkpoint):
    """``refuse_unknown`` is what profiles are checked by."""
    reader = Recommender(*checkpoint)._texts
    follow(
        lambda: reader.refuse_unknown({"titel": "red"}, where="profile"),
        lambda: reader.refuse_unknown({"title": "red"}, where="profile"),
        says="correct it or leave it out",
    )


test_each_remedy_was_followed = each_remedy_of(
    "inference/requests", "inference/classifier.py", "inference/stored/users.py"
)
