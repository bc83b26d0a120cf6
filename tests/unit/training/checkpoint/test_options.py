import pytest

from lit_rec.errors import ConfigError
from lit_rec.training.checkpoint.options import overrides, refuse_other_model
from lit_rec.training.lit_rec import LitRec

STORED = {
    "data": {"class_path": "A", "init_args": {"batch_size": 8, "text": {"columns": ["title"]}}},
    "trainer": {"max_epochs": 3, "logger": {"class_path": "TensorBoardLogger"}},
    "ckpt_path": "old.ckpt",
}


def asked(**data):
    trainer = {"max_epochs": 3, "logger": False, "callbacks": None}
    return {
        "data": {"class_path": "A", "init_args": STORED["data"]["init_args"] | data},
        "trainer": trainer,
    }


def test_what_a_test_leaves_out_of_a_run_is_no_override():
    assert overrides(asked(), STORED) == []


def test_overrides_are_named_as_they_are_typed():
    assert overrides(asked(batch_size=2, text={"columns": ["name"]}), STORED) == [
        "data.batch_size: 2 (8 in the checkpoint)",
        "data.text.columns: ['name'] (['title'] in the checkpoint)",
    ]


def test_a_model_that_differs_is_refused():
    refuse_other_model({"head_rate": 0.1}, {"head_rate": 0.1}, LitRec)
    with pytest.raises(ConfigError, match=r"model.head_rate: 0.2 asked, 0.1 in the checkpoint"):
        refuse_other_model({"head_rate": 0.2}, {"head_rate": 0.1}, LitRec)


def test_an_option_that_a_checkpoint_does_not_know_has_its_default():
    """A version before ``begin`` did not store it; what it did is the default."""
    path = "lit_rec.models.heads.value_heads.LinearHead"

    def head(**options):
        return {"network": {"head": {"class_path": path, "init_args": options}}}

    refuse_other_model(head(dropout=0.1, begin="random"), head(dropout=0.1), LitRec)
    # of the model itself, too
    refuse_other_model({"head_rate": 0.1, "r_drop": 0.0}, {"head_rate": 0.1}, LitRec)
    with pytest.raises(ConfigError, match=r"model.r_drop: 1.0 asked, 0.0 in the checkpoint"):
        refuse_other_model({"head_rate": 0.1, "r_drop": 1.0}, {"head_rate": 0.1}, LitRec)
    with pytest.raises(ConfigError) as error:
        refuse_other_model(
            head(dropout=0.1, begin="logistic_regression"), head(dropout=0.1), LitRec
        )
    assert list(error.value.details) == [
        "model.network.head.init_args.begin: 'logistic_regression' asked, 'random' in the checkpoint"
    ]
    with pytest.raises(ConfigError, match="the model asked for"):
        refuse_other_model(head(dropout=0.1, begin="random"), head(dropout=0.2), LitRec)
