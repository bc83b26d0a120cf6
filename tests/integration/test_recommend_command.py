"""`lit-rec recommend`, on the run on made-up tables."""

import json

import pytest
import torch

from lit_rec.inference.recommender import Recommender

from .conftest import lit_rec, message

pytestmark = pytest.mark.filterwarnings("default")
ODD = {"50": "Warhammer 40,000: Dawn of War", "181": "Game:5", "172": "-3"}


@pytest.fixture(scope="module")
def odd(run_folder, tmp_path_factory):
    """The checkpoint with ids that have commas, colons and a hyphen in place of three others."""
    path = tmp_path_factory.mktemp("odd") / "best.ckpt"
    whole = torch.load(run_folder / "best.ckpt", weights_only=True)
    for part, name in (
        (whole["lit_rec"]["catalogue"], "item_id"),
        (whole["lit_rec"]["facts"], "item_ids"),
    ):
        part[name] = type(part[name])(ODD.get(id_, id_) for id_ in part[name])
    torch.save(whole, path)
    return path


def listed(capsys, *words):
    capsys.readouterr()
    lit_rec("recommend", *words, "--json")
    return [one["item_id"] for one in json.loads(capsys.readouterr().out)]


def test_ids_with_commas_and_colons_are_named(odd, capsys):
    rec = Recommender.from_checkpoint(odd)
    for text, history in (
        (ODD["50"], [ODD["50"]]),
        ("Game:5", ["Game:5"]),
        ("-3", ["-3"]),
        (
            f"{ODD['50']}:2,Game:5,1:3",
            [{"item_id": ODD["50"], "rating": 2}, "Game:5", {"item_id": "1", "rating": 3}],
        ),
    ):
        expected = [one.item_id for one in rec.recommend(history, 5)]
        assert listed(capsys, "--ckpt_path", odd, "--history", text, "--k", 5) == expected


def test_a_time_may_be_written_as_a_date(run_folder, capsys):
    words = ("--ckpt_path", run_folder / "best.ckpt", "--user", "405", "--timestamp")
    assert listed(capsys, *words, "1997-12-04T16:53:20") == listed(capsys, *words, "881254400")
    said = message(capsys, "recommend", *words, "soon")
    assert "'soon' is not usable" in said


def test_a_user_is_the_same_in_python(run_folder, capsys):
    path = run_folder / "best.ckpt"
    expected = [one.item_id for one in Recommender.from_checkpoint(path).recommend(user=405)]
    assert listed(capsys, "--ckpt_path", path, "--user", "405") == expected
    assert "'4055' is not among" in message(
        capsys, "recommend", "--ckpt_path", path, "--user", "4055"
    )


def test_items_like_one(run_folder, capsys):
    path = run_folder / "best.ckpt"
    rec = Recommender.from_checkpoint(path)
    words = ("--ckpt_path", path, "--k", "4")
    assert listed(capsys, *words, "--like", "50") == [r.item_id for r in rec.similar("50", 4)]
    by_text = rec.similar({"title": "red night"}, 4)
    assert listed(capsys, *words, "--like-text", "red night") == [r.item_id for r in by_text]
    lit_rec("recommend", *words, "--like", "50")
    assert "score: similarity to the item, from -1 to 1" in capsys.readouterr().out
    assert "'nowhere' is not among" in message(capsys, "recommend", *words, "--like", "nowhere")


def test_the_meaning_of_scores_is_below_the_list(run_folder, capsys):
    lit_rec("recommend", "--ckpt_path", run_folder / "best.ckpt", "--user", "405")
    assert capsys.readouterr().out.endswith("score: predicted rating, 1 to 5\n")


def test_a_list_of_equal_ratings_is_shown_before_the_clip(run_folder, tmp_path, capsys):
    """With ratings that end at 2 instead of 5, most predictions are clipped."""
    whole = torch.load(run_folder / "best.ckpt", weights_only=True)
    facts = whole["lit_rec"]["facts"]
    facts["rating_high"] = 2.0
    torch.save(whole, tmp_path / "best.ckpt")
    found = Recommender.from_checkpoint(tmp_path / "best.ckpt").recommend(["50"], 5)
    assert {one.score for one in found} == {2.0}
    lit_rec("recommend", "--ckpt_path", tmp_path / "best.ckpt", "--history", "50", "--k", "5")
    out = capsys.readouterr().out
    assert all(f"{one.unclipped:.3f}" in out for one in found)
    assert "score: predicted rating, 1 to 2, shown before it is cut to this range" in out


def test_mistakes_are_said_before_a_checkpoint_is_read(run_folder, tmp_path, capsys):
    words = ("recommend", "--ckpt_path", run_folder / "best.ckpt", "--user", "405")
    said = message(capsys, *words, "--rerank", tmp_path / "none.ckpt")
    assert "--rerank" in said
    assert "there is no such file" in said
