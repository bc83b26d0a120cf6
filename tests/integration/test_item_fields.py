"""Numbers, categories, vectors and profiles of users, from two more tables to the checkpoint's answers."""

import copy
import json
import re

import polars as pl
import pytest
import torch

from lit_rec.inference.recommender import Recommender

from .conftest import lit_rec, message
from .own_runs import configuration, part, vectors_of, write

pytestmark = pytest.mark.filterwarnings("default")
FIELDS = "lit_rec.data.fields"
PRICE = part(f"{FIELDS}.number.NumberField", column="price", bins=4)
BRAND = part(f"{FIELDS}.category.CategoryField", column="brand", separator="|")
IMAGE = part(f"{FIELDS}.vector.VectorField", column="image")
AGE = part(f"{FIELDS}.number.NumberField", column="age")
JOB = part("lit_rec.data.texts.template.TextTemplate", columns=["job"])


@pytest.fixture(scope="module")
def config(workplace):
    """Items with a price (some without), brands and an image; users with an age and a job, but for the last of them."""
    torch.set_num_threads(1)
    items = pl.read_csv(workplace / "my/items.csv", infer_schema=False)
    count = len(items)
    items = items.with_columns(
        price=pl.Series([None if n % 5 == 0 else str(n % 7) for n in range(count)]),
        brand=pl.Series(["red|blue" if n % 3 else "green" for n in range(count)]),
        image=pl.Series([f"{n % 4} {n % 3 - 1} 0.5" for n in range(count)]),
    )
    items.write_csv(workplace / "my/rich_items.csv")
    users = pl.read_csv(workplace / "my/behaviors.csv", infer_schema=False)["user_id"].unique()
    users = users.sort()[:-1]
    ages = [str(20 + n % 9) for n in range(len(users))]
    jobs = ["a teacher" if n % 2 else "a pilot" for n in range(len(users))]
    pl.DataFrame({"user_id": users, "age": ages, "job": jobs}).write_csv(workplace / "my/users.csv")
    config = configuration(workplace, max_epochs=1)
    data = config["data"]["init_args"]
    data["reader"]["init_args"] |= {
        "items": f"{workplace}/my/rich_items.csv",
        "users": f"{workplace}/my/users.csv",
    }
    data["item_fields"] = [PRICE, BRAND, IMAGE]
    data["user_text"], data["user_fields"] = JOB, [AGE]
    data["history"] = part("lit_rec.data.history.histories.PastHistory")
    config["trainer"]["logger"]["init_args"]["save_dir"] = f"{workplace}/rich"
    return config


@pytest.fixture(scope="module")
def checkpoint(config, workplace):
    lit_rec("fit", "-c", write(config, workplace / "rich.yaml"))
    return workplace / "rich/run/version_0/best.ckpt"


def test_facts_are_of_training_rows_and_vectors_are_kept_as_numbers(checkpoint):
    content = torch.load(checkpoint, weights_only=True)["lit_rec"]
    price, brand, image = content["facts"]["item_fields"]
    assert (price["edges"][0], price["edges"][-1]) == (0.0, 6.0)
    assert brand["names"] == ("blue", "green", "red")
    assert image["width"] == 3
    catalogue = content["catalogue"]
    assert catalogue["fields"]["image"].shape == (len(catalogue["item_id"]), 3)
    assert "image" not in catalogue["columns"]
    assert {"price", "brand"} <= catalogue["columns"].keys()
    assert content["profiles"]["fields"]["age"].isnan().sum() == 1


def test_predict_equals_the_recommender_that_knows_the_profile(checkpoint, workplace):
    lit_rec("predict", "--ckpt_path", checkpoint, "--data.predict_part", "all")
    scores = pl.read_parquet(checkpoint.parent / "predictions.parquet")["score"]
    rec = Recommender.from_checkpoint(checkpoint)
    users = {
        row.pop("user_id"): row
        for row in pl.read_csv(workplace / "my/users.csv", infer_schema=False).to_dicts()
    }
    table = pl.read_csv(workplace / "my/behaviors.csv", infer_schema=False)
    rows = table.with_columns(pl.col("rating", "timestamp").cast(pl.Float64)).to_dicts()
    for row, score in list(zip(rows, scores, strict=True))[::9]:
        user, now = row["user_id"], row["timestamp"]
        past = [r for r in rows if r["user_id"] == user and r["timestamp"] < now]
        history = sorted(past, key=lambda r: r["timestamp"])
        asked = {"user": user, "timestamp": now}
        found = rec.score(history, [row["item_id"]], **asked)
        assert found[0] == pytest.approx(score, abs=1e-5)
        given = rec.score(history, [row["item_id"]], profile=users.get(user, {}), **asked)
        assert given == pytest.approx(found, abs=1e-5)


