"""What SelfTraining adds to a batch, by a planted teacher: rows, texts and labels are those found by loops."""

import numpy as np
import pytest
import torch

from lit_rec.data.augmentation.drop_words import DropWords
from lit_rec.models.objectives.contrast import ContrastiveCrossEntropy
from lit_rec.training.guards.guard import Guard
from lit_rec.training.guards.word_dropout import WordDropout
from lit_rec.training.self_training.self_training import SelfTraining

from .few_texts import few, run, write_texts

pytestmark = pytest.mark.filterwarnings("default")


class Planted:
    """A teacher that says a label of its own for each row, with probability .8 for even rows and .6 for odd ones."""

    def __init__(self):
        self.read = []

    def begin(self, network):
        """Nothing to begin with."""

    def follow(self, network, step):
        """It learns nothing."""

    def state_dict(self):
        return {}

    def scores(self, network, batch):
        self.read.append(batch)
        probability = torch.where(batch.row % 2 == 0, 0.8, 0.6)
        found = ((1 - probability) / 2)[:, None].expand(-1, 3).clone()
        found[torch.arange(len(batch)), planted(batch.row)] = probability
        return found.log()[:, None]


def planted(row):
    return (row * 7 + 1) % 3


class Seen(Guard):
    """Remembers the batches of a run."""

    def __init__(self):
        self.batches = []

    def changed(self, batch):
        self.batches.append(batch)
        return batch


def planted_run(
    folder, data, *guards, steps=6, ratio=2.0, confidence=0.7, start_epoch=1, **options
):
    own, seen = SelfTraining(confidence, ratio, start_epoch), Seen()
    own._teacher = Planted()
    _, trainer = run(folder, data, *guards, seen, own, steps=steps, **options)
    return own, seen.batches, trainer


def texts_of(batch):
    """The tokens of each row's text."""
    offsets, texts = batch.texts.offsets.tolist(), batch.texts
    place = batch.items.text_index[batch.candidates.item_index[:, 0], 0].tolist()
    return [texts.tokens[offsets[p] : offsets[p + 1]].tolist() for p in place]


def catalogue_texts(data, rows):
    catalogue = data.catalogue
    text = catalogue.text_of_item[data.prepared.item[rows], 0]
    tokens, offsets = catalogue.store.tokens, catalogue.store.offsets
    return [tokens[offsets[t] : offsets[t + 1]].tolist() for t in text]


def test_sure_rows_join_behind_those_with_a_label(folder, cache):
    data = few(folder, cache)
    own, batches, trainer = planted_run(folder, data)
    assert [len(batch) for batch in batches[:2]] == [8, 4]  # the first epoch is as without
    drawn = [batch.row.numpy() for batch in own._teacher.read]
    assert [len(rows) for rows in drawn] == [16, 8, 16, 8]
    assert set(np.concatenate(drawn)) <= set(data.prepared.rows_of("shown"))
    assert len(set(np.concatenate(drawn))) == 48  # none twice among 78
    counts = {2: 0, 3: 0}
    for place, (rows, batch) in enumerate(zip(drawn, batches[2:], strict=True)):
        labelled = 8 if place % 2 == 0 else 4
        sure = [row for row in rows if row % 2 == 0]
        counts[2 + place // 2] += len(sure)
        assert batch.row[labelled:].tolist() == sure
        assert set(batch.row[:labelled].tolist()) <= set(data.prepared.rows_of("train"))
        assert texts_of(batch) == catalogue_texts(data, batch.row.numpy())
        known = data.prepared.label[batch.row[:labelled].numpy()]  # the facts have the same order
        expected = [*known, *(planted(row) for row in sure)]
        assert batch.target.value[:, 0].tolist() == expected
        assert batch.target.mask.all()
    share = sum(len(batch) for batch in batches[4:]) - 12
    assert float(trainer.callback_metrics["train/pseudo_labels"]) == pytest.approx(share / 24)


@pytest.mark.parametrize(("confidence", "added"), [(0.9, 0), (0.5, 16)])
def test_confidence_is_the_least_probability(confidence, added, folder, cache):
    _, batches, _ = planted_run(
        folder, few(folder, cache), confidence=confidence, start_epoch=0, steps=1
    )
    assert len(batches[0]) == 8 + added


def test_the_student_reads_changed_texts_and_the_teacher_plain_ones(folder, cache):
    """Variants are made of the texts of left-out rows too, and other guards find the whole batch."""
    data = few(folder, cache, augmentation=[DropWords(rate=1.0, share=0.3)])
    own, batches, _ = planted_run(folder, data, start_epoch=0, steps=1, confidence=0.0)
    own_rows = batches[0].row.numpy()[8:]
    assert texts_of(own._teacher.read[0]) == catalogue_texts(data, own_rows)
    changed = [len(text) for text in texts_of(batches[0])[8:]]
    assert set(changed) <= {1, 2}  # of three words
    data = few(folder, cache)
    own, batches, _ = planted_run(
        folder, data, WordDropout(1.0), start_epoch=0, steps=1, confidence=0.0
    )
    assert len(batches[0]) == 24
    assert {token for text in texts_of(batches[0]) for token in text} == {4}  # [MASK], for all rows


def test_training_rows_without_a_label_are_drawn_and_stand_in_no_batch(folder, cache):
    path = write_texts(cache / "missing.csv", unlabelled=lambda row: row % 6 in (1, 2, 3, 4))
    data = few(folder, cache, texts=path)
    assert len(data.prepared.rows_of("train")) == 90
    own, batches, trainer = planted_run(folder, data, steps=3, start_epoch=0, confidence=0.0)
    labelled = {row for row in data.prepared.rows_of("train") if data.prepared.label[row] >= 0}
    assert len(labelled) == 18
    assert trainer.num_training_batches == 3
    read = [row for batch in own._teacher.read for row in batch.row.tolist()]
    assert not labelled & {*read}
    assert set(data.prepared.part[read]) == {0}
    assert {row for batch in batches for row in batch.row[: len(batch) // 3].tolist()} == labelled
    assert all(len(batch) % 3 == 0 for batch in batches)


def test_contrastive_pairs_with_rows_of_the_teacher(folder, cache):
    """The contrastive loss of a step sees rows that were added as rows of their label."""
    found = {}
    for confidence in (0.7, 1.0):
        objective = ContrastiveCrossEntropy()
        seen = []
        contrasts = objective.contrasts

        def noted(vectors, label, row, contrasts=contrasts, seen=seen):
            seen.append(label.clone())
            return contrasts(vectors, label, row)

        objective.contrasts = noted
        data = few(folder, cache)
        _, batches, _ = planted_run(
            folder, data, start_epoch=0, steps=1, confidence=confidence, objective=objective
        )
        found[confidence] = seen[0].tolist()
        assert found[confidence] == batches[0].target.value[:, 0].tolist()
    assert len(found[0.7]) > len(found[1.0]) == 8
