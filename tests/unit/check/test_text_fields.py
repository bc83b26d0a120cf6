"""Texts that an encoder cannot tell apart, and tokens that it does not know."""

import numpy as np
import pytest

from lit_rec.check.text_fields import _figures, text_field_remarks
from lit_rec.data.texts.tokens import TokenStore

STORE = TokenStore(np.array([5, 1, 1, 5, 6, 7, 1], np.int32), np.array([0, 2, 3, 5, 6, 7]))


def test_figures_by_hand():
    # texts 1 and 4 are both the unknown token alone
    found = _figures(STORE, np.array([0, 0, 1, 2, 4, 4, 4]), 1)
    assert found == {
        "items": 7,
        "distinct": 4,
        "shared": 5,
        "equal_tokens": 1,
        "unknown": pytest.approx(3 / 6),
    }
    assert _figures(STORE, np.array([3]), None)["unknown"] == 0
    assert _figures(STORE, np.array([], np.int64), 1)["distinct"] == 0


def field(**figures):
    usual = {"items": 100, "distinct": 100, "shared": 0, "equal_tokens": 0, "unknown": 0.0}
    return usual | figures


def test_nothing_to_say():
    genre = field(distinct=4, shared=100)
    assert not [*text_field_remarks({"title": field(), "genre": genre}, "e")]
    assert not [*text_field_remarks({}, "e")]


def test_each_remark_names_the_field_and_the_encoder():
    [said] = text_field_remarks({"name": field(distinct=40, shared=80)}, "my-encoder")
    assert said.startswith("80 of 100 items share their text in `name`")
    merged, unknown = text_field_remarks({"name": field(equal_tokens=27, unknown=0.61)}, "mine")
    assert "100 distinct texts of `name` are 73 to the encoder mine" in merged
    assert "61.0 % of the tokens of `name` are unknown to the encoder mine" in unknown
    assert "data.encoder" in unknown
