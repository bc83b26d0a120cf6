"""Files that would take more memory than they are long, or that are pickles of something else."""

import pickle
import time
import zipfile

import pytest
import torch

from lit_rec.errors import CheckpointError
from lit_rec.training.checkpoint.content import read_values

SECONDS = 10.0


def refused(path):
    start = time.perf_counter()
    with pytest.raises(CheckpointError) as found:
        read_values(path, "--ckpt_path a.ckpt")
    assert time.perf_counter() - start < SECONDS
    assert f"{path.stat().st_size:,} bytes" in str(found.value)
    return str(found.value)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "a.ckpt"
    torch.save({"weight": torch.zeros(100_000)}, path)
    return path


def rewritten(path, change=lambda name, held: held, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in held.items():
            archive.writestr(name, change(name, content))


def test_a_file_of_torch_is_read(saved):
    assert read_values(saved, "")["weight"].shape == (100_000,)


def test_compressed_entries_are_refused(saved):
    rewritten(saved, compression=zipfile.ZIP_DEFLATED)
    assert saved.stat().st_size < 10_000
    assert "BadZipFile" in refused(saved)


def test_an_entry_that_says_it_is_longer_is_refused(saved):
    content = saved.read_bytes()
    saved.write_bytes(
        content.replace((400_000).to_bytes(4, "little"), (2**31).to_bytes(4, "little"))
    )
    refused(saved)


def test_storages_that_are_shorter_than_their_tensors_are_refused(saved):
    rewritten(saved, lambda name, held: held[:8] if name.endswith("data/0") else held)
    refused(saved)


def test_pickles_that_are_no_archive_are_refused(tmp_path):
    for number, value in enumerate(({"a": 1}, print, [torch.zeros(2)])):
        path = tmp_path / f"{number}.ckpt"
        path.write_bytes(pickle.dumps(value))
        refused(path)
    torch.save({"a": torch.zeros(3)}, path, _use_new_zipfile_serialization=False)
    refused(path)


def test_an_archive_that_runs_code_is_refused(saved, tmp_path):
    ran = tmp_path / "ran"

    class Runs:
        def __reduce__(self):
            return open, (str(ran), "w")

    torch.save({"x": Runs()}, saved)
    assert "UnpicklingError" in refused(saved)
    assert not ran.exists()
