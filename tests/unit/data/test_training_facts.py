import numpy as np
import polars as pl
import pytest

from lit_rec.data.fields.category import CategoryField
from lit_rec.data.fields.number import NumberField
from lit_rec.data.history.histories import GivenHistory, NoHistory, PastHistory
from lit_rec.data.history.rule import Where
from lit_rec.data.prepared import Prepared, prepare
from lit_rec.data.tables.tables import Tables
from lit_rec.data.targets.label import item_label_bias
from lit_rec.data.texts.template import TextTemplate
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.data.training_facts import target_of_rows, training_facts
from lit_rec.errors import ConfigError, DataError

SPECIAL = SpecialTokens((1,), (2,), 0)
PARTS = ["train", "train", "train", "train", "val", "test"]


@pytest.fixture
def prepared_of(tmp_path):
    def make(label, parts=PARTS, **columns):
        behaviors = pl.DataFrame(
            {
                "user_id": ["u", "v", "u", "v", "u", "v"],
                "item_id": ["a", "b", "b", "a", "a", "b"],
                "label": label,
                "timestamp": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
                "row": range(6),
                **columns,
            },
            schema_overrides={"label": pl.String},
        )
        items = pl.DataFrame({"item_id": ["a", "b"], "title": ["red", "blue"]})
        prepare(Tables(behaviors, items), pl.Series(parts), TextTemplate(["title"]), tmp_path)
        return Prepared.open(tmp_path)

    return make


def facts_of(prepared, **options):
    options = {"fields": ("text",), "max_tokens": 9, "special": SPECIAL, **options}
    return training_facts(prepared, "label", **options)


def test_labels_are_counted_in_training_rows_alone(prepared_of):
    prepared = prepared_of(["no", "yes", "no", None, "yes", "yes"])
    facts = facts_of(prepared)
    assert (facts.task, facts.labels, facts.label_counts) == ("label", ("no", "yes"), (2, 1))
    expected = item_label_bias(*(np.array(v) for v in ([0, 1, 0], [0, 1, 1], [False, True, False])))
    np.testing.assert_allclose(facts.item_bias, expected)
    assert facts.item_bias[0] < 0 < facts.item_bias[1]
    in_order = target_of_rows(prepared, facts)[np.argsort(prepared.row)]
    assert in_order.tolist() == [0, 1, 0, -1, 1, 1]


def test_numbers_are_sorted_by_value(prepared_of):
    assert facts_of(prepared_of(["10", "9", "100", "9", "9", "10"])).labels == ("9", "10", "100")


def test_an_order_of_ones_own(prepared_of):
    prepared = prepared_of(["click", "show", "show", "show", "click", "show"])
    facts = facts_of(prepared, labels=["show", "click"])
    assert (facts.labels, facts.label_counts) == (("show", "click"), (3, 1))
    for wrong in (["show"], ["show", "clik"], ["show", "click", "buy"]):
        with pytest.raises(ConfigError, match="are named, the training rows have"):
            facts_of(prepared, labels=wrong)


def test_what_cannot_be_learned_is_an_error(prepared_of):
    with pytest.raises(DataError, match=r"2 rows that do not train have a label .* 'c'"):
        facts_of(prepared_of(["a", "b", "a", "b", "c", "c"]))
    with pytest.raises(DataError, match="every training row has the label 'a'"):
        facts_of(prepared_of(["a", "a", "a", "a", None, "a"]))
    with pytest.raises(DataError, match="no training row has a label"):
        facts_of(prepared_of([None, None, None, None, "a", "b"]))


def test_nobody_is_no_user(prepared_of):
    prepared = prepared_of(["a", "b", "a", "b", "a", "b"])
    assert facts_of(prepared).user_ids == ("u", "v")
    nobody = facts_of(prepared, with_users=False)
    assert (nobody.user_ids, nobody.item_bias) == ((), ())


def test_more_than_two_labels_have_no_bias(prepared_of):
    assert facts_of(prepared_of(["a", "b", "c", "b", "a", "b"])).item_bias == ()


