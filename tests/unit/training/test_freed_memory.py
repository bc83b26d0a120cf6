"""Freed memory is given back where chunks are recomputed on a CPU."""

import platform
import subprocess
import sys

import pytest
import torch
from torch import nn

from lit_rec.training.freed_memory import give_back_freed_memory

# pieces of two mebibytes with small ones between them, as activations and the results of chunks; then the pieces are
# freed
SCRIPT = """
import sys
import torch
from torch import nn
from lit_rec.training.freed_memory import give_back_freed_memory

def held():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024

network = nn.Linear(1, 1)
network.recompute = sys.argv[1] == "True"
torch.ones(4 << 20)  # from now on glibc keeps pieces up to this size
give_back_freed_memory(network, torch.device("cpu"))
before, large, small = held(), [], []
for _ in range(100):
    large.append(torch.ones(1 << 19))
    small.append(torch.ones(4096))
full = held()
del large
print(round(full - before), round(held() - before))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.parametrize("recompute", [True, False])
def test_freed_pieces_are_given_back_where_chunks_are_recomputed(recompute):
    words = [sys.executable, "-c", SCRIPT, str(recompute)]
    found = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    full, kept = (int(word) for word in found.stdout.split())
    assert full > 190  # mebibytes
    assert (kept < 20) == recompute


def test_nothing_is_done_on_a_gpu_or_without_recomputing():
    network = nn.Linear(1, 1)
    assert not give_back_freed_memory(network, torch.device("cpu"))
    network.recompute = True
    assert not give_back_freed_memory(network, torch.device("cuda:0"))
