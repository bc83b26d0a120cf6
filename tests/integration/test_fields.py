"""Text fields encoded apart, from the command line to the checkpoint's answers."""

import polars as pl
import pytest
import torch

from lit_rec.inference.recommender import Recommender
from lit_rec.training.checkpoint.content import catalogue_of

from .conftest import lit_rec, options
from .own_runs import vectors_of

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def checkpoint(workplace):
    torch.set_num_threads(1)
    words = [
        "--data.text.columns={name: [title], about: [genres]}",
        "--trainer.max_epochs=1",
        f"--trainer.logger.init_args.save_dir={workplace}/fields",
    ]
    lit_rec("fit", *options(workplace), *words)
    return workplace / "fields/own_data/version_0/best.ckpt"


def test_each_distinct_text_of_any_field_is_kept_once(checkpoint, workplace):
    content = torch.load(checkpoint, weights_only=True)["lit_rec"]
    items = pl.read_csv(workplace / "my/items.csv", infer_schema=False)
    distinct = pl.concat([items["title"], items["genres"]]).n_unique()
    assert list(content["facts"]["fields"]) == ["name", "about"]
    assert content["catalogue"]["text_of_item"].shape == (len(items), 2)
    assert len(content["catalogue"]["offsets"]) - 1 == distinct < 2 * len(items)


def test_an_item_added_by_its_texts_is_the_item_of_the_same_texts(checkpoint, workplace):
    """Without what an id adds, which an item that training never saw does not have."""
    rec = Recommender.from_checkpoint(checkpoint)
    torch.nn.init.zeros_(rec._module.network.item_encoder.ids.embedding.weight)
    items = pl.read_csv(workplace / "my/items.csv", infer_schema=False)
    first = items.row(0, named=True)
    rec.add_items(pl.DataFrame([first | {"item_id": "new"}, first | {"item_id": "new too"}]))
    network = rec._module.network
    network.item_encoder.ids.bias.weight.data.zero_()
    network.item_encoder.ids.start.zero_()
    content = torch.load(checkpoint, weights_only=True)["lit_rec"]
    table = rec._module.item_table(catalogue_of(content, rec._facts))
    vectors = vectors_of(rec)
    torch.testing.assert_close(vectors[-2:], table[:1].expand(2, -1), atol=1e-5, rtol=0)


def test_an_item_of_which_one_field_is_known_can_be_asked_about(checkpoint):
    rec = Recommender.from_checkpoint(checkpoint)
    lists = [
        [r.item_id for r in rec.recommend([entry], 20)]
        for entry in ({"title": "a river in the city"}, {"genres": "Drama"})
    ]
    assert lists[0] != lists[1]


def test_predict_equals_the_recommender(checkpoint, workplace):
    lit_rec("predict", "--ckpt_path", checkpoint, "--data.predict_part", "all")
    scores = pl.read_parquet(checkpoint.parent / "predictions.parquet")["score"]
    rec = Recommender.from_checkpoint(checkpoint)
    table = pl.read_csv(workplace / "my/behaviors.csv", infer_schema=False)
    rows = table.with_columns(pl.col("rating", "timestamp").cast(pl.Float64)).to_dicts()
    for row, score in list(zip(rows, scores, strict=True))[::9]:
        user, now = row["user_id"], row["timestamp"]
        past = [r for r in rows if r["user_id"] == user and r["timestamp"] < now]
        history = sorted(past, key=lambda r: r["timestamp"])
        found = rec.score(history, [row["item_id"]], user=user, timestamp=now)
        assert found[0] == pytest.approx(score, abs=1e-5)
