from lightning.pytorch.callbacks import (
    LearningRateMonitor,
    RichModelSummary,
    StochasticWeightAveraging,
)

from lit_rec.training.callback_list import NetworkFirst, arranged


def test_what_only_logs_is_left_out_where_nothing_is_logged():
    summary, rates = RichModelSummary(), LearningRateMonitor()
    assert arranged([rates, summary], logs=True) == [rates, summary]
    assert arranged([rates, summary], logs=False) == [summary]


def test_network_is_built_before_it_is_copied():
    average = StochasticWeightAveraging(1e-3)
    first, second = arranged([average], logs=True)
    assert isinstance(first, NetworkFirst)
    assert second is average
