"""A shop with views and purchases, from `init` to recommendations: purchases are predicted, from views too."""

import json

import numpy as np
import polars as pl
import pytest
import torch
import yaml

from lit_rec.inference.recommender import Recommender

from .conftest import lit_rec

pytestmark = pytest.mark.filterwarnings("default")
USERS, ITEMS = 40, 25


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Each user looks at some items; after the third look one of them is bought, and so on."""
    folder, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(0)
    rows, clock = [], 1_700_000_000
    for turn in range(4):
        for user in range(USERS):
            looked = rng.choice(ITEMS, 3, replace=False)
            for item, kind in [
                *((i, "view") for i in looked),
                (looked[rng.integers(3)], "purchase"),
            ]:
                clock += 60
                rows.append((f"c{user}", f"s{item}", kind, clock + turn))
    events = pl.DataFrame(rows, ["customer_id", "sku", "event_type", "ts"], orient="row")
    events.write_csv(folder / "events.csv")
    names = [f"{'red' if i % 2 else 'blue'} thing {i}" for i in range(ITEMS)]
    items = pl.DataFrame({"sku": [f"s{i}" for i in range(ITEMS)], "title": names})
    items.write_csv(folder / "items.csv")
    return folder, events


@pytest.fixture(scope="module")
def run(shop, workplace):
    torch.set_num_threads(1)
    folder, _ = shop
    encoder = f"{workplace}/checkpoints/assets/all-MiniLM-L6-v2"
    config = folder / "shop.yaml"
    lit_rec("init", folder / "events.csv", folder / "items.csv", "-o", config, "--encoder", encoder)
    written = yaml.safe_load(config.read_text())["data"]["init_args"]
    assert written["target_events"] == ["purchase"]
    assert "where" not in written["history"]["init_args"]
    small = ["--model.network.item_encoder.width=16", "--trainer.max_epochs=2"]
    small += ["--trainer.accelerator=cpu", "--trainer.enable_progress_bar=false"]
    save = [f"--trainer.logger.init_args.save_dir={folder}", f"--data.cache_folder={folder}/cache"]
    lit_rec("fit", "-c", config, *small, *save)
    best = folder / "shop/version_0/best.ckpt"
    lit_rec("test", "--ckpt_path", best)
    lit_rec("predict", "--ckpt_path", best)
    return best


def test_the_report_counts_purchases(run, shop):
    _, events = shop
    report = json.loads((run.parent / "report.json").read_text())
    count = {row["count"] for row in report["rows"] if row["slice"] == "all"}
    newest = events.sort("ts").tail(len(events) // 10)
    assert count == {(newest["event_type"] == "purchase").sum()}
    assert {row["model"] for row in report["rows"]} >= {"lit_rec", "last_items", "ease"}


def test_what_was_viewed_may_be_recommended_and_what_was_bought_not(run, shop):
    _, events = shop
    rec = Recommender.from_checkpoint(run)
    lists = pl.read_parquet(run.parent / "recommendations.parquet")
    for (user,), mine in events.group_by("customer_id"):
        bought = set(mine.filter(pl.col("event_type") == "purchase")["sku"])
        found = [one.item_id for one in rec.recommend(user=user, k=ITEMS)]
        assert set(found) == {f"s{i}" for i in range(ITEMS)} - bought
        listed = lists.filter(pl.col("user_id") == user)["item_id"].to_list()
        assert listed == found[: len(listed)]
        assert len(listed) == 10
    viewed = [{"item_id": "s3", "event": "view"}, {"item_id": "s4", "event": "purchase"}, "s5"]
    found = {one.item_id for one in rec.recommend(viewed, k=ITEMS)}
    assert "s3" in found
    assert not found & {"s4", "s5"}
