import pytest
from lightning.pytorch.callbacks import (
    EarlyStopping,
    LearningRateMonitor,
    RichModelSummary,
    StochasticWeightAveraging,
)

from lit_rec.errors import ConfigError
from lit_rec.training.callbacks.order import NetworkFirst, arranged


def test_what_only_logs_is_left_out_where_nothing_is_logged():
    summary, rates = RichModelSummary(), LearningRateMonitor()
    assert arranged([rates, summary], logs=True) == [rates, summary]
    assert arranged([rates, summary], logs=False) == [summary]


def test_network_is_built_before_it_is_copied():
    average = StochasticWeightAveraging(1e-3)
    first, second = arranged([average], logs=True)
    assert isinstance(first, NetworkFirst)
    assert second is average


def test_callbacks_that_a_checkpoint_cannot_tell_apart_are_refused():
    one, other = (EarlyStopping(monitor=name) for name in ("val/rmse", "val/mae"))
    assert arranged([one, other], logs=True) == [one, other]
    with pytest.raises(ConfigError, match="EarlyStopping is there 2 times"):
        arranged([one, other, EarlyStopping(monitor="val/mae")], logs=True)
    summaries = [RichModelSummary(), RichModelSummary()]  # without a state
    assert arranged(summaries, logs=True) == summaries
