"""tools/benchmark speed tuning: ratios of one turn, and real steps on a made-up archive with a tiny encoder."""

import itertools

import pytest

from tools.benchmarks.speed import tuning

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def speed_tuning(tiny_encoder_for, archive, monkeypatch):
    # the tiny encoder has two layers: the lower one is frozen, and its output cached
    ways = {way: {**found} for way, found in tuning.WAYS.items()}
    for found in ways.values():
        if "init_args" in found:
            found["init_args"] = {"layers": 1}
    monkeypatch.setattr(tuning, "WAYS", ways)
    return tiny_encoder_for(tuning)


def test_ratios_are_those_of_one_turn(speed_tuning, archive, monkeypatch):
    """Each way takes as long as its place says, and all of them longer in the second turn."""
    now = 0.0
    spent = {way: place + 1.0 for place, way in enumerate(speed_tuning.WAYS)}
    monkeypatch.setattr(speed_tuning, "_configured", lambda folder, _: (_Data(), None))
    order = itertools.chain(list(spent) * 3, itertools.cycle([*spent, "full"]))
    # the first steps are not counted; then two turns of whole steps, and those of few films
    turn = itertools.chain([1.0] * 2 * len(spent), [3.0] * len(spent), itertools.repeat(1.0))

    def step():
        nonlocal now
        now += spent[next(order)] * next(turn)

    monkeypatch.setattr(speed_tuning, "network_steps", lambda module, batches: step)
    monkeypatch.setattr(speed_tuning, "_few_texts", lambda data, module, fused=True: step)
    monkeypatch.setattr(speed_tuning.time, "process_time", lambda: now)
    found = {row["name"]: row for row in speed_tuning.measure(archive, quick=True)}
    assert found["LoRA"]["low"] == 3.0
    assert found["LoRA"]["high"] == 9.0
    ratio = found["LoRA / full"]
    assert (ratio["low"], ratio["value"], ratio["high"]) == (3.0, 3.0, 3.0)
    assert "full / full" not in found
    assert found["LoRA / full, 16 films"]["value"] == 3.0


class _Data:
    def train_dataloader(self):
        return [None] * 3


def test_steps_of_each_way(speed_tuning, archive):
    rows = speed_tuning.measure(archive, quick=True)
    assert {row["metric"] for row in rows} == {"seconds a step", "ratio"}
    assert all(row["low"] > 0 for row in rows)
    assert len({row["name"] for row in rows}) == len(rows) == 4 * len(speed_tuning.WAYS)
