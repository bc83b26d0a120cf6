"""Indexes that many threads search while others change them, and settings of the process that threads need."""

import functools
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from lit_rec.inference.index.approximate_index import ApproximateIndex
from lit_rec.inference.index.exact_index import ExactIndex
from lit_rec.inference.index.whole_float32 import whole_float32

CHANCE = torch.Generator().manual_seed(0)
VECTORS, QUERIES = torch.randn(300, 16, generator=CHANCE), torch.randn(3, 16, generator=CHANCE)
MORE = torch.randn(40, 5, 16, generator=CHANCE)
LISTS = functools.partial(ApproximateIndex, exact_below=50, share=1.0)


@pytest.fixture(autouse=True)
def _turns():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


def change(index):
    """Add five items and remove three of them and of others, and every tenth time give rows back; yield after each."""
    for step, more in enumerate(MORE):
        rows = index.add_items(more)
        yield
        index.remove_items([rows[0], rows[1], step])
        yield
        if step % 10 == 9:
            index.drop_removed()
            yield


def found_in(index):
    one = index.search(QUERIES, 400, deny=[7])
    return str((one.rows.tolist(), one.scores.tolist()))


@pytest.mark.parametrize("make", [ExactIndex, LISTS])
def test_what_is_found_is_of_one_moment(make):
    if make is LISTS:
        pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")
    index, serial, stop = make(VECTORS), make(VECTORS), threading.Event()

    def search(_):
        found = {found_in(index)}
        while not stop.is_set():
            found.add(found_in(index))
        return found

    def change_all():
        list(change(index))
        stop.set()

    writer = threading.Thread(target=change_all)
    with ThreadPoolExecutor(6) as threads:
        writer.start()
        found = set.union(*threads.map(search, range(6)))
    writer.join()
    expected = {found_in(serial), *(found_in(serial) for _ in change(serial))}
    assert found <= expected
    assert found_in(index) == found_in(serial)


@pytest.mark.parametrize("make", [ExactIndex, LISTS])
def test_who_change_at_once_lose_nothing(make):
    if make is LISTS:
        pytest.importorskip("faiss", reason="faiss, the extra 'index', is not installed")
    index = make(VECTORS)
    with ThreadPoolExecutor(8) as threads:
        rows = list(threads.map(index.add_items, MORE))
        list(threads.map(lambda added: index.remove_items(added[:2]), rows))
    assert sorted(row for added in rows for row in added) == [*range(300, 500)]
    assert len(index) == 300 + 3 * len(MORE)
    assert torch.equal(index.vectors.take(torch.tensor([list(added) for added in rows])), MORE)


def test_the_precision_is_set_back_by_the_last():
    """The second that comes must not take what the first has set for what was there before."""
    inside, leave = threading.Event(), threading.Event()

    def stay():
        with whole_float32("cpu"):
            inside.set()
            assert leave.wait(20)

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        other = threading.Thread(target=stay)
        other.start()
        assert inside.wait(20)
        with whole_float32("cpu"):
            leave.set()
            other.join()
            assert torch.get_float32_matmul_precision() == "highest", "one is inside"
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision(before)
