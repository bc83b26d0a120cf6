"""Remedies of objectives; see ``followed``."""

import re
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from lit_rec.data.targets.rating import RatingTarget
from lit_rec.models.heads.value_heads import (
    ClassificationHead,
    DotHead,
)
from lit_rec.models.heads.vector_heads import CosineHead
from lit_rec.models.objectives.contrast import ContrastiveCrossEntropy
from lit_rec.models.objectives.score import (
    BinaryCrossEntropy,
    CrossEntropy,
    Objective,
    ScoreObjective,
    SquaredError,
)
from lit_rec.training.guards.training_pass import training_pass
from tests.integration.remedies.followed import each_remedy_of, follow, refused

from .small_parts import (
    LABEL,
    NAMED,
    NEXT,
    RATING,
    THREE,
    named_in,
    tower,
)


def test_an_objective_that_does_not_say_what_it_is_for():
    class Absolute(ScoreObjective):
        def forward(self, scores, target):
            return (scores - target.value).abs().sum(), target.mask.sum()

    broken = partial(Absolute().bind, RATING, "scores")
    line = refused(broken)[0].remedy.partition(": ")[2]
    written = {}
    exec(
        f"class Written(Absolute):\n    {line}",
        {"Absolute": Absolute, "RatingTarget": RatingTarget},
        written,
    )
    follow(broken, partial(written["Written"]().bind, RATING, "scores"), says="write in the class")


def bound(facts, objective, head):
    objective().bind(facts, tower(facts, head).gives)


@pytest.mark.parametrize(
    ("facts", "says", "head"),
    [
        (RATING, "SquaredError for ratings", DotHead),
        (LABEL, "BinaryCrossEntropy or CrossEntropy for labels", DotHead),
        (NEXT, "ItemSoftmax or BPR for the next item", CosineHead),
    ],
)
def test_an_objective_of_another_task(facts, says, head):
    wrong = SquaredError if facts is not RATING else CrossEntropy
    for name in re.findall(r"\w+", says):
        if name in NAMED:
            right_head = ClassificationHead if name == "CrossEntropy" else head
            follow(
                partial(bound, facts, wrong, head),
                partial(bound, facts, NAMED[name], right_head),
                says=says,
            )


@pytest.mark.parametrize(
    ("facts", "objective", "wrong", "right"),
    [
        (LABEL, "CrossEntropy", DotHead, "ClassificationHead and LinearHead"),
        (LABEL, "BinaryCrossEntropy", ClassificationHead, "DotHead and MLPHead"),
        (NEXT, "ItemSoftmax and BPR", DotHead, "CosineHead and InnerProductHead"),
    ],
)
def test_an_objective_of_other_scores(facts, objective, wrong, right):
    for one in objective.split(" and "):
        for head in right.split(" and "):
            follow(
                partial(bound, facts, NAMED[one], wrong),
                partial(bound, facts, NAMED[one], NAMED[head]),
                says=f"{objective} with {right}" if facts is NEXT else right,
            )


def test_two_labels_of_three():
    broken = partial(bound, THREE, BinaryCrossEntropy, DotHead)
    right = partial(bound, THREE, *named_in(broken))
    follow(broken, right, says="use CrossEntropy with ClassificationHead")


@pytest.mark.parametrize("wrong", [[0.0, 0.0], [-1.0, 1.0], [1.0, 2.0, 3.0]])
@pytest.mark.parametrize("way", ["correct the weights", "write balanced"])
def test_weights_of_labels(wrong, way):
    def weighed(weights):
        CrossEntropy(weights).bind(LABEL, "class_scores")

    right = way.rpartition(" ")[2] if "write" in way else [1.0, 2.0]
    follow(partial(weighed, wrong), partial(weighed, right), says=way)


def test_texts_compared_where_rows_are_behaviors():
    broken = partial(ContrastiveCrossEntropy().bind_network, "TwoTower", has_text_vectors=False)
    other = CrossEntropy().bind_network
    follow(broken, partial(other, "TwoTower", has_text_vectors=False), says="use CrossEntropy")


def test_an_objective_that_compares_nothing():
    class Own(Objective):
        def losses_of(self, outputs, batch):
            return outputs.sum(), torch.tensor(outputs.numel())

    class Written(Own):
        def disagreement(self, one, two, batch):
            return (one - two).square().mean()

    passing = SimpleNamespace(training_outputs=lambda batch: torch.ones(2, 1))

    def passed(objective, strength):
        return lambda: training_pass(passing, objective, None, strength)

    says = "set LitRec.r_drop to 0, or write the method"
    follow(passed(Own(), 1.0), passed(Own(), 0.0), says=says)
    follow(passed(Own(), 1.0), passed(Written(), 1.0), says=says)


test_each_remedy_was_followed = each_remedy_of("models/objectives")