def test_whether_histories_tell_labels(prepared_of):
    """Only where training rows that count have both; the evaluation rows' labels are not looked at."""
    prepared = prepared_of(["no", "yes", "no", None, "yes", "no"], event=[*"xyxyxy"])
    assert PastHistory().tells_labels(prepared)
    for where in (Where(labels=["yes"]), Where(events=["x"]), Where(events=["y"])):
        assert not PastHistory(where=where).tells_labels(prepared)
    assert not NoHistory().tells_labels(prepared)
    assert not GivenHistory().tells_labels(prepared)


def test_impressions_are_of_one_user(prepared_of):
    labels = ["a", "b", "a", "b", "a", "b"]
    prepared = prepared_of(labels, impression_id=["1", "1", "1", None, "2", "2"])
    number = prepared.impression[np.argsort(prepared.row)].tolist()
    assert number[3] == -1
    assert number[0] == number[2]
    assert len({number[0], number[1], number[4], number[5]}) == 4


def test_histories_of_what_was_liked(prepared_of):
    prepared = prepared_of(["no", "yes", "yes", "no", "yes", "no"])
    history = PastHistory(where=Where(labels=["yes"])).bind(prepared)
    last = np.flatnonzero(np.isin(prepared.row, [4, 5]))  # of u and of v
    found = history.of(last)
    assert [found.item[row][found.mask[row]].tolist() for row in range(2)] == [[1], [1]]
    with pytest.raises(ConfigError, match=r"\['maybe'\] are not labels of this data"):
        PastHistory(where=Where(labels=["maybe"])).bind(prepared)


def test_no_history_is_empty(prepared_of):
    prepared = prepared_of(["a", "b", "a", "b", "a", "b"])
    found = NoHistory().bind(prepared).of(np.arange(6))
    assert found.mask.shape == (6, 1)
    assert not found.mask.any()
    assert (found.source == -1).all()


def test_fields_are_those_of_items_and_users_with_training_rows(tmp_path):
    """Of the third item and user, which only the test has, nothing is known: no edge, no category."""
    behaviors = pl.DataFrame(
        {
            "user_id": ["u", "v", "u", "w"],
            "item_id": ["a", "b", "b", "c"],
            "rating": [1.0, 2.0, 3.0, 4.0],
            "row": range(4),
        }
    )
    items = pl.DataFrame(
        {"item_id": ["a", "b", "c"], "title": ["x", "y", "z"], "price": [1.0, 2.0, 99.0]}
    )
    users = pl.DataFrame({"user_id": ["w", "v", "u"], "job": ["spy", "cook", "nurse"]})
    parts = pl.Series(["train", "train", "val", "test"])
    item_fields, user_fields = [NumberField("price")], [CategoryField("job")]
    tables, template = Tables(behaviors, items, users), TextTemplate(["title"])
    options = {"item_fields": item_fields, "user_fields": user_fields}
    prepare(tables, parts, template, tmp_path, **options)
    prepared = Prepared.open(tmp_path)
    words = {"fields": ("text",), "max_tokens": 9, "special": SPECIAL}
    facts = training_facts(prepared, "rating", **words, **options)
    assert (facts.item_fields[0].edges[0], facts.item_fields[0].edges[-1]) == (1.0, 2.0)
    assert facts.user_fields[0].names == ("cook", "nurse")
    # the users table is in the order of the codes, whatever its own
    assert prepared.profiles.table["job"].to_list() == ["nurse", "cook", "spy"]


def test_shares_of_the_items_that_are_rated(prepared_of):
    """Of the training rows alone: one of four is of item a."""
    prepared = prepared_of([None] * 6, item_id=[*"abbbab"], rating=[1.0, 2.0, 3.0, 4.0, 5.0, 5.0])
    facts = training_facts(prepared, "rating", fields=("text",), max_tokens=9, special=SPECIAL)
    np.testing.assert_allclose(np.exp(facts.item_log_frequency), [0.25, 0.75])
