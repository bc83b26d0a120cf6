"""Remedies of fields, of templates of texts and of tokenizers; see ``followed``."""

import json
import re
import shutil
from functools import partial

import numpy as np
import polars as pl
import pytest
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import AutoTokenizer

from lit_rec.data.fields.category import CategoryField
from lit_rec.data.fields.number import NumberField
from lit_rec.data.fields.vector import VectorField
from lit_rec.data.readers.plain import TableReader
from lit_rec.data.texts.template import TextTemplate
from lit_rec.data.texts.tokenizer_files import TokenizerFiles
from lit_rec.data.texts.tokens import TokenStore, special_tokens
from tests.integration.remedies.followed import each_remedy_of, follow, refused

from .conftest import rows

ITEMS = pl.DataFrame(
    {
        "item_id": list("abcdef"),
        "title": ["red", "blue", "sun", "war", "sea", "sky"],
        "price": [1, 2, 3, 4, 5, 6],
        "one": [1.0] * 6,
        "none": [None] * 6,
        "kind": ["x", "x", "x", "y", "y", "z"],
        "image": ["1 2", "3 4", "5 6", None, "7 8", "9 0"],
    }
)


@pytest.fixture
def items(data, tmp_path):
    """Return a function that prepares these items with some fields, and makes the first batch."""

    def used(frame=ITEMS, **options):
        frame.write_csv(tmp_path / "described.csv")
        rated = rows().rename({"stars": "rating"}).drop("earlier")
        rated.write_csv(tmp_path / "rated.csv")
        files = (f"{tmp_path}/rated.csv", f"{tmp_path}/described.csv")
        return data(reader=TableReader(*files), **options)

    return used


@pytest.mark.parametrize(
    ("wrong", "right", "says"),
    [
        (partial(CategoryField, "a", min_count=0), partial(CategoryField, "a"), "leave the option"),
        (partial(CategoryField, "a", ""), partial(CategoryField, "a"), "leave the option out"),
        (partial(NumberField, "a", 0), partial(NumberField, "a", 16), "16 suits most numbers"),
    ],
)
def test_options_of_fields(wrong, right, says):
    follow(wrong, right, says=says)


@pytest.mark.parametrize(
    "wrong",
    [
        *(CategoryField(column) for column in ("one", "none")),
        CategoryField("kind", min_count=9),
        *(NumberField(column) for column in ("one", "none")),
        VectorField("none"),
    ],
)
def test_fields_with_nothing_to_learn_from(items, wrong):
    follow(
        partial(items, item_fields=[wrong]),
        partial(items, item_fields=[]),
        says="leave the field out",
    )


def test_categories_of_few_rows(items):
    """The number that is named is the largest that leaves two categories; with less there is none to name."""
    broken = partial(items, item_fields=[CategoryField("kind", min_count=4)])
    number = int(re.search(r"min_count to (\d+)", refused(broken)[0].remedy)[1])
    right = partial(items, item_fields=[CategoryField("kind", min_count=number)])
    made = follow(broken, right, says="lower min_count")
    assert len(made.facts.item_fields[0].names) == 2
    error, _ = refused(partial(items, item_fields=[CategoryField("one", min_count=9)]))
    assert error.remedy == "leave the field out"


@pytest.mark.parametrize("right", ["7", None])
@pytest.mark.parametrize(
    ("field", "column"), [(NumberField("price"), "price"), (VectorField("image"), "image")]
)
def test_values_that_cannot_be_read(items, field, column, right):
    says = "correct these values, or leave them empty"
    wrong, right = "cheap", "7 7" if right and column == "image" else right

    def with_value(value):
        text = pl.col(column).cast(pl.String)
        changed = pl.when(pl.col("item_id") == "c").then(pl.lit(value)).otherwise(text)
        return items(ITEMS.with_columns(changed.alias(column)), item_fields=[field])

    follow(partial(with_value, wrong), partial(with_value, right), says=says)


@pytest.mark.parametrize(
    ("name", "says"), [("prise", "did you mean"), ("xyz", "name one of these")]
)
@pytest.mark.parametrize("option", ["item_fields", "text"])
def test_columns_that_are_not_there(items, option, name, says):
    def named(column):
        field = TextTemplate([column]) if option == "text" else [NumberField(column)]
        return items(**{option: field})

    error, _ = refused(partial(named, name))
    near = re.search(r"'(\w+)'", error.remedy)
    right = near[1] if near else re.search(r"it has .*(price)", error.problem)[1]
    follow(partial(named, name), partial(named, right), says=says)


def test_a_column_named_twice(items):
    price = NumberField("price")
    follow(
        partial(items, item_fields=[price, CategoryField("price")]),
        partial(items, item_fields=[price]),
        says="leave one of them",
    )


def test_vectors_of_another_source():
    facts = VectorField("image").fit(ITEMS, "data.item_fields")
    other = ITEMS.with_columns(image=pl.lit("1 2 3"))
    follow(
        partial(facts.encode, other, "data.item_fields"),
        partial(facts.encode, ITEMS, "data.item_fields"),
        says="use vectors from the same source as in training",
    )


