"""Running out of memory, told of by a module with the options of a two-tower network or of a cross-encoder."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lit_rec.errors import ConfigError
from lit_rec.training.memory import explains_memory


class Part(nn.Module):
    def __init__(self, tokens, recompute):
        super().__init__()
        self.max_tokens_per_chunk, self.recompute = tokens, recompute


class Module(nn.Module):
    device = torch.device("cpu")

    def __init__(self, network, data=None):
        super().__init__()
        self.network = network
        self._trainer = None if data is None else SimpleNamespace(datamodule=data)

    @explains_memory
    def step(self, error):
        raise error

    @explains_memory
    def allocate(self, size):
        """Return an empty tensor."""
        return torch.empty(size)


FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total")
DATA = SimpleNamespace(
    batch_size=512, eval_batch_size=4096, history=SimpleNamespace(max_length=100)
)


def message(module):
    with pytest.raises(ConfigError) as found:
        module.step(FULL)
    assert found.value.__cause__ is FULL
    return str(found.value).splitlines()


def test_of_a_network_with_an_item_encoder_while_training():
    network = nn.ModuleDict({"item_encoder": Part(2048, False)})
    assert message(Module(network, DATA)) == [
        "cpu: out of memory while training (CUDA out of memory. Tried to allocate 20.00 MiB).",
        "  Part.max_tokens_per_chunk is 2048, "
        "Part.recompute is False, BehaviorDataModule.batch_size is 512, "
        "History.max_length is 100",
        "  Rule: a step's activations have room next to the weights and the optimizer.",
        "  Try:  set Part.recompute to true, "
        "else lower Part.max_tokens_per_chunk to 1024, "
        "else lower BehaviorDataModule.batch_size and raise Trainer.accumulate_grad_batches by as much.",
    ]


def test_of_a_network_that_is_its_own_encoder_while_evaluating():
    lines = message(Module(Part(300, False), DATA).eval())
    assert "out of memory while evaluating" in lines[0]
    assert lines[1].startswith(
        "  Part.max_tokens_per_chunk is 300, BehaviorDataModule.eval_batch_size"
    )
    assert lines[-1] == (
        "  Try:  lower Part.max_tokens_per_chunk to 150, else lower BehaviorDataModule.eval_batch_size."
    )


def test_what_is_recomputed_already_is_no_remedy():
    lines = message(Module(nn.ModuleDict({"item_encoder": Part(2048, True)}), DATA))
    assert "recompute is True" in lines[1]
    assert "recompute" not in lines[-1]


def test_a_part_with_an_option_of_its_own_is_named():
    attention = nn.Identity()
    attention.slots_per_block = 500
    network = nn.ModuleDict({"item_encoder": Part(2048, True), "user_encoder": attention})
    lines = message(Module(network, DATA))
    assert "Identity.slots_per_block is 500" in lines[1]
    assert "else lower Identity.slots_per_block to 250" in lines[-1]


def test_of_a_network_without_such_options():
    assert "lower the batch size" in message(Module(nn.Linear(1, 1)))[-1]


def test_a_cpu_that_is_refused_memory():
    with pytest.raises(ConfigError, match="can't allocate memory") as found:
        Module(Part(8, True)).allocate(2**60)
    assert isinstance(found.value.__cause__, RuntimeError)


def test_other_errors_and_results_stay_what_they_are():
    module = Module(Part(8, True))
    for error in (RuntimeError("shapes differ"), KeyError("x")):
        with pytest.raises(type(error)) as found:
            module.step(error)
        assert found.value is error
    assert module.allocate(size=3).shape == (3,)
    assert Module.allocate.__doc__ == "Return an empty tensor."
