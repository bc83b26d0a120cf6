"""Remedies of `lit-rec acquire`: files and columns that are there already, strategies, and what they need."""

import polars as pl
import pytest

from lit_rec.inference.acquirer import Acquirer
from tests.integration.conftest import lit_rec
from tests.integration.remedies.followed import each_remedy_of, follow

pytestmark = pytest.mark.filterwarnings("default")


def test_files(text_checkpoints, tmp_path, monkeypatch):
    given = Acquirer(*text_checkpoints["label"])
    monkeypatch.setattr(Acquirer, "from_checkpoint", lambda *_, **__: given)
    (tmp_path / "best.ckpt").touch()
    pool, made = tmp_path / "pool.csv", tmp_path / "next.csv"
    pl.DataFrame({"title": ["city red", "city"], "genres": ["day", "day"]}).write_csv(pool)
    asked = ["acquire", "--ckpt_path", tmp_path / "best.ckpt", "--count=1", "--pool"]
    follow(
        lambda: lit_rec(*asked, pool, "--output", tmp_path / "next.xls"),
        lambda: lit_rec(*asked, pool, "--output", made),
        says=f"name {made}",
    )
    follow(
        lambda: lit_rec(*asked, pool, "--output", made),
        lambda: lit_rec(*asked, pool, "--output", made, "--overwrite"),
        says="name another, or add --overwrite",
    )
    follow(
        lambda: lit_rec(*asked, made),
        lambda: lit_rec(*asked, pool),
        says="rename it, or name the table that it was chosen from",
    )


def test_strategies(text_checkpoints):
    acquirer = Acquirer(*text_checkpoints["label"])
    follow(
        lambda: acquirer.choose(["city red"], 1, "entropi"),
        lambda: acquirer.choose(["city red"], 1, "entropy"),
        says="did you mean 'entropy'?",
    )


def test_models_of_ratings(text_checkpoints):
    acquirer = Acquirer(*text_checkpoints["rating"])
    follow(
        lambda: acquirer.choose(["city red"], 1),
        lambda: acquirer.choose(["city red"], 1, "k_center"),
        says="use k_center",
    )


test_each_remedy_was_followed = each_remedy_of("inference/acquirer.py", "cli/acquire.py")
