from types import SimpleNamespace

import pytest
from lightning.pytorch.strategies import DDPStrategy, FSDPStrategy, SingleDeviceStrategy

from lit_rec.errors import ConfigError
from lit_rec.training.strategies import check_strategy


@pytest.mark.parametrize("strategy", [SingleDeviceStrategy, DDPStrategy])
def test_whole_networks(strategy):
    check_strategy(SimpleNamespace(strategy=strategy()))


def test_divided_weights_are_refused():
    with pytest.raises(ConfigError, match="FSDPStrategy divides the weights"):
        check_strategy(SimpleNamespace(strategy=FSDPStrategy()))
