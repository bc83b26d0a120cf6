from types import SimpleNamespace

import pytest
from lightning.pytorch.callbacks import (
    EMAWeightAveraging,
    ModelCheckpoint,
    StochasticWeightAveraging,
)
from lightning.pytorch.strategies import (
    DDPStrategy,
    FSDPStrategy,
    ModelParallelStrategy,
    SingleDeviceStrategy,
)

from lit_rec.errors import ConfigError
from lit_rec.training.strategies.sharded_encoder import ShardedEncoder, check_strategy


def trainer(strategy, precision="32-true", callbacks=()):
    return SimpleNamespace(strategy=strategy, precision=precision, callbacks=callbacks)


@pytest.mark.parametrize("strategy", [SingleDeviceStrategy, DDPStrategy])
def test_whole_networks(strategy):
    check_strategy(trainer(strategy(), "16-mixed", [EMAWeightAveraging()]))


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_divided_encoder(precision):
    check_strategy(trainer(ShardedEncoder(), precision, [ModelCheckpoint()]))


@pytest.mark.parametrize("strategy", [FSDPStrategy, ModelParallelStrategy])
def test_weights_divided_in_another_way_are_refused(strategy):
    name = strategy.__name__
    with pytest.raises(ConfigError, match=f"{name} divides the weights(?s:.)*sharded_encoder"):
        check_strategy(trainer(strategy()))


@pytest.mark.parametrize("callback", [EMAWeightAveraging(), StochasticWeightAveraging(0.1)])
def test_averaged_weights_are_refused(callback):
    with pytest.raises(ConfigError, match=f"{type(callback).__name__} copies the network"):
        check_strategy(trainer(ShardedEncoder(), callbacks=[ModelCheckpoint(), callback]))
