"""tools/benchmark speed train: turns, ratios, and steps of every side on a made-up archive with a tiny encoder."""

import json
from itertools import cycle

import pytest
import torch

from lit_rec.models.networks.two_tower import TwoTower
from tools.benchmarks.speed import every_occurrence, machine_rate, train, training_steps

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def speed_train(tiny_encoder_for):
    return tiny_encoder_for(train)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("quick", "turns"), [(True, 3), (False, 10)])
def test_sides_are_timed_in_turns(speed_train, tmp_path, monkeypatch, quick, turns, dtype):
    """lit_rec takes 1, 2, 3, ... times as long as at first; the others do not change."""
    mixed = dtype == torch.bfloat16
    seconds = {"lit_rec": 4.0, "plain loop": 0.5, "recompute": 5.0, "top layers": 2.0}
    seconds |= {
        "a quarter of the texts": 0.5,
        "every occurrence": 8.0,
        **({"lit_rec, bf16": 1.0} if mixed else {}),
    }
    rows = dict.fromkeys(seconds, 4096) | {"plain loop": 16, "every occurrence": 64}
    called = []

    def step_of(name):
        return lambda: called.append(name) or rows[name]

    def rate(step, steps):
        assert steps == (4 if step() == 16 else 1)
        slower = max(called.count("lit_rec") - 1, 1) if called[-1] == "lit_rec" else 1
        return rows[called[-1]] / seconds[called[-1]] / slower

    def sides(folder, turns):
        assert folder == tmp_path / "ml-100k"
        steps = {name: step_of(name) for name in seconds}
        return speed_train.Sides(steps, dtype, lambda turn: 1e6, lambda: 1e10)

    monkeypatch.setattr(speed_train, "_sides", sides)
    monkeypatch.setattr(speed_train, "rate", rate)
    found = speed_train.measure(tmp_path, quick=quick)
    often = {3: 1, 10: 4}[turns]
    once = [name for name in seconds if name != "every occurrence"]
    assert called[: len(once)] == once, "the first step of each is not counted"
    assert [called.count(name) for name in seconds] == [
        often if name == "every occurrence" else turns + 1 for name in seconds
    ]
    json.dumps(found)
    value = {(row["name"], row["metric"]): [row["low"], row["high"]] for row in found}
    rate_of = "interactions/s, bf16" if mixed else "interactions/s"
    assert value["lit_rec", "interactions/s"] == [1024 / turns, 1024]
    assert value["lit_rec / plain loop", "ratio"] == [32 / turns, 32]
    assert value["every occurrence", rate_of] == [8, 8]
    assert value["a quarter of the texts / plain loop", "ratio"] == [256, 256]
    assert value.get(("lit_rec, bf16 / plain loop", "ratio")) == ([128, 128] if mixed else None)
    # lit_rec is slowed down by turns, its bf16 is not
    last = 3 * (often - 1) + 1
    assert value["lit_rec / every occurrence", "ratio"] == (
        [512] * 2 if mixed else [128 / last, 128]
    )
    share = [0.4096] * 2 if mixed else [pytest.approx(0.1024 / turns), 0.1024]
    assert value["step / matmul", "share"] == share
    assert value["step with recompute / matmul", "share"] == pytest.approx([0.08192] * 2)
    assert value["matmul", "GFLOP/s"] == [10, 10]
    assert value["top 2 layers / full tuning", "ratio"] == [2, 2 * turns]


