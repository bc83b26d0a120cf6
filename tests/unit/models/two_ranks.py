"""One of two processes, each with half a batch: ``two_ranks.py RANK FOLDER`` writes what it found into the folder."""

import sys

import torch
from torch import distributed

from lit_rec.data.batches.batch import (
    Candidates,
    HistorySlots,
    Items,
    RecBatch,
    Target,
    Texts,
    Users,
)
from lit_rec.data.batches.negatives import BatchNegatives
from lit_rec.data.facts import Facts
from lit_rec.models.objectives.ranking import BPR, ItemSoftmax

ITEMS, WIDTH = 9, 4
HISTORY = torch.tensor([[1, 2, 3], [4, 2, 0], [5, 6, 7], [1, 6, 2], [3, 3, 1]])
LENGTH = torch.tensor([3, 2, 3, 3, 3])
TARGET = torch.tensor([[2, 3, 8], [2, 5, 0], [6, 7, 1], [6, 2, 4], [3, 1, 2]])


def facts():
    log = torch.arange(1.0, ITEMS + 1).div(45).log().tolist()
    ids = tuple(f"i{i}" for i in range(ITEMS))
    return Facts.example("next_item", item_ids=ids, item_log_frequency=tuple(log))


def batch_of(rows, unseen=False):
    """Some rows with their distinct items alone.

    The catalogue's item k is known as k + 1; 0 may be unseen in training.
    """
    mask = torch.arange(3) < LENGTH[rows, None]
    used, index = torch.unique(
        torch.cat([HISTORY[rows][mask], TARGET[rows][mask]]), return_inverse=True
    )
    history, target = (
        torch.zeros(mask.shape, dtype=torch.int64).masked_scatter(mask, part)
        for part in index.chunk(2)
    )
    nothing = torch.full(mask.shape, torch.nan)
    none = torch.empty(0, dtype=torch.int64)
    return RecBatch(
        texts=Texts(none.int(), torch.zeros(1, dtype=torch.int64)),
        items=Items(none.reshape(0, 0), used, used + 1),
        users=Users(torch.zeros(len(rows), dtype=torch.int64)),
        history=HistorySlots(history, mask, nothing, mask.long() * 0, nothing, mask.long() * 0),
        candidates=Candidates(none.reshape(0, 0), none.reshape(0, 0).bool()),
        target=Target(target, mask),
        row=torch.tensor(rows),
        impression=torch.full((len(rows),), -1),
    )


class Model(torch.nn.Module):
    """Vectors of items, and of users at every position: the running sum of what they saw."""

    def __init__(self):
        super().__init__()
        chance = torch.Generator().manual_seed(0)
        self.items = torch.nn.Parameter(torch.randn(ITEMS, WIDTH, generator=chance))
        self.turn = torch.nn.Parameter(torch.randn(WIDTH, WIDTH, generator=chance))

    def forward(self, batch):
        items = self.items[batch.items.catalogue_row]
        users = (items[batch.history.item_index] @ self.turn).cumsum(1)
        return users, items


def objectives():
    made = [
        ItemSoftmax(BatchNegatives(), temperature=0.5),
        ItemSoftmax(BatchNegatives(), temperature=0.5, spare_own=True, scores_per_block=20),
        BPR(),
    ]
    for objective in made:
        objective.bind(facts(), "vectors")
    return made


def gradients(rows):
    """The sum of losses, their number, and the gradients, by each objective."""
    found = []
    for objective in objectives():
        model, batch = Model(), batch_of(rows)
        total, count = objective(*model(batch), batch)
        total.backward()
        found.append([total.detach(), count, model.items.grad, model.turn.grad])
    return found


if __name__ == "__main__":
    rank, folder = int(sys.argv[1]), sys.argv[2]
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    torch.save(gradients([[0, 2, 4], [1, 3]][rank]), f"{folder}/{rank}.pt")
    distributed.destroy_process_group()
