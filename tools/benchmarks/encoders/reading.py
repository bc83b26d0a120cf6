"""One encoder reads banking77, in a process of its own: `encoders.reading ENCODER PREFIX DRAWS DATA`.

Prints its parameters, CPU seconds for 1,000 texts on one thread, the peak of the process's memory, and the accuracy of
logistic regression on its frozen vectors, with 10 texts per class, for each draw.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lit_rec.data.arrays import Float64s, Int64s
from lit_rec.data.batches.batch import Texts
from lit_rec.data.readers.labelled_texts import LabelledTextReader
from lit_rec.data.splits.few_labels import FewLabelsSplit
from lit_rec.data.text_datamodule import ItemTextDataModule
from lit_rec.data.texts.template import TextTemplate
from lit_rec.data.training_facts import target_of_rows
from lit_rec.evaluation.baselines.frozen_ratings import unit_vectors
from lit_rec.models.linear.softmax_regression import (
    INVERSE_PENALTIES,
    logistic_regression,
    softmax,
)
from lit_rec.models.text.backbone import PretrainedBackbone
from lit_rec.models.text.passes import TextPasses
from lit_rec.models.text.pooling import MeanPooling
from lit_rec.models.text.tuning import FrozenTuning

_BLOCK = 1000  # texts that are timed together
_PER_LABEL = 10


def main(encoder: str, prefix: str, draws: int, data: Path) -> dict[str, Any]:
    """Return what was measured, as plain values."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as cache:
        parts = [opened(encoder, prefix, seed, data, cache) for seed in range(draws)]
        backbone = PretrainedBackbone(parts[0].facts, encoder, FrozenTuning()).eval()
        reader = _Reader(backbone, parts[0])
        found = [_accuracy(part, reader) for part in parts]
    return {
        "parameters": sum(weight.numel() for weight in backbone.parameters()),
        "of_block": reader.seconds,
        "memory": _most_memory(),
        "accuracy": found,
    }


class _Reader:
    """Reads each text once, and notes the CPU seconds of each whole block.

    Args:
        backbone: The encoder.
        data: Has the texts; they are the same in each draw.
    """

    def __init__(self, backbone: PretrainedBackbone, data: ItemTextDataModule) -> None:
        pooling, special = MeanPooling(backbone.width), data.facts.special
        self._passes = TextPasses(backbone, pooling, special, max_tokens=2048)
        self._store, self._width = data.catalogue.store, backbone.width
        self._known: dict[int, torch.Tensor] = {}
        self.seconds: list[float] = []

    def vectors(self, texts: Int64s) -> Float64s:
        """Return the vectors ``[P, width]`` of some texts ``[P]``."""
        new = np.array([text for text in np.unique(texts) if text not in self._known], np.int64)
        for start in range(0, len(new), _BLOCK):
            block = new[start : start + _BLOCK]
            before = time.process_time()
            read = self._read(block)
            if len(block) == _BLOCK:
                self.seconds.append(time.process_time() - before)
            self._known |= dict(zip(block.tolist(), read, strict=True))
        return torch.stack([self._known[text] for text in texts.tolist()]).double().numpy()

    @torch.no_grad()
    def _read(self, texts: Int64s) -> torch.Tensor:
        taken = self._store.take(texts)
        ragged = Texts(torch.from_numpy(taken.tokens), torch.from_numpy(taken.offsets))
        return self._passes.finished(ragged, lambda vectors, _: vectors, (self._width,))


def opened(encoder: str, prefix: str, seed: int, data: Path, cache: str) -> ItemTextDataModule:
    """Return banking77 with the few training texts of a draw, prepared."""
    made = ItemTextDataModule(
        LabelledTextReader(
            str(data / "banking77/train.csv"),
            {"label": "category"},
            test_texts=str(data / "banking77/test.csv"),
            label_names="text",
        ),
        encoder,
        TextTemplate(["text"], prefix=prefix),
        FewLabelsSplit(_PER_LABEL, seed=seed),
        cache_folder=cache,
    )
    made.prepare_data()
    made.setup("fit")
    return made


def _accuracy(data: ItemTextDataModule, reader: _Reader) -> float:
    """Return the share of test rows that logistic regression gets right."""
    prepared, label = data.prepared, target_of_rows(data.prepared, data.facts).astype(np.int64)
    train, test = (prepared.rows_of(part) for part in ("train", "test"))
    rows = np.concatenate([train, test])
    read = reader.vectors(data.catalogue.text_of_item[prepared.item[rows], 0])
    unit = unit_vectors(read[:, None]).astype(np.float32)
    counts = np.eye(len(data.facts.labels), dtype=np.int64)[label[train]]
    found = logistic_regression(unit[: len(train)], counts, INVERSE_PENALTIES)
    prob = softmax(unit[len(train) :] @ found.weights + found.bias)
    return float((prob.argmax(1) == label[test]).mean())


def _most_memory() -> int:
    """Return the most memory that this process had, in bytes.

    ``getrusage`` would also count the process that started this one, where that had more.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (found,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(found) * 1024


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))))