def test_an_item_added_by_its_columns_is_the_item_of_the_same_columns(checkpoint, workplace):
    """Without what an id adds, which an item that training never saw does not have."""
    rec = Recommender.from_checkpoint(checkpoint)
    ids = rec._module.network.item_encoder.ids
    for parameter in (*ids.parameters(), ids.start):
        torch.nn.init.zeros_(parameter)
    first = pl.read_csv(workplace / "my/rich_items.csv", infer_schema=False)[1]
    new = first.with_columns(item_id=pl.lit("new"), image=pl.lit("[1.0, 0, 0.5]"))
    rec.add_items(new)
    rec.add_items(new.with_columns(item_id=pl.lit("dearer"), price=pl.lit("6")))
    rec.add_items(new.drop("price", "image").with_columns(item_id=pl.lit("bare")))
    data = torch.load(checkpoint, weights_only=True)["lit_rec"]["catalogue"]
    assert data["fields"]["image"][1].tolist() == [1.0, 0.0, 0.5]
    score = dict(zip(rec.item_ids, rec.score([], rec.item_ids), strict=True))
    vectors = vectors_of(rec)
    before = Recommender.from_checkpoint(checkpoint)
    vocab = torch.tensor([before._facts.item_ids.index(data["item_id"][1]) + 1])
    of_id = before._module.network.item_encoder.ids(vocab)[0]
    torch.testing.assert_close(vectors[-3], vectors_of(before)[1] - of_id, atol=1e-5, rtol=0)
    assert not torch.allclose(vectors[-3], vectors[-2], atol=1e-4)
    assert len({round(score[name], 6) for name in ("new", "dearer", "bare")}) > 1


def test_a_profile_changes_the_answer_on_the_command_line(checkpoint, capsys):
    def asked(*words):
        capsys.readouterr()
        lit_rec("recommend", "--ckpt_path", checkpoint, "--history", "1", "--json", *words)
        return [one["score"] for one in json.loads(capsys.readouterr().out.splitlines()[-1])]

    young, old = asked("--profile", "age=20"), asked("--profile", "age=28")
    assert young != old
    assert asked("--profile", "age=28", "--profile", "job=a pilot") != old


def test_check_tells_of_fields_and_profiles(config, tmp_path, capsys):
    lit_rec("check", "-c", write(config, tmp_path / "rich.yaml"), "--json", tmp_path / "found.json")
    out = capsys.readouterr().out
    assert re.search(r"item +brand +category +3 categories +0\.0 %", out)
    found = json.loads((tmp_path / "found.json").read_text())["fields"]
    kinds = [(one["of"], one["name"], one["kind"], one["size"]) for one in found]
    assert kinds == [
        ("item", "price", "number", 4),
        ("item", "brand", "category", 3),
        ("item", "image", "vector", 3),
        ("user", "text", "text", 3),
        ("user", "age", "number", 15),
    ]
    assert found[0]["empty"] == pytest.approx(0.2, abs=0.03)
    assert 0 < found[-1]["empty"] < 0.1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--profile", "aeg=20"], "profile: there is no column 'aeg' (near: age)"),
        (["--profile", "age=old"], "profile: age is not a finite number: row 1 ('old')"),
        (["--profile", "age"], "--profile 'age': has no '='"),
    ],
)
def test_wrong_profiles_are_named(checkpoint, capsys, words, says):
    found = message(capsys, "recommend", "--ckpt_path", checkpoint, "--history", "1", *words)
    assert says in found


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"user_fields": [PRICE]}, "data.user_fields: the table has no column 'price'"),
        ({"item_fields": [BRAND, BRAND]}, "data.item_fields: column 'brand' is named 2 times"),
        ({"item_fields": [PRICE | {"init_args": {"column": "brand"}}]}, "brand is not a finite"),
        ({"item_fields": [IMAGE | {"init_args": {"column": "title"}}]}, "title is not a vector"),
        (
            {"user_text": part("lit_rec.data.texts.template.TextTemplate", columns=["jobs"])},
            "data.user_text.init_args.columns: the table has no column 'jobs'",
        ),
    ],
)
def test_wrong_columns_are_named_before_training(config, tmp_path, capsys, change, says):
    data = config["data"] | {"init_args": config["data"]["init_args"] | change}
    path = write(config | {"data": data}, tmp_path / "wrong.yaml")
    assert says in message(capsys, "fit", "-c", path)


def test_profiles_need_a_users_table(config, tmp_path, capsys):
    config = copy.deepcopy(config)
    del config["data"]["init_args"]["reader"]["init_args"]["users"]
    found = message(capsys, "fit", "-c", write(config, tmp_path / "wrong.yaml"))
    assert "there is no users table to take profiles from" in found


def test_a_checkpoint_keeps_its_fields(checkpoint, capsys):
    found = message(capsys, "test", "--ckpt_path", checkpoint, "--data.item_fields=null")
    assert "data.item_fields: [] asked, ['brand', 'image', 'price'] in the checkpoint" in found