def test_steps_of_all_sides_train(speed_train, archive, monkeypatch):
    monkeypatch.setattr(speed_train, "_TOP", 1)
    monkeypatch.setattr(speed_train, "_ROWS", 16)
    built = []
    make = speed_train.configured
    monkeypatch.setattr(
        speed_train, "configured", lambda *words: built.append(make(*words)) or built[-1]
    )
    sides = speed_train._sides(archive / "ml-100k", 2)
    encoders = [module.built().item_encoder for _, module in built]
    assert [encoder.recompute for encoder in encoders] == [False, True, False, False, False]
    cached = [encoder.tokens_to_cache > 0 for encoder in encoders]
    assert cached == [False, False, False, True, False]
    assert [encoder.gradient_share for encoder in encoders] == [1.0, 1.0, 0.25, 1.0, 1.0]
    (data, module), (_, top) = built[0], built[3]
    assert top.built().item_encoder._cache.knows(next(iter(data.train_dataloader())).texts)
    groups = {group["name"]: group for group in module.new_optimizer().param_groups}
    assert groups["encoder"]["lr"] == module.hparams["encoder_rate"]
    assert groups["head"]["weight_decay"] == module.hparams["head_decay"]
    weights = [each.backbone.model.embeddings.word_embeddings.weight for each in encoders]
    before = [weight.detach().clone() for weight in weights]
    rows = {name: step() for name, step in sides.steps.items()}
    # u1.base, but for a twentieth; and two batches of eight
    assert rows.pop("plain loop") == rows.pop("every occurrence") == 16
    assert set(rows.values()) == {171}
    moved = [not torch.equal(*pair) for pair in zip(weights, before, strict=True)]
    assert moved == [True, True, True, False, True], "the embeddings are below the top layer"
    assert sides.work(0) > 0
    assert sides.machine() > 0
    assert sides.shapes.startswith(
        f"matmul, {'bfloat16' if 'lit_rec, bf16' in rows else 'float32'}"
    )


def test_every_occurrence_is_encoded_and_scores_are_the_same(speed_train, archive):
    data, module = speed_train._configured(archive / "ml-100k")
    batch, network = next(iter(data.train_dataloader())), module.built().eval()
    assert isinstance(network, TwoTower)
    apart = every_occurrence.unshared(batch, data.catalogue)
    slots = int(batch.history.mask.sum() + batch.candidates.mask.sum())
    assert len(apart.texts) == 2 * slots > 10 * len(batch.texts)
    assert len(apart.items.vocab_row) == slots
    torch.testing.assert_close(network(apart), network(batch), rtol=1e-4, atol=1e-5)


def test_gradients_of_parts_add_up(speed_train, archive):
    """A step of two batches is one of their mean loss."""
    found = []
    for parts in (1, 2):
        torch.manual_seed(0)
        data, module = speed_train._configured(archive / "ml-100k", _without_chance)
        batch = next(iter(data.train_dataloader()))
        assert training_steps.network_steps(module, cycle([batch]), parts=parts)() == parts * 171
        found.append(module.built().item_encoder.fields.weight)
    torch.testing.assert_close(*found)


def _without_chance(content):
    content["model"]["network"]["init_args"]["item_encoder"]["init_args"]["ids"] = {
        "class_path": "NoIds"
    }


def test_useful_work_by_hand(speed_train, archive):
    """Two layers of width 2 and inner width 3, texts of 1 and 2 tokens.

    By hand: 3 * 2 * (3 * 2 * (4 * 4 + 2 * 6) + 4 * 2 * (1 + 4)).
    """

    class Config:
        hidden_size, intermediate_size, num_hidden_layers = 2, 3, 2

    assert machine_rate.useful_flops(torch.tensor([1, 2]), Config) == 6 * (168 + 40)
    assert machine_rate.fast_dtype(Config, 8) in (torch.float32, torch.bfloat16)


@pytest.mark.parametrize(
    ("few", "many", "dtype", "asked"),
    [
        (0.05, 9.0, torch.float32, [16, 16]),  # imitated: nothing more is asked
        (0.5, 1.2, torch.float32, [16, 16, 2048, 2048]),
        (0.5, 1.4, torch.bfloat16, [16, 16, 2048, 2048]),
    ],
)
def test_a_tie_is_float32(monkeypatch, few, many, dtype, asked):
    found = []

    def rate(config, tokens, kind):
        found.append(tokens)
        half = few if tokens == 16 else many
        return half if kind == torch.bfloat16 else 1.0

    monkeypatch.setattr(machine_rate, "matmul_rate", rate)
    assert machine_rate.fast_dtype(None, 2048) == dtype
    assert found == asked