@pytest.mark.parametrize("wrong", [[], {}, {"title": ["title"], "about": []}])
def test_no_columns_of_text(items, wrong):
    broken = partial(TextTemplate, wrong)
    printed = re.sub(r"(\w+)", r'"\1"', refused(broken)[0].remedy.removeprefix("for example "))
    right = json.loads(printed)
    if wrong:
        right = {"title": ["title"], **right}
    follow(broken, lambda: items(text=TextTemplate(right)), says="for example")


@pytest.mark.parametrize("way", ["add the column", "remove the label"])
def test_a_label_of_no_column(items, way):
    labels = {"labels": {"price": "Price: "}}
    right = TextTemplate(["title", "price"], **labels) if "add" in way else TextTemplate(["title"])
    follow(partial(TextTemplate, ["title"], **labels), lambda: items(text=right), says=way)


@pytest.mark.parametrize("way", ["leave the column out", "write its values as texts"])
def test_values_without_a_text(way):
    frame = ITEMS.with_columns(about=pl.struct("price", "one"))
    template = TextTemplate(["title", "about"])
    if "out" in way:
        right = partial(TextTemplate(["title"]).render, frame)
    else:
        written = pl.col("about").struct.json_encode()
        right = partial(template.render, frame.with_columns(about=written))
    follow(partial(template.render, frame), right, says=way)


@pytest.fixture
def encoder(workplace, tmp_path):
    """A copy of the tiny encoder's folder."""
    return shutil.copytree(workplace / "checkpoints/assets/all-MiniLM-L6-v2", tmp_path / "encoder")


def load(folder):
    return TokenizerFiles.load(str(folder), option="BehaviorDataModule.encoder").open()


def entries(folder, **more):
    path = folder / "tokenizer_config.json"
    kept = {key: value for key, value in json.loads(path.read_text()).items() if key != "auto_map"}
    path.write_text(json.dumps(kept | more))


@pytest.mark.parametrize("way", ["use another tokenizer", "take the entry out"])
def test_a_tokenizer_with_code(encoder, workplace, way):
    entries(encoder, auto_map={"AutoTokenizer": ["own.Own", None]})

    def without():
        entries(encoder)
        load(encoder)

    other = partial(load, workplace / "checkpoints/assets/all-MiniLM-L6-v2")
    follow(partial(load, encoder), without if "entry" in way else other, says=way)


@pytest.mark.parametrize(("name", "says"), [
    ("tokenizer_config.json", "copy the folder again"),
    ("tokenizer.json", "copy the whole folder again, with the tokenizer's files"),
])  # fmt: skip
def test_a_damaged_folder(encoder, workplace, name, says):
    (encoder / name).write_text("{")

    def again():
        folder = workplace / "checkpoints/assets/all-MiniLM-L6-v2"
        shutil.copytree(folder, encoder, dirs_exist_ok=True)
        load(encoder)

    follow(partial(load, encoder), again, says=says)


def test_another_path(encoder):
    follow(
        partial(load, encoder / "encodr"),
        partial(load, encoder),
        says="check the path (seen from ",
    )


@pytest.mark.parametrize("way", ["name a folder", "unset HF_HUB_OFFLINE", "run where there is"])
def test_a_name_of_the_hub_without_a_network(encoder, monkeypatch, way):
    """A hub that is reached gives what the folder holds."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", "unset" in way or "name" in way)
    reached, read = False, AutoTokenizer.from_pretrained

    def hub(name, **options):
        if name == "some/encoder" and (reached and not constants.HF_HUB_OFFLINE):
            name = encoder
        elif name == "some/encoder":
            raise OSError("no connection") from LocalEntryNotFoundError("not in the cache")
        return read(name, **options)

    monkeypatch.setattr(AutoTokenizer, "from_pretrained", hub)

    def mended():
        nonlocal reached
        reached = True
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        return load(encoder if "folder" in way else "some/encoder")

    follow(partial(load, "some/encoder"), mended, says=way)


@pytest.mark.parametrize("way", ["copy the checkpoint again", "or use another one"])
def test_a_damaged_tokenizer_of_a_checkpoint(encoder, way):
    files = load_files(encoder)
    damaged = TokenizerFiles({**files, "tokenizer.json": b"{"})
    follow(damaged.open, TokenizerFiles(files).open, says=way)


def load_files(folder):
    return TokenizerFiles.load(str(folder), option="BehaviorDataModule.encoder").files


class Reordering:
    """A tokenizer that puts its special tokens between the tokens of a text."""

    pad_token_id = 0

    def __call__(self, text, *, add_special_tokens):
        return {"input_ids": [5, 1, 6] if add_special_tokens else [5, 6]}


def test_a_tokenizer_with_special_tokens_inside(encoder):
    follow(
        lambda: special_tokens(Reordering()),
        lambda: special_tokens(load(encoder)),
        says="use an encoder with another tokenizer",
    )


@pytest.mark.parametrize("most", [1, 2])
def test_no_room_for_a_text(encoder, most):
    build = partial(TokenStore.build, ["red", "blue sun"], load(encoder))
    right = int(re.search(r"to (\d+) or more", refused(partial(build, most))[0].remedy)[1])
    store = follow(
        partial(build, most), partial(build, right), says="set BehaviorDataModule.max_tokens to"
    )
    assert (np.diff(store.offsets) > 0).all(), "texts are left"


test_each_remedy_was_followed = each_remedy_of("data/fields", "data/texts")
