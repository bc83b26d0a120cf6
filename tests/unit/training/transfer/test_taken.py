"""What a network takes of another one: whole parts, rows by name, and nothing that belongs to other rows."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from lit_rec.data.facts import Facts
from lit_rec.data.fields.category import CategoryFacts
from lit_rec.data.fields.number import NumberFacts
from lit_rec.data.texts.tokens import SpecialTokens
from lit_rec.errors import CheckpointError
from lit_rec.models.heads.neighborhood import NeighborhoodHead
from lit_rec.models.heads.value_heads import ClassificationHead, DotHead, LinearHead
from lit_rec.models.ids import IdEmbedding
from lit_rec.models.items.item_encoder import ItemEncoder
from lit_rec.models.networks.cross_encoder import CrossEncoder
from lit_rec.models.networks.text_classifier import TextClassifier
from lit_rec.models.networks.two_tower import TwoTower
from lit_rec.models.pretraining.text_pretraining import TextPretraining
from lit_rec.models.text.adapters.bottleneck import BottleneckTuning
from lit_rec.models.text.adapters.peft_tuning import LoraTuning
from lit_rec.models.text.backbone import ConfiguredBackbone
from lit_rec.models.users.user_encoder import MeanUserEncoder
from lit_rec.training.transfer.taken import take

SIZES = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
SIZES |= {"intermediate_size": 8, "max_position_embeddings": 24}
FIRST = Facts.example(
    item_ids=("a", "b", "c"), user_ids=("u", "v"), events=("view", "buy"), item_bias=(0.1, 0.2, 0.3)
)


def backbone(tuning=None, **sizes):
    options = {**SIZES, **sizes}
    return partial(ConfiguredBackbone, model_type="bert", options=options, tuning=tuning)


def two_tower(facts, head=DotHead, seed=0, encoder=None, **options):
    torch.manual_seed(seed)
    items = partial(
        ItemEncoder, backbone=encoder or backbone(), width=4, ids=IdEmbedding, **options
    )
    return TwoTower(facts, items, partial(MeanUserEncoder, ids=IdEmbedding), head)


def classifier(facts, head=LinearHead, seed=0, **options):
    torch.manual_seed(seed)
    return TextClassifier(
        facts, partial(ItemEncoder, backbone=backbone(), width=4, **options), head
    )


def moved(network):
    """Move every weight off its start, also those that begin at 0."""
    with torch.no_grad():
        for weight in network.state_dict().values():
            if weight.is_floating_point():
                weight.add_(torch.rand_like(weight) + 0.1)
    return network


def taken(here, facts, there, stored):
    return take(here, facts, there.state_dict(), stored, "x.ckpt")


def test_the_same_data_takes_all_but_closed_forms():
    there, here = moved(two_tower(FIRST)), two_tower(FIRST, seed=1)
    found = taken(here, FIRST, there, FIRST)
    assert {*found.not_taken} == {"item_encoder.ids.start", "user_encoder.ids.start"}
    assert found.parts == {}
    assert len(found.whole) == len(here.state_dict()) - 2
    for name, weight in here.state_dict().items():
        if name not in found.not_taken:
            assert torch.equal(weight, there.state_dict()[name]), name


def test_ids_and_events_are_taken_by_name():
    second = Facts.example(
        item_ids=("c", "x", "a", "y"), user_ids=("w",), events=("buy",), item_bias=(0, 0, 0, 0.5)
    )
    there, here = moved(two_tower(FIRST)), two_tower(second, seed=1)
    before = {name: weight.clone() for name, weight in here.state_dict().items()}
    found = taken(here, second, there, FIRST)
    ids, known = "item_encoder.ids.embedding.weight", there.item_encoder.ids.embedding.weight
    now = here.state_dict()[ids]
    assert torch.equal(now[[0, 1, 3]], known[[0, 3, 1]])
    assert torch.equal(now[[2, 4]], before[ids][[2, 4]])
    assert found.parts[ids] == "2 of 4 items"
    assert found.not_taken["user_encoder.ids.bias.weight"] == "none of its 1 users is known there"
    assert torch.equal(here.user_encoder.event.weight[1], there.user_encoder.event.weight[2])
    assert here.item_encoder.ids.start.flatten().tolist() == [0, 0, 0, 0, 0.5], "of these ratings"
    assert "item_encoder.ids.start" in found.not_taken


def test_as_many_other_ids_are_not_taken_by_place():
    second = replace(FIRST, item_ids=("x", "y", "z"), user_ids=("q", "r"))
    here = two_tower(second, seed=1)
    before = here.item_encoder.ids.embedding.weight.clone()
    found = taken(here, second, moved(two_tower(FIRST)), FIRST)
    assert (
        found.not_taken["item_encoder.ids.embedding.weight"] == "none of its 3 items is known there"
    )
    assert torch.equal(here.item_encoder.ids.embedding.weight, before)


def test_labels_are_taken_by_name():
    first = Facts.example("label", labels=("no", "so", "yes"))
    second = Facts.example("label", labels=("yes", "never", "no"))
    for head in (LinearHead, partial(ClassificationHead, hidden=4)):
        there, here = moved(classifier(first, head)), classifier(second, head, seed=1)
        before = here.head.linear.weight.clone()
        found = taken(here, second, there, first)
        assert torch.equal(here.head.linear.weight[[0, 2]], there.head.linear.weight[[2, 0]])
        assert torch.equal(here.head.linear.weight[1], before[1])
        assert torch.equal(here.head.linear.bias[0], there.head.linear.bias[2])
        assert found.parts["head.linear.bias"] == "2 of 3 labels"


def test_a_head_that_begins_at_the_labels_is_fitted_again():
    facts = Facts.example("label", labels=("no", "so", "yes"))
    here = classifier(facts, partial(LinearHead, begin="logistic_regression"))
    found = taken(here, facts, moved(classifier(facts)), facts)
    assert {*found.not_taken} == {"head.linear.weight", "head.linear.bias"}


def test_another_task_takes_the_encoder():
    labels, here = Facts.example("label", labels=("no", "so", "yes")), two_tower(FIRST, seed=1)
    there = moved(classifier(labels))
    found = taken(here, FIRST, there, labels)
    assert torch.equal(here.item_encoder.fields.weight, there.item_encoder.fields.weight)
    name = "embeddings.word_embeddings.weight"
    ours, theirs = (n.backbone.model.get_parameter(name) for n in (here, there))
    assert torch.equal(ours, theirs)
    assert found.not_taken["user_encoder.log_shrinkage"] == "not in the checkpoint"
    lines = found.lines("x.ckpt")
    assert any(line.startswith("  taken: item_encoder.backbone (") for line in lines)
    assert "weights of user_encoder (not in the checkpoint)" in "\n".join(lines)


def test_a_cross_encoder_gives_its_encoder_and_marks():
    torch.manual_seed(0)
    there = moved(CrossEncoder(FIRST, backbone(), max_tokens=16))
    here = two_tower(FIRST, seed=1)
    found = taken(here, FIRST, there, FIRST)
    parts = here.backbone.state_dict()
    assert all(torch.equal(parts[n], w) for n, w in there.backbone.state_dict().items())
    assert sum(name.startswith("item_encoder.backbone.") for name in found.whole) == len(parts)
    fewer = replace(FIRST, events=("buy",))
    torch.manual_seed(1)
    other = CrossEncoder(fewer, backbone(), max_tokens=16)
    taken(other, fewer, there, FIRST)
    mark, rows = other.deed.weight.view(6, 2, -1), there.deed.weight.view(6, 3, -1)
    assert torch.equal(mark, rows[:, [0, 2]])


def test_text_fields_are_taken_by_name_or_order():
    first, second = (
        replace(FIRST, fields=names) for names in (("title", "plot"), ("abstract", "title"))
    )
    there, here = moved(two_tower(first)), two_tower(second, seed=1)
    found = taken(here, second, there, first)
    ours, theirs = here.item_encoder.fields, there.item_encoder.fields
    assert torch.equal(ours.weight, theirs.weight.view(5, 2, 8).flip(1).reshape(5, 16))
    assert torch.equal(ours.centre, theirs.centre.flip(0))
    assert torch.equal(ours.field_logits, theirs.field_logits.flip(0))
    alone = replace(FIRST, fields=("name",))
    here = two_tower(alone, seed=1)
    found = taken(here, alone, moved(two_tower(FIRST)), FIRST)
    assert "item_encoder.fields.weight" in found.whole
    more = replace(FIRST, fields=("title", "year"))
    assert (
        taken(two_tower(more), more, there, FIRST)
        .not_taken["item_encoder.fields.weight"]
        .startswith("shape")
    )
    found = taken(two_tower(more), more, moved(two_tower(FIRST)), FIRST)
    assert found.parts["item_encoder.fields.weight"] == "1 of 2 text fields"


def test_other_fields_are_known_by_their_columns():
    year = NumberFacts(column="year", edges=(0.0, 1.0, 2.0))
    genres = CategoryFacts(column="genres", separator=None, names=("drama", "war"))
    first = replace(FIRST, item_fields=(year, genres))
    second = replace(
        FIRST,
        item_fields=(replace(genres, names=("war", "crime")), replace(year, edges=(0.0, 5.0, 9.0))),
    )
    there, here = moved(two_tower(first)), two_tower(second, seed=1)
    found = taken(here, second, there, first)
    ours, theirs = here.item_encoder.fields.others[0], there.item_encoder.fields.others[1]
    assert torch.equal(ours.embedding.weight[[0, 1]], theirs.embedding.weight[[0, 2]])
    assert found.parts["item_encoder.fields.others.0.embedding.weight"] == "1 of 2 categories"
    assert "item_encoder.fields.others.1.projection.weight" in found.not_taken, "other bins"
    same = replace(FIRST, item_fields=(genres, year))
    found = taken(two_tower(same, seed=1), same, there, first)
    assert "item_encoder.fields.others.1.projection.weight" in found.whole


def test_calibration_keeps_what_was_taken():
    """Its numbers belong to the projections; what was not taken is measured here."""
    facts = replace(FIRST, fields=("title", "plot"))
    stored = replace(FIRST, fields=("title",))
    there, here = moved(two_tower(stored)), two_tower(facts, seed=1, balanced=True)
    torch.nn.init.zeros_(there.item_encoder.fields.field_logits)  # all fields count alike
    taken(here, facts, there, stored)
    before = here.item_encoder.fields.weight.clone()
    measured = two_tower(facts, seed=1, balanced=True)
    vectors, has_token = torch.randn(6, 8), torch.ones(6, dtype=torch.bool)

    def calibrate(network):
        from lit_rec.data.batches.batch import Items

        index = torch.arange(6).view(3, 2)
        items = Items(index, torch.arange(3), torch.arange(1, 4))
        network.item_encoder.fields.calibrate(vectors, has_token, items)
        return network.item_encoder.fields

    ours, plain, theirs = calibrate(here), calibrate(measured), there.item_encoder.fields
    assert torch.equal(ours.centre[0], theirs.centre[0])
    assert torch.equal(ours.centre[1], plain.centre[1])
    assert torch.equal(ours.weight[:, :8], theirs.weight)
    assert torch.equal(ours.weight[:, 8:], plain.weight[:, 8:])
    assert not torch.equal(ours.weight[:, 8:], before[:, 8:])
    calibrate(here)
    assert torch.equal(ours.centre, plain.centre), "another calibration is as ever"


def test_a_pretrained_encoder_is_taken_alone():
    """Its projections of fields were never trained, and a new run has better ones to begin with."""
    facts = replace(Facts.example("pretraining"), special=SpecialTokens((1,), (2,), 0, 3))
    there = moved(TextPretraining(facts, partial(ItemEncoder, backbone=backbone(), width=4)))
    here = two_tower(FIRST, seed=1)
    before = here.item_encoder.fields.weight.clone()
    found = taken(here, FIRST, there, facts)
    parts = here.backbone.state_dict()
    assert all(torch.equal(parts[n], w) for n, w in there.backbone.state_dict().items())
    assert torch.equal(here.item_encoder.fields.weight, before)
    assert found.not_taken["item_encoder.fields.centre"] == "pretraining trains the encoder alone"


def test_adapters_begin_on_the_encoder_that_was_taken():
    plain = moved(two_tower(FIRST))
    here = two_tower(FIRST, seed=1, encoder=backbone(LoraTuning(rank=2)))
    found = taken(here, FIRST, plain, FIRST)
    name = "encoder.layer.0.output.dense"
    base = here.backbone.model.get_submodule(name).base_layer.weight
    assert torch.equal(base, plain.backbone.model.get_submodule(name).weight)
    assert any("lora_A" in one for one in found.not_taken)
    again = two_tower(FIRST, seed=2, encoder=backbone(LoraTuning(rank=2)))
    assert {*taken(again, FIRST, moved(here), FIRST).not_taken} == {
        "item_encoder.ids.start",
        "user_encoder.ids.start",
    }


def test_other_encoders_are_refused():
    there = moved(two_tower(FIRST))
    for sizes in ({"hidden_size": 4}, {"vocab_size": 12}, {"num_hidden_layers": 2}):
        with pytest.raises(CheckpointError, match="its encoder is another one"):
            taken(two_tower(FIRST, encoder=backbone(**sizes)), FIRST, there, FIRST)
    small = two_tower(FIRST, encoder=backbone(num_hidden_layers=2))
    with pytest.raises(CheckpointError, match="16 weights that the one here has not"):
        taken(two_tower(FIRST), FIRST, small, FIRST)
    for tuning, says in (
        (LoraTuning(rank=2), "lit-rec slim"),
        (BottleneckTuning(), "PretrainedBackbone.tuning"),
    ):
        adapted = two_tower(FIRST, encoder=backbone(tuning))
        with pytest.raises(CheckpointError, match=says):
            taken(two_tower(FIRST), FIRST, adapted, FIRST)


def test_other_other_heads_are_not_taken():
    here = two_tower(FIRST, NeighborhoodHead, seed=1)
    found = taken(here, FIRST, moved(two_tower(FIRST)), FIRST)
    assert {name.partition(".")[0] for name in found.not_taken} == {
        "head",
        "item_encoder",
        "user_encoder",
    }
